import KernelContracts
import Problems

/// A max pool from one channel-blocked activation to another, planned once. Padding never wins, and a NaN always does.
public struct BlockedMaxPool: Sendable {
  public let inputLayout: BlockedLayout
  public let outputLayout: BlockedLayout
  private let window: PoolingWindow
  private let kernels: KernelTable
  private let pool: ThreadPool

  /// - Parameters:
  ///   - problem: without dilation.
  ///   - inputHalo: of the activation that is read; what it holds does not matter.
  ///   - options: threads, instruction set, and the halo of the activation that is written.
  /// - Throws: ``ConvolutionError``.
  public init(
    _ problem: MaxPool2dProblem, inputHalo: BlockedLayout.Halo, options: ConvolutionOptions
  ) throws(ConvolutionError) {
    guard problem.window.dilation == 1 else {
      throw .unsupported(strategy: "max_pool2d", reason: "dilation \(problem.window.dilation)")
    }
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    window = problem.window
    inputLayout = try BlockedLayout(problem.inputShape, vectorWidth: kernels.vectorWidth, halo: inputHalo)
    outputLayout = try BlockedLayout(problem.outputShape, vectorWidth: kernels.vectorWidth, halo: options.outputHalo)
  }

  /// Writes the output's interior.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` before anything is written.
  public func run(
    input: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    try inputLayout.check(input.count, "input")
    try outputLayout.check(output.count, "output")
    guard let input = input.baseAddress, let output = output.baseAddress else { return }
    forEachPlane { image, block in
      let source = input + inputLayout.offset(image: image, block: block)
      let target = output + outputLayout.offset(image: image, block: block)
      for row in 0..<outputLayout.height {
        let rows = rows(row)
        forEachStrip(
          source + rows.lowerBound * inputLayout.rowStride, rows.count, target + row * outputLayout.rowStride
        ) { strip, _ in kernels.maximaOfWindows(&strip) }
      }
    }
  }

  /// Adds each output's gradient to the gradient of its window's largest element: of the first of equals, of the last NaN.
  /// - Parameters:
  ///   - input: what was pooled.
  ///   - outputGradient: of the output's blocks.
  ///   - gradientLayout: its layout.
  ///   - inputGradient: of the input's blocks.
  ///   - layout: the input gradient's, whose halo stays as it is.
  ///   - accumulates: whether the input's gradient keeps what it holds, instead of starting from zero.
  /// - Throws: ``ConvolutionError`` before anything is written.
  public func runBackward(
    input: UnsafeBufferPointer<Float>, outputGradient: UnsafeBufferPointer<Float>, gradientLayout: BlockedLayout,
    inputGradient: UnsafeMutableBufferPointer<Float>, _ layout: BlockedLayout, accumulates: Bool
  ) throws(ConvolutionError) {
    try inputLayout.check(input.count, "input")
    try gradientLayout.requireBlocks(of: outputLayout, "output gradient")
    try gradientLayout.check(outputGradient.count, "output gradient")
    try layout.requireBlocks(of: inputLayout, "input gradient")
    try layout.check(inputGradient.count, "input gradient")
    guard let input = input.baseAddress, let gradient = outputGradient.baseAddress,
      let target = inputGradient.baseAddress
    else { return }
    forEachPlane { image, block in
      let source = input + inputLayout.offset(image: image, block: block)
      let from = gradient + gradientLayout.offset(image: image, block: block)
      let to = target + layout.offset(image: image, block: block)
      if !accumulates {
        for row in 0..<layout.height {
          (to + row * layout.rowStride).update(repeating: 0, count: layout.width * layout.block)
        }
      }
      for row in 0..<outputLayout.height {
        let rows = rows(row)
        // Only the input's pixels and the outputs' gradient are read through a strip on the way back.
        forEachStrip(
          source + rows.lowerBound * inputLayout.rowStride, rows.count,
          UnsafeMutablePointer(mutating: from + row * gradientLayout.rowStride)
        ) { strip, column in
          let place = to + rows.lowerBound * layout.rowStride + column * layout.block
          kernels.training.spreadMaxima(&strip, place, layout.rowStride)
        }
      }
    }
  }

  private func forEachPlane(_ body: (_ image: Int, _ block: Int) -> Void) {
    let blocks = outputLayout.blocksPerGroup * outputLayout.groups
    pool.run(tasks: outputLayout.batch * blocks) { task, _ in
      let (image, block) = task.quotientAndRemainder(dividingBy: blocks)
      body(image, block)
    }
  }

  /// One row of output pixels: those whose windows end at the left or right border one by one, the others together. With each
  /// strip comes the column of its first window's first pixel.
  private func forEachStrip(
    _ source: UnsafePointer<Float>, _ rows: Int, _ target: UnsafeMutablePointer<Float>,
    _ body: (_ strip: inout PoolStrip, _ column: Int) -> Void
  ) {
    var column = 0
    while column < outputLayout.width {
      let first = columns(column)
      var end = column + 1
      if first.count == window.kernelSize.width {
        while end < outputLayout.width, columns(end).count == first.count { end += 1 }
      }
      var strip = PoolStrip(
        input: source + first.lowerBound * inputLayout.block, rowStride: inputLayout.rowStride,
        pixelStride: window.stride.width * inputLayout.block, rows: rows, columns: first.count,
        output: target + column * outputLayout.block, block: inputLayout.block, pixels: end - column)
      body(&strip, first.lowerBound)
      column = end
    }
  }

  private func rows(_ row: Int) -> Range<Int> {
    span(row, window.stride.height, window.padding.height, window.kernelSize.height, inputLayout.height)
  }

  private func columns(_ column: Int) -> Range<Int> {
    span(column, window.stride.width, window.padding.width, window.kernelSize.width, inputLayout.width)
  }

  /// The window's pixels along one axis that lie in the input: never none.
  private func span(_ index: Int, _ stride: Int, _ padding: Int, _ size: Int, _ extent: Int) -> Range<Int> {
    let first = index * stride - padding
    return max(first, 0)..<min(first + size, extent)
  }
}
