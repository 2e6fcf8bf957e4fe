import KernelContracts
import Problems
import Synchronization

/// A prepared Winograd weight gradient, dW = Gᵀ[Σ (A dy Aᵀ) ∘ (Bᵀ x B)]G with the sum over the tiles of all images: tiles of x
/// and of dy are transformed, multiplied point by point, and only the sums are transformed back.
///
/// Every sum over tiles is one chain of FMAs in the order of the tiles, whatever block or thread it falls to, so the bits do
/// not depend on the number of threads.
///
/// `@unchecked Sendable`: the workspace changes only under `running`.
final class WinogradWeightGradient: PreparedWeightGradient, @unchecked Sendable {
  let plan: WinogradPlan
  let blocking: WinogradGradientBlocking
  let strategyName: String
  private let kernels: KernelTable
  private let pool: ThreadPool
  private let inputSpace: AlignedBuffer
  private let gradientSpace: AlignedBuffer
  private let sums: AlignedBuffer
  /// The offset of the only row of operands.
  private let oneRow = [0]
  private let scratch: AlignedBuffer
  /// Blocks of source channels in a panel of sums.
  private let panelBlocks: Int
  /// Floats of a panel of sums, `[point][source channel][pair's lanes]`.
  private let panelCount: Int
  /// Where each channel of a panel is in a transformed tile.
  private let terms: [Int]
  /// Whether an element of the result is not finite. The pool's tasks have ended when it is read.
  private let hasNonFinite = Atomic(false)
  private let running = Mutex<Void>(())

  var problem: Conv2dProblem { plan.problem }
  var inputLayout: BlockedLayout { plan.source }
  var outputGradientLayout: BlockedLayout { plan.destination }
  var workspaceBytes: Int { inputSpace.bytes + gradientSpace.bytes + sums.bytes + scratch.bytes }

  init(
    _ name: String, _ plan: WinogradPlan, options: ConvolutionOptions, blocking chosen: WinogradGradientBlocking? = nil
  ) throws(ConvolutionError) {
    strategyName = name
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    self.plan = plan
    blocking = chosen ?? WinogradGradientBlocking(plan)
    inputSpace = try AlignedBuffer(
      zeros: blocking.tilesCount(plan, blocks: plan.sourceBlocks), name: "transformed tiles")
    gradientSpace = try AlignedBuffer(
      zeros: blocking.tilesCount(plan, blocks: plan.destinationVectors), name: "transformed gradient tiles")
    panelBlocks = blocking.keepsSums ? plan.sourceBlocks : min(plan.sourceBlocks, Self.evenBlocks(kernels))
    let blockStride = TransformedTiles.blockStride(capacity: blocking.blockTiles, vectorWidth: plan.vectorWidth)
    let width = plan.vectorWidth
    terms = (0..<panelBlocks * width).map { $0 / width * blockStride + $0 % width }
    let panels = blocking.keepsSums ? plan.pairs : options.threads
    let perPanel = plan.points * 2 * plan.vectorWidth
    let (panelCount, tooLarge) = perPanel.multipliedReportingOverflow(by: panelBlocks * plan.vectorWidth)
    let (count, overflow) = panels.multipliedReportingOverflow(by: panelCount)
    guard !tooLarge, !overflow else { throw .outOfMemory(name: "sums of products", bytes: nil) }
    self.panelCount = panelCount
    sums = try AlignedBuffer(zeros: count, name: "sums of products")
    scratch = try AlignedBuffer(
      zeros: options.threads * WinogradTiles.scratchCount(plan.outputTile, plan.vectorWidth), name: "lines")
  }

  /// The fewest blocks of channels whose channels fill whole register tiles.
  private static func evenBlocks(_ kernels: KernelTable) -> Int {
    (1...kernels.tilePixels).first { $0 * kernels.vectorWidth % kernels.tilePixels == 0 } ?? 1
  }

