import KernelContracts
import Problems

/// A backward-weights pass with its layouts, and the order of its sums.
///
/// Sums run over fixed chunks of rows, whatever the number of threads: a chunk is summed in registers, then added to the
/// gradient in memory, `[group][pair of output vectors][block][tap][channel][pair's lanes]`. Threads share out the
/// gradient's tiles, never a sum. Chunks also keep the error from growing with the number of pixels.
struct WeightGradientPlan {
  /// A piece of the gradient that one thread computes alone.
  struct Task {
    var group: Int
    /// Pairs of output vectors.
    var pairs: Range<Int>
    /// Channel blocks of x; for im2col, vectors of the patch matrix.
    var rows: Range<Int>
  }

  let gather: GatherPlan
  let phase: GatherPlan.Phase
  /// The rows that are summed over: those of the output, or, where a small image's rows follow one another without a
  /// gap in both operands, whole images as one row each.
  let sourceRows: [Int]
  let gradientRows: [Int]
  let columns: Int
  /// Rows of all images in a chunk.
  let chunkRows: Int
  /// Channels that follow one another in memory at each pixel, for every filter row or every tap.
  let runs: [(offset: Int, channels: Int)]
  /// Rows of the gradient matrix of one vector of output channels, rounded up to whole vectors.
  let depth: Int

  var pairs: Int { (gather.destinationVectors + 1) / 2 }
  var imageRows: Int { sourceRows.count }
  var gradientCount: Int { gather.groups * gather.destinationVectors * gather.vectorWidth * depth }

  init(
    _ problem: Conv2dProblem, vectorWidth: Int, options: ConvolutionOptions, mergingRows: Bool = false
  ) throws(ConvolutionError) {
    gather = try GatherPlan(problem, .forward, vectorWidth: vectorWidth, options: options)
    // A validated problem has at least one output pixel, so that there is a phase.
    let phase = gather.phases[0]
    self.phase = phase
    let source = gather.source
    let rows = phase.geometry.rows
    let columns = phase.geometry.columns
    let isGapless =
      mergingRows && rows * columns <= 1024
      && gather.sourceStep.height * source.rowStride == columns * gather.sourceStep.width * source.block
      && gather.destination.rowStride == columns * gather.destination.block
    sourceRows =
      isGapless ? stride(from: 0, to: phase.sourceRows.count, by: rows).map { phase.sourceRows[$0] } : phase.sourceRows
    gradientRows =
      isGapless
      ? stride(from: 0, to: phase.sourceRows.count, by: rows).map { phase.destinationRows[$0] } : phase.destinationRows
    self.columns = isGapless ? rows * columns : columns
    chunkRows = max(1, 256 / self.columns)
    let width = problem.kernelSize.width
    if problem.dilation.width == 1 {
      runs = stride(from: 0, to: phase.geometry.taps.count, by: width).map {
        let tap = phase.geometry.taps[$0]
        return (tap.row * source.rowStride + tap.column * source.block, width * source.block)
      }
    } else {
      runs = phase.geometry.taps.map { ($0.row * source.rowStride + $0.column * source.block, source.block) }
    }
    let terms = gather.sourceBlocks * phase.geometry.taps.count * source.block
    depth = (terms + vectorWidth - 1) / vectorWidth * vectorWidth
  }

  /// Where a pair's rows begin in the packed gradient.
  func offset(group: Int, pair: Int) -> Int {
    (group * gather.destinationVectors + pair * 2) * gather.vectorWidth * depth
  }

  func vectors(_ pair: Int) -> Int { gather.vectors(at: pair * 2) }

  /// Tasks of at most `rows` × 4 pairs whose gradient and chunk fit the L2 cache, and enough of them for all threads.
  func tasks(rows total: Int, gradientBytes: Int, threads: Int) -> [Task] {
    var pairStep = min(pairs, 4)
    var rowStep = max(1, min(total, 16, (384 << 10) / max(1, gradientBytes * pairStep)))
    let wanted = threads == 1 ? 1 : threads * 4
    func count() -> Int {
      gather.groups * ((pairs + pairStep - 1) / pairStep) * ((total + rowStep - 1) / rowStep)
    }
    while count() < wanted, rowStep > 1 { rowStep = (rowStep + 1) / 2 }
    while count() < wanted, pairStep > 1 { pairStep = (pairStep + 1) / 2 }
    var tasks: [Task] = []
    for group in 0..<gather.groups {
      for pair in stride(from: 0, to: pairs, by: pairStep) {
        for row in stride(from: 0, to: total, by: rowStep) {
          tasks.append(
            Task(
              group: group, pairs: pair..<min(pair + pairStep, pairs), rows: row..<min(row + rowStep, total)))
        }
      }
    }
    return tasks
  }

  /// Copies the packed gradient to K×(C/groups)×R×S.
  func unpack(
    _ packed: UnsafePointer<Float>, _ weightGradient: UnsafeMutablePointer<Float>, _ kernels: KernelTable,
    _ pool: ThreadPool
  ) {
    let area = gather.problem.kernelSize.height * gather.problem.kernelSize.width
    pool.run(tasks: gather.groups * pairs) { task, _ in
      let (group, pair) = task.quotientAndRemainder(dividingBy: pairs)
      let lanes = vectors(pair) * gather.vectorWidth
      let first = pair * 2 * gather.vectorWidth
      let outputs = min(lanes, gather.destinationChannels - first)
      let from = packed + offset(group: group, pair: pair)
      let to = weightGradient + (group * gather.destinationChannels + first) * gather.sourceChannels * area
      if area == 1 {
        kernels.deinterleave(from, lanes, to, gather.sourceChannels, outputs, gather.sourceChannels)
      } else {
        unpackPair(from, to, lanes: lanes, outputs: outputs)
      }
    }
  }

  private func unpackPair(
    _ packed: UnsafePointer<Float>, _ weightGradient: UnsafeMutablePointer<Float>, lanes: Int, outputs: Int
  ) {
    let block = gather.source.block
    let width = gather.problem.kernelSize.width
    let area = gather.problem.kernelSize.height * width
    let outputStride = gather.sourceChannels * area
    let positions = phase.geometry.taps.map { $0.r * width + $0.s }
    for channel in 0..<gather.sourceChannels {
      let (blockIndex, within) = channel.quotientAndRemainder(dividingBy: block)
      var from = packed + (blockIndex * positions.count * block + within) * lanes
      for position in positions {
        let to = weightGradient + channel * area + position
        for lane in 0..<outputs { to[lane * outputStride] = from[lane] }
        from += block * lanes
      }
    }
  }
}
