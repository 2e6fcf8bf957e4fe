import KernelContracts
import Problems

/// A direct convolution from NCHW to NCHW, piece by piece: some rows of an image are converted, convolved with all filters and
/// converted back while they are in the second-level cache. Whole converted tensors would go to memory and come back.
///
/// The pieces are copied to where they would lie in the plan's layouts but for their first row: every offset of the plan holds,
/// and the sums are those of ``DirectConvolution``, to the bit.
///
/// `@unchecked Sendable`: the workspace changes only while the direct convolution lets nobody else run, each worker's part of it
/// by one thread.
final class DenseDirectConvolution: DenseDirectForm, @unchecked Sendable {
  let inputLayout: BlockedLayout
  let outputLayout: BlockedLayout
  let direct: DirectConvolution
  private let kernels: KernelTable
  private let pool: ThreadPool
  private let pieces: [DensePiece]
  /// The rows that the taps of an output row begin and end with, in rows of the source without its halo.
  private let firstTap: Int
  private let lastTap: Int
  /// For each worker a piece's input, and then its output.
  private let workspace: AlignedBuffer
  private let inputFloats: Int
  private let workspaceStride: Int

  var weightBytes: Int { direct.weightBytes }
  var workspaceBytes: Int { workspace.bytes }

  /// - Returns: `nil` where weights would pass through the cache for each piece, and for what has more than one group, a halo
  ///   around its output, a residual, or several phases.
  init?(_ direct: DirectConvolution, _ kernels: KernelTable, _ pool: ThreadPool) throws(ConvolutionError) {
    let plan = direct.plan
    guard direct.pass == .forward, plan.groups == 1, plan.phases.count == 1, plan.destination.halo == .init(),
      !direct.epilogue.addsResidual, !direct.comesFromAfar, let phase = plan.phases.first?.geometry,
      let first = phase.taps.first?.row, let last = phase.taps.last?.row
    else { return nil }
    self.direct = direct
    self.kernels = kernels
    self.pool = pool
    (firstTap, lastTap) = (first, last)
    inputLayout = try BlockedLayout(dense: direct.problem.inputShape)
    outputLayout = try BlockedLayout(dense: direct.problem.outputShape)
    let (source, destination) = (plan.source, plan.destination)
    // A quarter of the cache each: the weights and the lines on their way need the rest.
    let cached = (Machine.current.l2Bytes ?? 1 << 20) / 4 / MemoryLayout<Float>.stride
    let inputRow = max(1, plan.sourceBlocks * source.rowStride)
    let outputRow = max(1, plan.destinationVectors * destination.rowStride)
    let fitting = min((cached / inputRow - (last - first)) / plan.sourceStep.height, cached / outputRow)
    let most: Int
    (pieces, most) = DensePiece.cut(
      images: source.batch, height: phase.rows, atMost: fitting, threads: pool.threads)
    let inputRows = (most - 1) * plan.sourceStep.height + last - first + 1
    // Whole cache lines, so that no two workers share one.
    inputFloats = ((plan.sourceBlocks - 1) * source.planeStride + inputRows * source.rowStride + 15) / 16 * 16
    let outputFloats = (plan.destinationVectors - 1) * destination.planeStride + most * destination.rowStride
    workspaceStride = inputFloats + (outputFloats + 15) / 16 * 16
    workspace = try AlignedBuffer(zeros: pool.threads * workspaceStride, name: "direct workspace")
  }

  func setWeights(_ weights: UnsafeBufferPointer<Float>) throws(ConvolutionError) { try direct.setWeights(weights) }

  func run(
    input: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>,
    residual: UnsafeBufferPointer<Float>?
  ) throws(ConvolutionError) {
    guard let operands = try ConvolutionOperands(inputLayout, outputLayout, epilogue, input, output, residual) else {
      return
    }
    direct.alone {
      pool.run(tasks: pieces.count) { index, worker in
        let space = workspace.pointer + worker * workspaceStride
        run(pieces[index], operands, space, space + inputFloats)
      }
    }
  }

  private func run(
    _ piece: DensePiece, _ operands: ConvolutionOperands, _ input: UnsafeMutablePointer<Float>,
    _ output: UnsafeMutablePointer<Float>
  ) {
    guard !piece.rows.isEmpty, outputLayout.width > 0 else { return }
    let (source, destination) = (plan.source, plan.destination)
    let first = piece.rows.lowerBound * plan.sourceStep.height + firstTap
    let last = (piece.rows.upperBound - 1) * plan.sourceStep.height + lastTap
    pack(operands.input, piece.image, first...last, into: input)
    direct.run(
      piece.image, piece.rows,
      ConvolutionOperands(
        input: input - (piece.image * source.imageStride + (source.halo.top + first) * source.rowStride),
        output: output - (piece.image * destination.imageStride + piece.rows.lowerBound * destination.rowStride)))
    let plane = outputLayout.planeStride
    for vector in 0..<plan.destinationVectors {
      let channel = vector * destination.block
      kernels.deinterleave(
        output + vector * destination.planeStride, destination.block,
        operands.output + piece.image * outputLayout.imageStride + channel * plane
          + piece.rows.lowerBound * outputLayout.width, plane,
        min(destination.block, outputLayout.channels - channel), piece.rows.count * outputLayout.width)
    }
  }

  /// Converts rows of all channels of an image; those outside of it are zero.
  private func pack(
    _ dense: UnsafePointer<Float>, _ image: Int, _ rows: ClosedRange<Int>, into target: UnsafeMutablePointer<Float>
  ) {
    let source = plan.source
    let plane = inputLayout.planeStride
    let last = min(rows.upperBound, source.height - 1)
    for block in 0..<plan.sourceBlocks {
      let channel = block * source.block
      let channels = min(source.block, inputLayout.channels - channel)
      let from = dense + image * inputLayout.imageStride + channel * plane
      let to = target + block * source.planeStride
      for row in rows {
        let place = to + (row - rows.lowerBound) * source.rowStride
        guard row >= 0, row < source.height else {
          place.update(repeating: 0, count: source.rowStride)
          continue
        }
        // Planes are too far apart for the CPU to foresee the next one's row.
        let later = row + Self.rowsAhead
        if later <= last { kernels.fetchRows(from + later * source.width, plane, channels, source.width) }
        kernels.interleave(
          from + row * source.width, plane, place + source.halo.left * source.block, source.block, channels,
          source.width)
      }
    }
  }

  /// How many rows before it is read one is asked for.
  private static let rowsAhead = 2
}
