import KernelContracts

/// From one channel-blocked layout to another of the same activation, planned once: where a grouped convolution, whose blocks
/// are a group's channels, follows one that has them in whole vectors.
public struct BlockConversion: Sendable {
  /// Channels that follow one another in both layouts.
  private struct Run {
    var channels: Range<Int>
    var source: Int
    var target: Int
  }

  public let source: BlockedLayout
  public let target: BlockedLayout
  private let runs: [Run]
  private let kernels: KernelTable
  private let pool: ThreadPool

  /// - Throws: ``ConvolutionError/layoutMismatch(name:expected:found:)`` for layouts of two shapes.
  public init(
    from source: BlockedLayout, to target: BlockedLayout, options: ConvolutionOptions
  ) throws(ConvolutionError) {
    guard
      (source.batch, source.channels, source.height, source.width)
        == (target.batch, target.channels, target.height, target.width)
    else { throw .layoutMismatch(name: "target", expected: "the shape of \(source)", found: "\(target)") }
    self.source = source
    self.target = target
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    var runs: [Run] = []
    var channel = 0
    while channel < source.channels {
      let end = min(source.blockEnd(channel), target.blockEnd(channel))
      runs.append(
        Run(
          channels: channel..<end, source: source.elementOffset(channel: channel),
          target: target.elementOffset(channel: channel)))
      channel = end
    }
    self.runs = runs
  }

  /// Writes the target's interior; its halo stays as it is.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` before anything is written.
  public func run(
    input: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    try source.check(input.count, "input")
    try target.check(output.count, "output")
    guard let input = input.baseAddress, let output = output.baseAddress else { return }
    pool.run(tasks: source.batch * runs.count) { task, _ in
      let run = runs[task % runs.count]
      let image = task / runs.count
      for row in 0..<source.height {
        kernels.copyLanes(
          input + image * source.imageStride + run.source + row * source.rowStride, source.block,
          output + image * target.imageStride + run.target + row * target.rowStride, target.block,
          run.channels.count, source.width)
      }
    }
  }
}

extension BlockedLayout {
  /// The first channel behind the block that a channel is in.
  fileprivate func blockEnd(_ channel: Int) -> Int {
    let group = channel / channelsPerGroup
    let next = group * channelsPerGroup + (channel % channelsPerGroup / block + 1) * block
    return min(next, (group + 1) * channelsPerGroup)
  }

  /// A channel's first element, from the start of an image.
  fileprivate func elementOffset(channel: Int) -> Int {
    offset(image: 0, channel: channel) + channel % channelsPerGroup % block
  }
}
