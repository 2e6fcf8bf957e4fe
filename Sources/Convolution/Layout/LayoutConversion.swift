import KernelContracts

/// NCHW ↔ channel-blocked, planned once for a layout.
public struct LayoutConversion: Sendable {
  public let layout: BlockedLayout
  private let kernels: KernelTable
  private let pool: ThreadPool

  /// - Throws: ``ConvolutionError`` when the instruction set or the threads are not available.
  public init(_ layout: BlockedLayout, options: ConvolutionOptions) throws(ConvolutionError) {
    self.layout = layout
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
  }

  /// Writes the interior of a blocked buffer; its halo stays as it is.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  public func pack(
    _ dense: UnsafeBufferPointer<Float>, into blocked: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    try check(dense.count, blocked.count)
    guard let dense = dense.baseAddress, let blocked = blocked.baseAddress else { return }
    forEachBlock { denseOffset, blockedOffset, channels in
      for row in 0..<layout.height {
        kernels.interleave(
          dense + denseOffset + row * layout.width, layout.height * layout.width,
          blocked + blockedOffset + row * layout.rowStride, layout.block, channels, layout.width)
      }
    }
  }

  /// Reads the interior of a blocked buffer.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  public func unpack(
    _ blocked: UnsafeBufferPointer<Float>, into dense: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    try check(dense.count, blocked.count)
    guard let dense = dense.baseAddress, let blocked = blocked.baseAddress else { return }
    forEachBlock { denseOffset, blockedOffset, channels in
      for row in 0..<layout.height {
        kernels.deinterleave(
          blocked + blockedOffset + row * layout.rowStride, layout.block,
          dense + denseOffset + row * layout.width, layout.height * layout.width, channels, layout.width)
      }
    }
  }

  private func check(_ dense: Int, _ blocked: Int) throws(ConvolutionError) {
    guard dense == layout.denseCount else {
      throw .bufferMismatch(name: "NCHW buffer", expected: layout.denseCount, found: dense)
    }
    guard blocked == layout.count else {
      throw .bufferMismatch(name: "blocked buffer", expected: layout.count, found: blocked)
    }
  }

  /// One task an image and block of channels: the offsets of its first pixel in both forms, and its channels.
  private func forEachBlock(_ body: (_ dense: Int, _ blocked: Int, _ channels: Int) -> Void) {
    let blocks = layout.groups * layout.blocksPerGroup
    let plane = layout.height * layout.width
    pool.run(tasks: layout.batch * blocks) { task, _ in
      let image = task / blocks
      let group = task % blocks / layout.blocksPerGroup
      let first = task % layout.blocksPerGroup * layout.block
      let channel = group * layout.channelsPerGroup + first
      body(
        (image * layout.channels + channel) * plane, layout.offset(image: image, channel: channel),
        min(layout.block, layout.channelsPerGroup - first))
    }
  }
}
