import KernelContracts
import Problems
import Synchronization

/// A prepared matrix multiplication y[m][p] = Σ_c w[m][c]·x[c][p] for each image, m being the pass's output channels.
///
/// A task takes some panels of pixels, of two vectors each, and some tiles of output channels. It multiplies the panels' pixels of
/// some channels with one tile's weights after the other: a tile writes each of its planes from one panel to the next, which
/// spares it most of the pages that it would go to otherwise. The first tile copies the pixels, so that they lie in the order in
/// which the others read them and stay in the L2 cache; those of a stride, and of a panel that the image's end cuts, are copied
/// beforehand.
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
  /// `[part][tile][input channel of the part][output channel of the tile]`: in the order in which it is read.
  private let weights: AlignedBuffer
  /// Input channels whose pixels a task copies at a time.
  private let parts: [Range<Int>]
  /// Output channels that are summed in registers at a time.
  private let tiles: [Range<Int>]
  /// Pieces that a task's panels, and its tiles, are one of.
  private let chunks: (panels: Int, tiles: Int)
  private let workspace: AlignedBuffer
  private let workspaceStride: Int
  private let running = Mutex<Void>(())

  var strategyName: String { "gemm" }
  var weightBytes: Int { weights.bytes }
  var workspaceBytes: Int { workspace.bytes }

  private var outputs: Int { outputLayout.channels }
  private var pixels: Int { outputLayout.height * outputLayout.width }
  private var panelPixels: Int { 2 * kernels.vectorWidth }
  /// Whether all pixels of an image that are read follow one another: backward-data has no stride here.
  private var isOneRow: Bool { pass != .forward || problem.stride == 1 }

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
    let (outputs, depth) = (outputLayout.channels, inputLayout.channels)
    weights = try AlignedBuffer(zeros: outputs * depth, name: "weights")
    tiles = GatherPlan.panels(outputs, atMost: kernels.tilePixels)
    let panelFloats = 2 * kernels.vectorWidth
    // Of an empty batch nothing is run, but it is planned.
    let (images, pixels) = (max(1, inputLayout.batch), max(1, outputLayout.height * outputLayout.width))
    let panels = (pixels + panelFloats - 1) / panelFloats
    // A quarter of the L2 cache, beside weights and outputs. Few channels leave room for more panels, many are cut.
    let cached = min(Machine.current.l2Bytes ?? 1 << 20, 1 << 20) / 4
    let fitting = cached / (4 * panelFloats)
    let most = depth * Self.mostPanels <= fitting ? Self.mostPanels : Self.mostPanels / 2
    parts = GatherPlan.panels(depth, atMost: max(1, fitting / most))
    let cut = TaskCut(
      rows: panels, atMost: most, pairs: tiles.count, whole: images, threads: options.threads,
      weights: Double(images) * Double(outputs * depth),
      // Read, and copied, for each piece of the tiles.
      input: 2 * Double(inputLayout.denseCount), work: Double(images) * Double(outputs * depth) * Double(pixels))
    chunks = (cut.chunks, cut.parts)
    // A task's panels, and the products of one that is finished apart. Whole cache lines, so that no two workers share one.
    let largest = (panels + chunks.panels - 1) / chunks.panels * (parts.map(\.count).max() ?? 0)
    workspaceStride = panelFloats * (largest + outputs)
    workspace = try AlignedBuffer(zeros: options.threads * workspaceStride, name: "gemm workspace")
    try setWeights(values)
  }

  /// Panels of a task at most: a kibibyte of each plane with the widest vectors, or two where the second-level cache is large
  /// (2 to 5 % faster on a Xeon with 2 MiB).
  private static let mostPanels = (Machine.current.l2Bytes ?? 1 << 20) >= 2 << 20 ? 16 : 8

  func setWeights(_ values: UnsafeBufferPointer<Float>) throws(ConvolutionError) {
    guard values.count == problem.weightShape.count, let from = values.baseAddress else {
      throw .bufferMismatch(name: "weights", expected: problem.weightShape.count, found: values.count)
    }
    running.withLock { _ in
      // w is K × C: forward's output channels are its rows, backward-data's its columns.
      let (outputStep, inputStep) = pass == .forward ? (inputLayout.channels, 1) : (1, outputs)
      var target = weights.pointer
      for part in parts {
        for tile in tiles {
          for channel in part {
            for output in tile {
              target.pointee = from[output * outputStep + channel * inputStep]
              target += 1
            }
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
      let count = inputLayout.batch * chunks.panels * chunks.tiles
      pool.run(tasks: count) { task, worker in
        run(operands, place(task), next: pool.task(after: task, of: count).map(place), worker)
      }
    }
  }

  /// What a task computes.
  private struct Place {
    let image: Int
    let panels: Range<Int>
    /// Of ``tiles``.
    let tiles: Range<Int>
  }

  private func place(_ task: Int) -> Place {
    let (image, piece) = task.quotientAndRemainder(dividingBy: chunks.panels * chunks.tiles)
    let (part, chunk) = piece.quotientAndRemainder(dividingBy: chunks.panels)
    let panels = (pixels + panelPixels - 1) / panelPixels
    return Place(
      image: image, panels: panels * chunk / chunks.panels..<panels * (chunk + 1) / chunks.panels,
      tiles: tiles.count * part / chunks.tiles..<tiles.count * (part + 1) / chunks.tiles)
  }

  private func run(_ operands: ConvolutionOperands, _ place: Place, next: Place?, _ worker: Int) {
    // Sums that replace their residual are kept apart until they are whole, one panel at a time.
    if operands.replacesResidual && parts.count > 1 && place.panels.count > 1 {
      for panel in place.panels {
        run(operands, Place(image: place.image, panels: panel..<panel + 1, tiles: place.tiles), next: nil, worker)
      }
      return
    }
    let space = workspace.pointer + worker * workspaceStride
    let copied = panelsCopied(operands, place)
    for (index, part) in parts.enumerated() {
      let panelStride = part.count * panelPixels
      let image = operands.input + place.image * inputLayout.imageStride
      pack(
        image, part, place.panels.lowerBound + copied..<place.panels.upperBound, space + copied * panelStride,
        panelStride: panelStride)
      let source = image + part.lowerBound * inputLayout.planeStride + place.panels.lowerBound * panelPixels
      let isLast = index + 1 == parts.count
      var ahead = pixelsAhead(isLast ? parts[0] : parts[index + 1], isLast ? next : place, operands.input)
      // The tile that copies reads from the image itself; where there are four others they ask for all that is needed next.
      let askingTiles = copied > 0 && place.tiles.count > 4 ? place.tiles.count - 1 : place.tiles.count
      let steps = askingTiles * place.panels.count * part.count
      ahead.interval = interval(steps, pieces: ahead.remaining, depth: part.count)
      var nothing = pixelsAhead(part, nil, operands.input)
      nothing.interval = ahead.interval
      for tile in place.tiles {
        let copies = tile == place.tiles.lowerBound && copied > 0
        let waits = copies && askingTiles < place.tiles.count
        if waits { swap(&ahead, &nothing) }
        multiply(
          operands, place, part, tiles[tile], space, panelStride: panelStride, source: copies ? source : nil, &ahead)
        if waits { swap(&ahead, &nothing) }
      }
    }
  }

  /// How many of a task's panels, the first ones, the first tile copies on its way: those that are whole and one row of the image.
  private func panelsCopied(_ operands: ConvolutionOperands, _ place: Place) -> Int {
    guard isOneRow, !operands.replacesResidual else { return 0 }
    return min(place.panels.upperBound, pixels / panelPixels) - place.panels.lowerBound
  }

  /// The pixels that will be read next. They are asked for while the packed ones are multiplied: channels are a plane apart, too
  /// far for the CPU to foresee, and an image may come from memory. Strided pixels are fewer, and lie in rows of their own.
  private func pixelsAhead(_ channels: Range<Int>, _ place: Place?, _ input: UnsafePointer<Float>) -> RowsAhead {
    guard let place, isOneRow else { return RowsAhead(input, rows: 0, stride: 0, floats: 0) }
    let plane = inputLayout.planeStride
    let first = place.panels.lowerBound * panelPixels
    return RowsAhead(
      input + place.image * inputLayout.imageStride + channels.lowerBound * plane + first, rows: channels.count,
      stride: plane, floats: min(place.panels.upperBound * panelPixels, pixels) - first)
  }

  /// How many of `steps` channels there are from one piece to the next, so that pieces are spread over all of them: the fewer are
  /// on their way at once, the less the multiply-adds wait for their own operands. But a panel's tile asks for a row of its
  /// outputs as often, and for all of them.
  private func interval(_ steps: Int, pieces: Int, depth: Int) -> Int {
    max(Self.leastInterval, min(depth / kernels.tilePixels, steps / max(1, pieces)))
  }

  /// Channels: more often than this the CPU would have more lines on their way than it can.
  private static let leastInterval = 4

  /// Copies some channels of the panels' pixels, `[panel][channel][pixel]`; those past the image's end are left as they are.
  private func pack(
    _ image: UnsafePointer<Float>, _ channels: Range<Int>, _ range: Range<Int>, _ target: UnsafeMutablePointer<Float>,
    panelStride: Int
  ) {
    let source = image + channels.lowerBound * inputLayout.planeStride
    let step = pass == .forward ? problem.stride : 1
    let width = isOneRow ? pixels : outputLayout.width
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

  /// Adds the products of some channels to a tile of output channels of a task's panels, the last channels with the epilogue.
  private func multiply(
    _ operands: ConvolutionOperands, _ place: Place, _ part: Range<Int>, _ tile: Range<Int>,
    _ packed: UnsafeMutablePointer<Float>, panelStride: Int, source: UnsafePointer<Float>?,
    _ ahead: UnsafeMutablePointer<RowsAhead>
  ) {
    let offset =
      place.image * outputLayout.imageStride + tile.lowerBound * outputLayout.planeStride
      + place.panels.lowerBound * panelPixels
    var strip = PanelStrip(
      weights: weights.pointer + part.lowerBound * outputs + tile.lowerBound * part.count, rows: tile.count,
      depth: part.count, panels: packed, panelStride: panelStride, panelCount: place.panels.count,
      source: source, sourceStride: inputLayout.planeStride, vectors: 2,
      target: operands.output + offset, targetStride: outputLayout.planeStride, accumulate: part.lowerBound > 0,
      ahead: ahead)
    let isLast = part.upperBound == inputLayout.channels
    let count = min(place.panels.upperBound * panelPixels, pixels) - place.panels.lowerBound * panelPixels
    // Panels that are whole go straight to the output; what the image's end cuts, and sums that replace their residual, do not.
    let whole = operands.replacesResidual ? 0 : count / panelPixels
    strip.panelCount = whole
    if whole > 0 { kernels.multiplyPanels(&strip) }
    if isLast && epilogue != ConvolutionEpilogue() {
      finish(operands, tile, from: operands.output + offset, outputLayout.planeStride, at: offset, whole * panelPixels)
    }
    let scratch = packed + workspaceStride - outputs * panelPixels
    strip.target = scratch + tile.lowerBound * panelPixels
    strip.targetStride = panelPixels
    strip.panelCount = 1
    strip.source = nil
    for panel in whole..<place.panels.count {
      let left = min(panelPixels, count - panel * panelPixels)
      strip.panels = packed + panel * panelStride
      strip.vectors = left > kernels.vectorWidth ? 2 : 1
      kernels.multiplyPanels(&strip)
      if isLast { finish(operands, tile, from: strip.target, panelPixels, at: offset + panel * panelPixels, left) }
    }
  }

  /// The epilogue of `count` pixels of a tile's channels, from the products to the output, which may be the same.
  private func finish(
    _ operands: ConvolutionOperands, _ tile: Range<Int>, from products: UnsafePointer<Float>, _ productStride: Int,
    at offset: Int, _ count: Int
  ) {
    for (row, channel) in tile.enumerated() {
      epilogue.finish(
        products + row * productStride, operands.output + offset + row * outputLayout.planeStride,
        operands.residual.map { $0 + offset + row * outputLayout.planeStride }, channel: channel, count)
    }
  }
}
