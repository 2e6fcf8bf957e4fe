import KernelContracts
import Problems

/// A direct convolution of few input channels from NCHW to NCHW with pixels in the lanes, as in a network's first layer: the
/// output is written as it is to lie, and nothing is converted but the input, which is small. Its rows are cut into the columns of
/// each remainder modulo the stride, between zeros for the padding, so that a tap's pixels follow one another.
///
/// A task is some rows of an image: its input's rows are cut, and stay in the second-level cache while tile after tile of output
/// channels goes over all of the task's rows. The terms of a sum have the order of ``DirectConvolution``, to the bit.
///
/// `@unchecked Sendable`: weights and workspace change only while the direct convolution lets nobody else run, each worker's part
/// of it by one thread.
final class PlanarDirectConvolution: DenseDirectForm, @unchecked Sendable {
  let inputLayout: BlockedLayout
  let outputLayout: BlockedLayout
  let direct: DirectConvolution
  private let kernels: KernelTable
  private let pool: ThreadPool
  /// Output channels that are summed in registers at a time.
  private let tiles: [Range<Int>]
  /// `[tile][term][output channel of the tile]`.
  private let weights: AlignedBuffer
  /// Where a term's pixels are, behind the cut rows of an output row's first pixel.
  private let offsets: [Int]
  private let rows: CutRows
  /// What a row of a tile is computed in.
  private let spans: [Span]
  private let pieces: [DensePiece]
  private let workspace: AlignedBuffer
  private let workspaceStride: Int

  /// A row of input channels, `[channel][phase][column]`: phase i has the columns that leave `remainders[i]` when they are divided
  /// by the stride, and `left` zeros before them.
  private struct CutRows {
    /// The rows that the taps of an output row begin and end with, in rows of the input.
    var first: Int
    var last: Int
    var step: Pair
    var remainders: [Int]
    var left: Int
    /// Whole cache lines.
    var phaseStride: Int
    var channels: Int
    var rowStride: Int { channels * remainders.count * phaseStride }

    init(_ taps: [GatherGeometry.Tap], _ step: Pair, channels: Int, width: Int) {
      let shifts = taps.map { Self.floor($0.column, step.width).quotient }
      let last = max(0, shifts.max() ?? 0)
      (first, self.last) = (taps.map(\.row).min() ?? 0, taps.map(\.row).max() ?? 0)
      (self.step, self.channels) = (step, channels)
      remainders = Set(taps.map { Self.floor($0.column, step.width).remainder }).sorted()
      left = max(0, -(shifts.min() ?? 0))
      phaseStride = (left + width + last + 15) / 16 * 16
    }

    /// Rounded down, where division of negative numbers rounds up.
    static func floor(_ column: Int, _ step: Int) -> (quotient: Int, remainder: Int) {
      let (quotient, remainder) = column.quotientAndRemainder(dividingBy: step)
      return remainder < 0 ? (quotient - 1, remainder + step) : (quotient, remainder)
    }

    /// Where a tap's pixel of a channel is, behind the first cut row of the same output row.
    func offset(_ tap: GatherGeometry.Tap, channel: Int) -> Int {
      let (shift, remainder) = Self.floor(tap.column, step.width)
      let phase = remainders.firstIndex(of: remainder) ?? 0
      return (tap.row - first) * rowStride + (channel * remainders.count + phase) * phaseStride + left + shift
    }

    /// The rows of the input that some rows of the output read.
    func read(by output: Range<Int>) -> ClosedRange<Int> {
      output.lowerBound * step.height + first...max(output.lowerBound, output.upperBound - 1) * step.height + last
    }
  }

  /// Panels of a row that follow one another.
  private struct Span {
    /// The first pixel.
    var first: Int
    /// Of a panel.
    var vectors: Int
    var panels: Int

    /// Panels of two vectors for rows of at least one. What is left is computed from the row's end backwards: some pixels twice,
    /// with the same result.
    static func covering(_ width: Int, lanes: Int) -> [Span] {
      let (panels, left) = width.quotientAndRemainder(dividingBy: 2 * lanes)
      guard panels > 0 else {
        let first = Span(first: 0, vectors: 1, panels: 1)
        return left > lanes ? [first, Span(first: width - lanes, vectors: 1, panels: 1)] : [first]
      }
      let whole = Span(first: 0, vectors: 2, panels: panels)
      let vectors = (left + lanes - 1) / lanes
      return left > 0 ? [whole, Span(first: width - vectors * lanes, vectors: vectors, panels: 1)] : [whole]
    }
  }

  var weightBytes: Int { direct.weightBytes + weights.bytes }
  var workspaceBytes: Int { workspace.bytes }

  /// - Returns: `nil` for as many channels as a vector has floats or more, for rows of which more than a fifth of the lanes would be
  ///   left empty, and for what has more than one group or a residual.
  init?(
    _ direct: DirectConvolution, _ packed: PackedWeights, _ kernels: KernelTable, _ pool: ThreadPool
  ) throws(ConvolutionError) {
    let plan = direct.plan
    let (lanes, width) = (kernels.vectorWidth, plan.destination.width)
    guard direct.pass == .forward, plan.groups == 1, plan.sourceChannels < lanes, !direct.epilogue.addsResidual,
      let phase = plan.phases.first, width >= lanes, 5 * width >= 4 * ((width + lanes - 1) / lanes * lanes)
    else { return nil }
    self.direct = direct
    self.kernels = kernels
    self.pool = pool
    inputLayout = try BlockedLayout(dense: direct.problem.inputShape)
    outputLayout = try BlockedLayout(dense: direct.problem.outputShape)
    let rows = CutRows(phase.geometry.taps, plan.sourceStep, channels: plan.sourceChannels, width: width)
    var offsets: [Int] = []
    plan.forEachTerm(of: phase) { tap, channel in offsets.append(rows.offset(tap, channel: channel)) }
    (self.rows, self.offsets) = (rows, offsets)
    tiles = GatherPlan.panels(outputLayout.channels, atMost: kernels.tilePixels)
    weights = try AlignedBuffer(zeros: outputLayout.channels * offsets.count, name: "planar weights")
    // A quarter of the cache: the lines on their way to the output need the rest.
    let cached = (Machine.current.l2Bytes ?? 1 << 20) / 4 / MemoryLayout<Float>.stride
    let fitting = (cached / rows.rowStride - (rows.last - rows.first)) / rows.step.height
    spans = Span.covering(width, lanes: lanes)
    let most: Int
    (pieces, most) = DensePiece.cut(
      images: outputLayout.batch, height: outputLayout.height, atMost: fitting, threads: pool.threads)
    workspaceStride = rows.read(by: 0..<most).count * rows.rowStride
    workspace = try AlignedBuffer(zeros: pool.threads * workspaceStride, name: "planar workspace")
    pack(packed)
  }

