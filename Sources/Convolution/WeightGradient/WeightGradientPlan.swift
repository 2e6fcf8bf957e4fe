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
  /// Output pixels of a chunk: a pair of vectors of each stays in the first-level cache, beside the cache lines of a block of
  /// the input, of which there are twice as many where pixels are skipped.
  private static func chunkPixels(_ gather: GatherPlan) -> Int {
    gather.sourceStep.width * gather.source.block > gather.vectorWidth ? 128 : 256
  }
  /// The rows that are summed over: those of the output, or, where an image's rows follow one another without a gap in both
  /// operands, longer ones.
  let sourceRows: [Int]
  let gradientRows: [Int]
  let columns: Int
  /// Rows of all images in a chunk.
  let chunkRows: Int
  /// Where each packed row of a block of channels, a filter position of a channel, is relative to a pixel.
  let blockTerms: [Int]
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
    _ problem: Conv2dProblem, _ kernels: KernelTable, options: ConvolutionOptions, mergingRows: Bool = false
  ) throws(ConvolutionError) {
    gather = try GatherPlan(problem, .forward, kernels, options: options)
    // A validated problem has at least one output pixel, so that there is a phase.
    let phase = gather.phases[0]
    self.phase = phase
    let source = gather.source
    let rows = phase.geometry.rows
    let columns = phase.geometry.columns
    let isGapless =
      mergingRows && gather.sourceStep.height * source.rowStride == columns * gather.sourceStep.width * source.block
      && gather.destination.rowStride == columns * gather.destination.block
    // The longest rows that divide an image and are no longer than a chunk.
    let area = rows * columns
    let chunkPixels = Self.chunkPixels(gather)
    let width = isGapless ? (1...chunkPixels).last { area % $0 == 0 } ?? columns : columns
    let pieces = area / max(1, width)
    func rowOffsets(_ offsets: [Int], pixelStride: Int) -> [Int] {
      guard isGapless else { return offsets }
      return stride(from: 0, to: offsets.count, by: rows).flatMap { row in
        (0..<pieces).map { offsets[row] + $0 * width * pixelStride }
      }
    }
    sourceRows = rowOffsets(phase.sourceRows, pixelStride: gather.sourceStep.width * source.block)
    gradientRows = rowOffsets(phase.destinationRows, pixelStride: gather.destination.block)
    self.columns = width
    chunkRows = max(1, chunkPixels / width)
    let taps = phase.geometry.taps
    let terms = gather.sourceBlocks * taps.count * source.block
    depth = (terms + kernels.vectorWidth - 1) / kernels.vectorWidth * kernels.vectorWidth
    var packedRows = [Int](repeating: 0, count: taps.count * source.block)
    for (index, tap) in taps.enumerated() {
      for channel in 0..<source.block {
        packedRows[channel * taps.count + tap.r * problem.kernelSize.width + tap.s] = index * source.block + channel
      }
    }
    self.packedRows = packedRows
    blockTerms = taps.flatMap { tap in
      (0..<source.block).map { tap.row * source.rowStride + tap.column * source.block + $0 }
    }
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

  /// Tasks of as many blocks as keep a chunk of their input in a quarter of the L2 cache, × all pairs, so that the input is
  /// read once, unless their gradient grows too large for a cache; and enough of them for all threads.
  func tasks(limit: Int = .max, threads: Int) -> [Task] {
    let total = gather.sourceBlocks
    let gradientBytes = blockRows * 2 * gather.vectorWidth * 4
    let chunkRows = min(self.chunkRows * columns / max(1, phase.geometry.columns) + 1, phase.geometry.rows)
    let rowsEach = min(gather.sourceStep.height, Set(phase.geometry.taps.map(\.row)).count)
    let inputBytes = chunkRows * rowsEach * gather.source.rowStride * 4
    let cachedBytes = (Machine.current.l2Bytes ?? 1 << 20) / 4
    var pairStep = max(1, min(pairs, (1 << 20) / gradientBytes))
    var blockStep = max(1, min(total, limit, cachedBytes / max(1, inputBytes), (1 << 20) / (gradientBytes * pairStep)))
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
  func unpack(
    _ task: Task, _ packed: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>,
    _ weightGradient: UnsafeMutablePointer<Float>, _ kernels: KernelTable
  ) {
    let area = phase.geometry.taps.count
    let stride = gather.sourceChannels * area
    let block = gather.source.block
    let end = min(task.blocks.upperBound * block, gather.sourceChannels)
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
    }
  }
}