  func run(
    input: UnsafeBufferPointer<Float>, outputGradient: UnsafeBufferPointer<Float>,
    weightGradient: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    guard input.count == plan.source.count else {
      throw .bufferMismatch(name: "input", expected: plan.source.count, found: input.count)
    }
    guard outputGradient.count == plan.destination.count else {
      throw .bufferMismatch(
        name: "output gradient", expected: plan.destination.count, found: outputGradient.count)
    }
    guard weightGradient.count == plan.problem.weightShape.count, let target = weightGradient.baseAddress else {
      throw .bufferMismatch(
        name: "weight gradient", expected: plan.problem.weightShape.count, found: weightGradient.count)
    }
    guard plan.tiles > 0, let gradient = outputGradient.baseAddress else {
      weightGradient.update(repeating: 0)
      return
    }
    // Without pixels the input has no address, and none of it is read.
    let operands = Operands(input: input.baseAddress ?? gradient, gradient: gradient, target: target)
    running.withLock { _ in
      hasNonFinite.store(false, ordering: .relaxed)
      if blocking.keepsSums {
        runKeepingSums(operands)
      } else {
        runWhole(operands)
      }
      if hasNonFinite.load(ordering: .relaxed) {
        Self.computePlain(plan, operands.input, operands.gradient, operands.target, pool)
      }
    }
  }

  private struct Operands: @unchecked Sendable {
    let input: UnsafePointer<Float>
    let gradient: UnsafePointer<Float>
    let target: UnsafeMutablePointer<Float>
  }

  /// Sums of products of some blocks of source channels with a pair of output vectors.
  private struct Panel {
    var pair: Int
    var blocks: Range<Int>
    var sums: UnsafeMutablePointer<Float>
  }

  /// All tiles at once: each task has whole sums for one panel, and transforms them back at once.
  private func runWhole(_ operands: Operands) {
    transform(operands, 0..<plan.tiles)
    let parts = (plan.sourceBlocks + panelBlocks - 1) / panelBlocks
    pool.run(tasks: plan.pairs * parts) { task, worker in
      let first = task % parts * panelBlocks
      let panel = Panel(
        pair: task / parts, blocks: first..<min(first + panelBlocks, plan.sourceBlocks),
        sums: sums.pointer + worker * panelCount)
      for point in 0..<plan.points { multiply(point, panel, tiles: plan.tiles, accumulate: false) }
      transformBack(operands, panel, panel.blocks)
    }
  }

  /// Blocks of tiles one after another, with the sums of all panels kept between them.
  private func runKeepingSums(_ operands: Operands) {
    func panel(_ pair: Int) -> Panel {
      Panel(pair: pair, blocks: 0..<plan.sourceBlocks, sums: sums.pointer + pair * panelCount)
    }
    for first in stride(from: 0, to: plan.tiles, by: blocking.blockTiles) {
      let range = first..<min(plan.tiles, first + blocking.blockTiles)
      transform(operands, range)
      pool.run(tasks: plan.points * plan.pairs) { task, _ in
        multiply(task / plan.pairs, panel(task % plan.pairs), tiles: range.count, accumulate: first > 0)
      }
    }
    pool.run(tasks: plan.pairs * plan.sourceBlocks) { task, _ in
      let block = task % plan.sourceBlocks
      transformBack(operands, panel(task / plan.sourceBlocks), block..<block + 1)
    }
  }

  private var inputTiles: TransformedTiles {
    TransformedTiles(
      base: inputSpace.pointer, capacity: blocking.blockTiles, vectorWidth: plan.vectorWidth,
      blocks: plan.sourceBlocks)
  }

  private var gradientTiles: TransformedTiles {
    TransformedTiles(
      base: gradientSpace.pointer, capacity: blocking.blockTiles, vectorWidth: plan.vectorWidth,
      blocks: plan.destinationVectors)
  }

  /// Transforms a range of tiles of x and of dy, a piece of one block of channels a task.
  private func transform(_ operands: Operands, _ range: Range<Int>) {
    let (inputs, gradients) = (inputTiles, gradientTiles)
    let blocks = plan.sourceBlocks + plan.destinationVectors
    let pieces = min(range.count, (4 * pool.threads + blocks - 1) / blocks)
    let piece = (range.count + pieces - 1) / pieces
    pool.run(tasks: blocks * pieces) { task, worker in
      let slot = task % pieces * piece
      guard slot < range.count else { return }
      let part = range.lowerBound + slot..<min(range.upperBound, range.lowerBound + slot + piece)
      let block = task / pieces
      let lines = scratch.pointer + worker * WinogradTiles.scratchCount(plan.outputTile, plan.vectorWidth)
      plan.forEachRun(part) { run in
        if block < plan.sourceBlocks {
          var tiles = plan.tiles(
            run, of: plan.source, UnsafeMutablePointer(mutating: operands.input), block: block,
            before: (plan.before.height, plan.before.width), inputs.from(tile: slot), transformedBlock: block,
            scratch: lines)
          kernels.winograd.input(plan.outputTile, &tiles)
        } else {
          let vector = block - plan.sourceBlocks
          var tiles = plan.tiles(
            run, of: plan.destination, UnsafeMutablePointer(mutating: operands.gradient), block: vector,
            before: (0, 0), gradients.from(tile: slot), transformedBlock: vector, scratch: lines)
          kernels.winograd.gradient(plan.outputTile, &tiles)
        }
      }
    }
  }

