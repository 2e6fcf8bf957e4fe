import KernelContracts
import Problems
import Synchronization

/// A prepared matrix multiplication y[m][p] = Σ_c w[m][c]·x[c][p] for each image, m being the pass's output channels.
///
/// A task takes some panels of pixels, of two vectors each: it copies a panel's pixels for some channels, so that they stay in
/// the first-level cache and their rows do not fall on the same sets, and multiplies them with rows of the weights.
///
/// `@unchecked Sendable`: weights and workspace change only under `running`, each worker's part of it by one thread.
final class GemmConvolution: PreparedConvolution, @unchecked Sendable {
  let problem: Conv2dProblem
  let pass: ConvolutionPass
  let epilogue: ConvolutionEpilogue
  let inputLayout: BlockedLayout
  let outputLayout: BlockedLayout
  private let kernels: KernelTable
  private let pool: ThreadPool
  /// `[part][tile][input channel of the part][output channel of the tile]`, the last tile filled up with zeros: in the order in
  /// which it is read.
  private let weights: AlignedBuffer
  private let parts: [Part]
  /// The offset of the only row of operands.
  private let oneRow = [0]
  private let workspace: AlignedBuffer
  private let workspaceStride: Int
  private let running = Mutex<Void>(())

  var strategyName: String { "gemm" }
  var weightBytes: Int { weights.bytes }
  var workspaceBytes: Int { workspace.bytes }

  /// Input channels whose pixels of a panel stay in the first-level cache.
  private struct Part {
    var channels: Range<Int>
    /// Where its weights begin, and each output channel of a block in them.
    var weights: Int
    var rows: [Int]
  }

  private var outputs: Int { outputLayout.channels }
  private var pixels: Int { outputLayout.height * outputLayout.width }
  private var panelPixels: Int { 2 * kernels.vectorWidth }
  private var panels: Int { (pixels + panelPixels - 1) / panelPixels }

  /// Panels of a task: their pixels, some lines of every channel, stay in the L2 cache beside a block of weights.
  private static let taskPanels = 8
  /// Tiles of weights that are multiplied with all panels before the next ones.
  private static let blockTiles = 22

  init(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, weights values: UnsafeBufferPointer<Float>,
    epilogue: ConvolutionEpilogue, options: ConvolutionOptions
  ) throws(ConvolutionError) {
    self.problem = problem
    self.pass = pass
    self.epilogue = epilogue
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    let x = try BlockedLayout(dense: problem.inputShape)
    let y = try BlockedLayout(dense: problem.outputShape)
    (inputLayout, outputLayout) = pass == .forward ? (x, y) : (y, x)
    for (name, values) in [("scale", epilogue.scale), ("shift", epilogue.shift)] {
      guard let values, values.count != outputLayout.channels else { continue }
      throw .bufferMismatch(name: "epilogue \(name)", expected: outputLayout.channels, found: values.count)
    }
    let tile = kernels.tilePixels
    let depth = inputLayout.channels
    let height = (outputLayout.channels + tile - 1) / tile * tile
    weights = try AlignedBuffer(zeros: height * depth, name: "weights")
    // Half of the smallest first-level cache holds a panel.
    let deepest = (16 << 10) / (2 * kernels.vectorWidth * 4)
    let blockRows = min(Self.blockTiles * tile, outputLayout.channels)
    parts = GatherPlan.panels(depth, atMost: deepest).map { channels in
      Part(
        channels: channels, weights: channels.lowerBound * height,
        rows: (0..<blockRows).map { $0 / tile * tile * channels.count + $0 % tile })
    }
    // A task's panels, and the products of one that the image's end cuts.
    let panelFloats = 2 * kernels.vectorWidth
    // Whole cache lines, so that no two workers share one.
    workspaceStride = panelFloats * (Self.taskPanels * min(depth, deepest) + outputLayout.channels)
    workspace = try AlignedBuffer(zeros: options.threads * workspaceStride, name: "gemm workspace")
    try setWeights(values)
  }