  func setWeights(_ weights: UnsafeBufferPointer<Float>) throws(ConvolutionError) {
    try direct.setWeights(weights) { pack($0) }
  }

  /// Takes the direct convolution's weights, lane by lane: they have the terms' order already.
  private func pack(_ packed: PackedWeights) {
    guard let phase = plan.phases.first else { return }
    var target = weights.pointer
    for tile in tiles {
      for term in offsets.indices {
        for output in tile {
          let vector = output / (2 * plan.vectorWidth) * 2
          let lane = output - vector * plan.vectorWidth
          target.pointee =
            packed.storage.pointer[
              plan.weightOffset(phase, group: 0, vector: vector) + term * plan.vectors(at: vector) * plan.vectorWidth
                + lane]
          target += 1
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
    direct.alone {
      pool.run(tasks: pieces.count) { index, worker in
        let next = pool.task(after: index, of: pieces.count).map { pieces[$0] }
        run(pieces[index], next: next, operands, workspace.pointer + worker * workspaceStride)
      }
    }
  }

  private func run(
    _ piece: DensePiece, next: DensePiece?, _ operands: ConvolutionOperands, _ space: UnsafeMutablePointer<Float>
  ) {
    cut(operands.input + piece.image * inputLayout.imageStride, rows.read(by: piece.rows), into: space)
    var ahead = pixelsAhead(next, operands.input)
    offsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      var place = weights.pointer
      for tile in tiles {
        let base = operands.output + piece.image * outputLayout.imageStride + tile.lowerBound * outputLayout.planeStride
        for row in piece.rows {
          multiply(
            tile, place, offsets, space + (row - piece.rows.lowerBound) * rows.step.height * rows.rowStride,
            base + row * outputLayout.width, &ahead)
        }
        place += tile.count * self.offsets.count
      }
    }
  }

  /// Computes a row of a tile's output channels.
  private func multiply(
    _ tile: Range<Int>, _ weights: UnsafePointer<Float>, _ offsets: UnsafePointer<Int>,
    _ pixels: UnsafeMutablePointer<Float>, _ target: UnsafeMutablePointer<Float>,
    _ ahead: UnsafeMutablePointer<RowsAhead>
  ) {
    for span in spans {
      var strip = PanelStrip(
        weights: weights, rows: tile.count, depth: self.offsets.count, panels: pixels + span.first, offsets: offsets,
        panelStride: span.vectors * kernels.vectorWidth, panelCount: span.panels, source: nil, sourceStride: 0,
        vectors: span.vectors, target: target + span.first, targetStride: outputLayout.planeStride,
        accumulate: false, ahead: ahead)
      kernels.multiplyPanels(&strip)
    }
    guard epilogue != ConvolutionEpilogue() else { return }
    for (index, channel) in tile.enumerated() {
      let sums = target + index * outputLayout.planeStride
      epilogue.finish(sums, sums, nil, channel: channel, outputLayout.width)
    }
  }

  /// Cuts rows of an image; those outside of it are zero. Zeros beside a row are where they were when the workspace was made.
  private func cut(_ image: UnsafePointer<Float>, _ range: ClosedRange<Int>, into target: UnsafeMutablePointer<Float>) {
    let (height, width) = (inputLayout.height, inputLayout.width)
    let panel = 2 * kernels.vectorWidth
    for row in range {
      let to = target + (row - range.lowerBound) * rows.rowStride
      guard row >= 0, row < height else {
        to.update(repeating: 0, count: rows.rowStride)
        continue
      }
      for channel in 0..<rows.channels {
        let from = image + channel * inputLayout.planeStride + row * width
        for (phase, first) in rows.remainders.enumerated() where first < width {
          let count = min((width - first - 1) / rows.step.width + 1, rows.phaseStride - rows.left)
          // One channel, in panels that follow one another: a row.
          kernels.gatherPixels(
            from + first, 0, rows.step.width,
            to + (channel * rows.remainders.count + phase) * rows.phaseStride + rows.left, panel, 0, 1, count)
        }
      }
    }
  }

  /// The rows of the input that are read next.
  private func pixelsAhead(_ piece: DensePiece?, _ input: UnsafePointer<Float>) -> RowsAhead {
    guard let piece else { return RowsAhead(input, rows: 0, stride: 0, floats: 0) }
    let read = rows.read(by: piece.rows)
    let (first, last) = (max(0, read.lowerBound), min(inputLayout.height - 1, read.upperBound))
    return RowsAhead(
      input + piece.image * inputLayout.imageStride + first * inputLayout.width, rows: rows.channels,
      stride: inputLayout.planeStride, floats: max(0, last - first + 1) * inputLayout.width)
  }
}
