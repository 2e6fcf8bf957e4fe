import KernelContracts
import Problems

/// A backward-weights pass with its layouts, and the order of its sums.
///
/// Sums run over fixed chunks of rows, whatever the number of threads: a chunk is summed in registers, then added to the
/// task's part of the gradient, `[pair of output vectors][block][tap][channel][pair's lanes]`, which is copied to its place
/// while it is in a cache. Threads share out the gradient's tiles, never a sum. Chunks also keep the error from growing
/// with the number of pixels.
struct WeightGradientPlan {
  /// A piece of the gradient that one thread computes alone.
  struct Task {
    var group: Int
    /// Pairs of output vectors.
    var pairs: Range<Int>
    /// Channel blocks of x.
    var blocks: Range<Int>
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
  /// The packed row of each (channel of a block, filter position).
  let packedRows: [Int]

  var pairs: Int { (gather.destinationVectors + 1) / 2 }
  var imageRows: Int { sourceRows.count }
  /// Packed rows of one block.
  var blockRows: Int { packedRows.count }
  /// Floats of scratch that ``unpack(_:_:_:_:_:)`` needs.
  var scratchCount: Int { phase.geometry.taps.count == 1 ? 0 : blockRows * 2 * gather.vectorWidth }

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
    let taps = phase.geometry.taps
    let terms = gather.sourceBlocks * taps.count * source.block
    depth = (terms + vectorWidth - 1) / vectorWidth * vectorWidth
    var packedRows = [Int](repeating: 0, count: taps.count * source.block)
    for (index, tap) in taps.enumerated() {
      for channel in 0..<source.block {
        packedRows[channel * taps.count + tap.r * width + tap.s] = index * source.block + channel
      }
    }
    self.packedRows = packedRows
  }

  /// Rows of a task's packed gradient, whole vectors of them.
  func rows(_ task: Task) -> Int {
    let lanes = gather.vectorWidth
    return (task.blocks.count * blockRows + lanes - 1) / lanes * lanes
  }

  /// Where a pair's rows begin in its task's packed gradient, and the end of the last pair's.
  func offset(_ task: Task, pair: Int) -> Int {
    (min(pair * 2, gather.destinationVectors) - task.pairs.lowerBound * 2) * gather.vectorWidth * rows(task)
  }

  func vectors(_ pair: Int) -> Int { gather.vectors(at: pair * 2) }

  /// Tasks of at most `limit` blocks × 4 pairs whose gradient and chunk fit the L2 cache, and enough of them for all
  /// threads.
  func tasks(limit: Int = 16, threads: Int) -> [Task] {
    let total = gather.sourceBlocks
    let gradientBytes = blockRows * 2 * gather.vectorWidth * 4
    var pairStep = min(pairs, 4)
    var blockStep = max(1, min(total, limit, (384 << 10) / max(1, gradientBytes * pairStep)))
    let wanted = threads == 1 ? 1 : threads * 4
    func count() -> Int {
      gather.groups * ((pairs + pairStep - 1) / pairStep) * ((total + blockStep - 1) / blockStep)
    }
    while count() < wanted, blockStep > 1 { blockStep = (blockStep + 1) / 2 }
    while count() < wanted, pairStep > 1 { pairStep = (pairStep + 1) / 2 }
    var tasks: [Task] = []
    for group in 0..<gather.groups {
      for pair in stride(from: 0, to: pairs, by: pairStep) {
        for block in stride(from: 0, to: total, by: blockStep) {
          tasks.append(
            Task(
              group: group, pairs: pair..<min(pair + pairStep, pairs), blocks: block..<min(block + blockStep, total)))
        }
      }
    }
    return tasks
  }

  /// Copies a task's packed gradient to its place in K×(C/groups)×R×S.
  /// - Parameter scratch: room for ``scratchCount`` floats.
  /// - Returns: whether an element that zeros of a halo may have spoilt is infinite or NaN.
  func unpack(
    _ task: Task, _ packed: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>,
    _ weightGradient: UnsafeMutablePointer<Float>, _ kernels: KernelTable
  ) -> Bool {
    let area = phase.geometry.taps.count
    let stride = gather.sourceChannels * area
    let block = gather.source.block
    let end = min(task.blocks.upperBound * block, gather.sourceChannels)
    var isSpoilt = false
    for pair in task.pairs {
      let lanes = vectors(pair) * gather.vectorWidth
      let first = pair * 2 * gather.vectorWidth
      let outputs = min(lanes, gather.destinationChannels - first)
      let to = weightGradient + (task.group * gather.destinationChannels + first) * stride
      var from = packed + offset(task, pair: pair)
      let begin = task.blocks.lowerBound * block
      if area == 1 {
        kernels.deinterleave(from, lanes, to + begin, stride, outputs, end - begin)
      } else {
        for channel in Swift.stride(from: begin, to: end, by: block) {
          for (position, row) in packedRows.enumerated() {
            (scratch + position * lanes).update(from: from + row * lanes, count: lanes)
          }
          kernels.deinterleave(scratch, lanes, to + channel * area, stride, outputs, min(block, end - channel) * area)
          from += blockRows * lanes
        }
      }
      guard gather.source.halo != .init() else { continue }
      for output in 0..<outputs {
        isSpoilt = hasNonFinite(to + output * stride + begin * area, (end - begin) * area) || isSpoilt
      }
    }
    return isSpoilt
  }

  private func hasNonFinite(_ values: UnsafePointer<Float>, _ count: Int) -> Bool {
    // 0·w is NaN for a w that is infinite or NaN, and every NaN reaches the sum.
    var sums = SIMD16<Float>.zero
    var index = 0
    while index + 16 <= count {
      sums += UnsafeRawPointer(values + index).loadUnaligned(as: SIMD16<Float>.self) * 0
      index += 16
    }
    var sum = sums.sum()
    while index < count {
      sum += values[index] * 0
      index += 1
    }
    return sum != 0
  }
}