  func setWeights(_ values: UnsafeBufferPointer<Float>) throws(ConvolutionError) {
    guard values.count == problem.weightShape.count, let from = values.baseAddress else {
      throw .bufferMismatch(name: "weights", expected: problem.weightShape.count, found: values.count)
    }
    running.withLock { _ in
      // w is K × C: forward's output channels are its rows, backward-data's its columns.
      let (outputStep, inputStep) = pass == .forward ? (inputLayout.channels, 1) : (1, outputs)
      let tile = kernels.tilePixels
      for part in parts {
        for output in 0..<outputs {
          let target = weights.pointer + part.weights + output / tile * tile * part.channels.count + output % tile
          for (index, channel) in part.channels.enumerated() {
            target[index * tile] = from[output * outputStep + channel * inputStep]
          }
        }
      }
    }
  }

  func run(
    input: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>,
    residual: UnsafeBufferPointer<Float>?
  ) throws(ConvolutionError) {
    guard let operands = try ConvolutionOperands(inputLayout, outputLayout, epilogue, input, output, residual) else {
      return
    }
    running.withLock { _ in
      // Enough tasks for every thread to end at about the same time.
      let wanted = pool.threads == 1 ? 1 : 4 * pool.threads
      let most = max(1, inputLayout.batch * panels / wanted)
      // Sums that replace their residual are kept apart until they are whole, one panel at a time.
      let each = operands.replacesResidual ? 1 : min(Self.taskPanels, most)
      let parts = (panels + each - 1) / each
      pool.run(tasks: inputLayout.batch * parts) { task, worker in
        func place(_ task: Int) -> Place {
          let (image, part) = task.quotientAndRemainder(dividingBy: parts)
          return Place(image: image, panels: panels * part / parts..<panels * (part + 1) / parts)
        }
        // With several threads nobody knows whose the next task will be; in turns it would be this one.
        let next = task + pool.threads
        run(operands, place(task), next: next < inputLayout.batch * parts ? place(next) : nil, worker)
      }
    }
  }

  /// What a task computes.
  private struct Place {
    let image: Int
    let panels: Range<Int>
  }

  private func run(_ operands: ConvolutionOperands, _ place: Place, next: Place?, _ worker: Int) {
    let space = workspace.pointer + worker * workspaceStride
    let (image, range) = (place.image, place.panels)
    let rows = Self.blockTiles * kernels.tilePixels
    for (index, part) in parts.enumerated() {
      let panelCount = part.channels.count * panelPixels
      pack(operands.input + image * inputLayout.imageStride, part.channels, range, space, panelStride: panelCount)
      let isLast = index + 1 == parts.count
      var ahead = PixelsAhead(
        isLast ? parts[0].channels : parts[index + 1].channels, isLast ? next : place,
        calls: (outputs + rows - 1) / rows * range.count)
      for first in stride(from: 0, to: outputs, by: rows) {
        let block = first..<min(first + rows, outputs)
        for panel in range {
          fetch(&ahead, operands.input)
          multiply(
            operands, image, part, panel, block, space + (panel - range.lowerBound) * panelCount,
            space + workspaceStride - outputs * panelPixels)
        }
      }
    }
  }

  /// The pixels that will be packed next, which are asked for a few channels a call while the packed ones are multiplied: channels
  /// are a plane apart, too far for the CPU to foresee, and an image may come from memory.
  private struct PixelsAhead {
    private let channels: Range<Int>
    let place: Place?
    private let calls: Int
    private var call = 0

    init(_ channels: Range<Int>, _ place: Place?, calls: Int) {
      self.channels = channels
      self.place = place
      self.calls = calls
    }

    /// The channels of the next call.
    mutating func take() -> Range<Int> {
      let first = channels.lowerBound
      defer { call += 1 }
      return first + channels.count * call / calls..<first + channels.count * (call + 1) / calls
    }
  }

