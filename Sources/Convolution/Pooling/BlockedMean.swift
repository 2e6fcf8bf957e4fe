import KernelContracts
import Tensors

/// The mean of each plane of a channel-blocked activation: N×C×1×1, blocked alike.
public struct BlockedMean: Sendable {
  public let inputLayout: BlockedLayout
  public let outputLayout: BlockedLayout
  private let kernels: KernelTable
  private let pool: ThreadPool

  /// - Parameters:
  ///   - inputShape: N×C×H×W, with pixels.
  ///   - inputHalo: of the activation that is read; what it holds does not matter.
  ///   - options: threads, instruction set, and the halo of the activation that is written.
  /// - Throws: ``ConvolutionError``.
  public init(
    _ inputShape: Shape, inputHalo: BlockedLayout.Halo, options: ConvolutionOptions
  ) throws(ConvolutionError) {
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    inputLayout = try BlockedLayout(inputShape, vectorWidth: kernels.vectorWidth, halo: inputHalo)
    outputLayout = try BlockedLayout(
      Shape(inputShape[0], inputShape[1], 1, 1), vectorWidth: kernels.vectorWidth, halo: options.outputHalo)
  }

  /// Writes the output's interior.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` before anything is written.
  public func run(
    input: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    try inputLayout.check(input.count, "input")
    try outputLayout.check(output.count, "output")
    guard let input = input.baseAddress, let output = output.baseAddress else { return }
    let blocks = inputLayout.blocksPerGroup * inputLayout.groups
    let scale = 1 / Float(inputLayout.height * inputLayout.width)
    pool.run(tasks: inputLayout.batch * blocks) { task, _ in
      let (image, block) = task.quotientAndRemainder(dividingBy: blocks)
      var strip = PoolStrip(
        input: input + inputLayout.offset(image: image, block: block), rowStride: inputLayout.rowStride,
        pixelStride: 0, rows: inputLayout.height, columns: inputLayout.width,
        output: output + outputLayout.offset(image: image, block: block), block: inputLayout.block, pixels: 1)
      kernels.sumsOfWindows(&strip, scale)
    }
  }

  /// Gives every pixel of the input's gradient its share of its plane's.
  /// - Parameters:
  ///   - outputGradient: of one pixel a plane.
  ///   - gradientLayout: its layout.
  ///   - inputGradient: of the input's blocks.
  ///   - layout: the input gradient's, whose halo stays as it is.
  ///   - accumulates: whether the input's gradient keeps what it holds, and the share is added.
  /// - Throws: ``ConvolutionError`` before anything is written.
  public func runBackward(
    outputGradient: UnsafeBufferPointer<Float>, gradientLayout: BlockedLayout,
    inputGradient: UnsafeMutableBufferPointer<Float>, _ layout: BlockedLayout, accumulates: Bool
  ) throws(ConvolutionError) {
    try gradientLayout.requireBlocks(of: outputLayout, "output gradient")
    try gradientLayout.check(outputGradient.count, "output gradient")
    try layout.requireBlocks(of: inputLayout, "input gradient")
    try layout.check(inputGradient.count, "input gradient")
    guard let gradient = outputGradient.baseAddress, let target = inputGradient.baseAddress else { return }
    let blocks = layout.blocksPerGroup * layout.groups
    let scale = 1 / Float(layout.height * layout.width)
    pool.run(tasks: layout.batch * blocks) { task, _ in
      let (image, block) = task.quotientAndRemainder(dividingBy: blocks)
      let value = gradient + gradientLayout.offset(image: image, block: block)
      let plane = target + layout.offset(image: image, block: block)
      for row in 0..<layout.height {
        kernels.training.spreadMean(
          value, scale, plane + row * layout.rowStride, layout.block, layout.width, accumulates)
      }
    }
  }
}