  /// A panel's products at one point, added to its sums.
  private func multiply(_ point: Int, _ panel: Panel, tiles: Int, accumulate: Bool) {
    let gradients = gradientTiles
    let width = plan.vectorWidth
    let vectors = plan.vectors(of: panel.pair)
    let rows = panel.blocks.count * width
    oneRow.withUnsafeBufferPointer { zero in
      terms.withUnsafeBufferPointer { terms in
        guard let zero = zero.baseAddress, let terms = terms.baseAddress else { return }
        // The tiles are one row of pixels.
        var strip = GradientStrip(
          input: inputTiles.address(point: point, block: panel.blocks.lowerBound), inputRows: zero,
          inputPixelStride: width, terms: terms, termCount: rows,
          gradient: gradients.address(point: point, block: 2 * panel.pair), gradientRows: zero,
          gradientPixelStride: width, gradientVectorStride: gradients.blockStride, rowCount: 1, width: tiles,
          vectors: vectors, lanes: width, target: panel.sums + point * rows * vectors * width,
          targetStride: vectors * width, accumulate: accumulate)
        kernels.accumulateGradient(&strip)
      }
    }
  }

  private func transformBack(_ operands: Operands, _ panel: Panel, _ blocks: Range<Int>) {
    let width = plan.vectorWidth
    let channels = plan.problem.inputChannels
    let lanes = plan.vectors(of: panel.pair) * width
    plan.filterMatrix.withUnsafeBufferPointer { matrix in
      guard let matrix = matrix.baseAddress else { return }
      for block in blocks {
        for vector in 0..<plan.vectors(of: panel.pair) {
          let firstOutput = (2 * panel.pair + vector) * width
          var filters = WinogradFilters(
            filters: operands.target + (firstOutput * channels + block * width) * 9, laneStride: channels * 9,
            lanes: min(width, plan.destination.channels - firstOutput), turned: false, matrix: matrix,
            transformed: panel.sums + (block - panel.blocks.lowerBound) * width * lanes + vector * width,
            pointStride: panel.blocks.count * width * lanes, channels: min(width, channels - block * width),
            channelStride: 9, transformedChannelStride: lanes)
          kernels.winograd.filterGradient(plan.outputTile, &filters)
          // While they are near.
          for lane in 0..<filters.lanes {
            let written = UnsafeBufferPointer(
              start: filters.filters + lane * filters.laneStride, count: 9 * filters.channels)
            if written.hasNonFinite { hasNonFinite.store(true, ordering: .relaxed) }
          }
        }
      }
    }
  }
}

/// How many tiles of the weight gradient are worked on at a time.
struct WinogradGradientBlocking: Hashable, Sendable {
  var blockTiles: Int
  /// Whether the sums of all channels are kept from block to block; else there is one block, of all tiles.
  var keepsSums: Bool

  init(blockTiles: Int, plan: WinogradPlan) {
    self.blockTiles = max(1, min(blockTiles, plan.tiles))
    keepsSums = self.blockTiles < plan.tiles
  }

  init(_ plan: WinogradPlan) {
    let tileBytes = plan.points * (plan.sourceBlocks + plan.destinationVectors) * plan.vectorWidth * 4
    // Kept sums are read and written once a block, whole tiles once a panel: the smaller of the two goes to the outer caches.
    let sumBytes = plan.pairs * plan.sourceBlocks * 2 * plan.points * plan.vectorWidth * plan.vectorWidth * 4
    if plan.tiles * tileBytes <= max(Self.wholeBytes, min(2 * sumBytes, 32 << 20)) {
      self.init(blockTiles: plan.tiles, plan: plan)
    } else {
      self.init(
        blockTiles: WinogradPlan.evenBlock(plan.tiles, atMost: max(16, Self.blockBytes / tileBytes)), plan: plan)
    }
  }

  /// Transformed tiles that are kept whole.
  private static let wholeBytes = 4 << 20
  private static let blockBytes = 1 << 20

  /// Floats of transformed tiles of so many blocks of channels.
  func tilesCount(_ plan: WinogradPlan, blocks: Int) -> Int {
    TransformedTiles.count(points: plan.points, blocks: blocks, capacity: blockTiles, vectorWidth: plan.vectorWidth)
  }
}