  private func fetch(_ ahead: inout PixelsAhead, _ input: UnsafePointer<Float>) {
    // Strided pixels are fewer, and lie in rows of their own.
    guard let place = ahead.place, pass != .forward || problem.stride == 1 else { return }
    let channels = ahead.take()
    let first = place.panels.lowerBound * panelPixels
    kernels.fetchRows(
      input + place.image * inputLayout.imageStride + channels.lowerBound * inputLayout.planeStride + first,
      inputLayout.planeStride, channels.count, min(place.panels.upperBound * panelPixels, pixels) - first)
  }

  /// Copies some channels of the panels' pixels, `[panel][channel][pixel]`; those past the image's end are left as they are.
  private func pack(
    _ image: UnsafePointer<Float>, _ channels: Range<Int>, _ range: Range<Int>, _ target: UnsafeMutablePointer<Float>,
    panelStride: Int
  ) {
    let source = image + channels.lowerBound * inputLayout.planeStride
    let step = pass == .forward ? problem.stride : 1
    // Without a stride all pixels of an image are one row.
    let width = step == 1 ? pixels : outputLayout.width
    var pixel = range.lowerBound * panelPixels
    let end = min(range.upperBound * panelPixels, pixels)
    while pixel < end {
      let (row, column) = pixel.quotientAndRemainder(dividingBy: width)
      let count = min(end - pixel, width - column)
      kernels.gatherPixels(
        source + row * step.height * inputLayout.rowStride + column * step.width, inputLayout.planeStride, step.width,
        target, panelStride, pixel - range.lowerBound * panelPixels, channels.count, count)
      pixel += count
    }
  }

  /// Adds the products of some channels to a block of output channels of a panel, the last channels with the epilogue.
  private func multiply(
    _ operands: ConvolutionOperands, _ image: Int, _ part: Part, _ panel: Int, _ block: Range<Int>,
    _ packed: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let offset = image * outputLayout.imageStride + block.lowerBound * outputLayout.planeStride + panel * panelPixels
    let count = min(panelPixels, pixels - panel * panelPixels)
    let isWhole = count == panelPixels && !operands.replacesResidual
    let products = isWhole ? operands.output + offset : scratch + block.lowerBound * panelPixels
    let productStride = isWhole ? outputLayout.planeStride : panelPixels
    oneRow.withUnsafeBufferPointer { zero in
      part.rows.withUnsafeBufferPointer { rows in
        guard let zero = zero.baseAddress, let rows = rows.baseAddress else { return }
        var strip = GradientStrip(
          input: weights.pointer + part.weights + block.lowerBound * part.channels.count,
          inputRows: zero, inputPixelStride: kernels.tilePixels, terms: rows, termCount: block.count, gradient: packed,
          gradientRows: zero, gradientPixelStride: panelPixels,
          gradientVectorStride: kernels.vectorWidth, rowCount: 1, width: part.channels.count, vectors: 2,
          lanes: kernels.vectorWidth, target: products, targetStride: productStride,
          accumulate: part.channels.lowerBound > 0)
        kernels.accumulateGradient(&strip)
      }
    }
    guard part.channels.upperBound == inputLayout.channels, !isWhole || epilogue != ConvolutionEpilogue() else {
      return
    }
    for channel in block {
      let row = (channel - block.lowerBound)
      finish(
        products + row * productStride, operands.output + offset + row * outputLayout.planeStride,
        operands.residual.map { $0 + offset + row * outputLayout.planeStride }, channel, count)
    }
  }

  /// The epilogue of `count` pixels of a channel, from the products to the output, which may be the same.
  private func finish(
    _ products: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ residual: UnsafePointer<Float>?,
    _ channel: Int, _ count: Int
  ) {
    let scale = epilogue.scale?[channel]
    let shift = epilogue.shift?[channel]
    for pixel in 0..<count {
      var y = products[pixel]
      if let scale { y *= scale }
      if let shift { y += shift }
      if let residual { y += residual[pixel] }
      target[pixel] = epilogue.relu && y < 0 ? 0 : y
    }
  }
}
