import KernelContracts
import Problems
import Synchronization

/// A prepared Winograd convolution: input tiles are transformed, multiplied by the transformed weights point by point, and
/// transformed back with the epilogue, over blocks of tiles that stay in the cache.
///
/// Every sum over channels is one chain of FMAs in the order of the channels, whatever block or thread it falls to, so the
/// bits do not depend on the number of threads.
///
/// `@unchecked Sendable`: weights and workspace change only under `running`.
final class WinogradConvolution: PreparedConvolution, @unchecked Sendable {
  let plan: WinogradPlan
  let blocking: WinogradBlocking
  let epilogue: ConvolutionEpilogue
  let strategyName: String
  let weights: WinogradWeights
  private let kernels: KernelTable
  private let pool: ThreadPool
  private let scale: AlignedBuffer?
  private let shift: AlignedBuffer?
  private let inputSpace: AlignedBuffer
  private let outputSpace: AlignedBuffer
  private let outputSpaceCount: Int
  /// Offsets of the blocks of channels of a transformed tile.
  private let segments: [Int]
  private let running = Mutex<Void>(())

  var problem: Conv2dProblem { plan.problem }
  var pass: ConvolutionPass { plan.pass }
  var inputLayout: BlockedLayout { plan.source }
  var outputLayout: BlockedLayout { plan.destination }
  var weightBytes: Int { weights.storage.bytes }
  var workspaceBytes: Int { inputSpace.bytes + outputSpace.bytes }

  init(
    _ name: String, _ plan: WinogradPlan, weights values: UnsafeBufferPointer<Float>, epilogue: ConvolutionEpilogue,
    options: ConvolutionOptions, blocking chosen: WinogradBlocking? = nil
  ) throws(ConvolutionError) {
    strategyName = name
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    self.plan = plan
    self.epilogue = epilogue
    let blocking = chosen ?? WinogradBlocking(plan, threads: options.threads, weightsStay: options.weightsStay)
    self.blocking = blocking
    scale = try Self.lanes(epilogue.scale, plan, "scale")
    shift = try Self.lanes(epilogue.shift, plan, "shift")
    inputSpace = try AlignedBuffer(
      zeros: blocking.inputSpaces * blocking.inputSpaceCount(plan), name: "transformed tiles")
    let blockStride = TransformedTiles.blockStride(capacity: blocking.inputTiles, vectorWidth: plan.vectorWidth)
    segments = (0..<plan.sourceBlocks).map { $0 * blockStride }
    outputSpaceCount = blocking.outputSpaceCount(plan)
    outputSpace = try AlignedBuffer(zeros: options.threads * outputSpaceCount, name: "products")
    weights = try WinogradWeights(
      plan, values, weightsStay: options.weightsStay,
      whereUsed: blocking.transformsWeights ? (options.threads, blocking.channels) : nil)
    try takeWeights(values)
  }

  private static func lanes(
    _ values: [Float]?, _ plan: WinogradPlan, _ name: String
  ) throws(ConvolutionError) -> AlignedBuffer? {
    guard let values else { return nil }
    guard values.count == plan.destination.channels else {
      throw .bufferMismatch(name: "epilogue \(name)", expected: plan.destination.channels, found: values.count)
    }
    let buffer = try AlignedBuffer(zeros: plan.destinationVectors * plan.vectorWidth, name: name)
    for (channel, value) in values.enumerated() { buffer.pointer[channel] = value }
    return buffer
  }

  func setWeights(_ values: UnsafeBufferPointer<Float>) throws(ConvolutionError) {
    try running.withLock { _ throws(ConvolutionError) in try takeWeights(values) }
  }

  private func takeWeights(_ values: UnsafeBufferPointer<Float>) throws(ConvolutionError) {
    try weights.set(values, plan)
    guard !blocking.transformsWeights else { return }
    pool.run(tasks: plan.pairs) { pair, _ in
      weights.transform(
        pair: pair, channels: allChannels, to: weights.address(pair: pair, plan), plan, kernels)
    }
  }

  func run(
    input: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>,
    residual: UnsafeBufferPointer<Float>?
  ) throws(ConvolutionError) {
    guard let operands = try ConvolutionOperands(plan.source, plan.destination, epilogue, input, output, residual),
      plan.tiles > 0
    else { return }
    running.withLock { _ in
      if blocking.sharesInput {
        runShared(operands)
      } else {
        runApart(operands)
      }
    }
  }

  /// Each block of tiles is one task, from input to output.
  private func runApart(_ operands: ConvolutionOperands) {
    let size = blocking.blockTiles
    pool.run(tasks: (plan.tiles + size - 1) / size) { task, worker in
      let range = task * size..<min(plan.tiles, (task + 1) * size)
      let transformed = inputTiles(worker)
      for block in 0..<plan.sourceBlocks { transformInput(operands, range, block, transformed, worker) }
      for pair in 0..<plan.pairs {
        multiply(range, 0, pair, allChannels, weights.address(pair: pair, plan), transformed, worker)
        transformBack(operands, range, pair, worker)
      }
    }
  }

  /// All tiles are transformed first, by blocks of channels; then each task computes a pair of output vectors.
  private func runShared(_ operands: ConvolutionOperands) {
    let transformed = inputTiles(0)
    let pieces = blocking.inputPieces
    let piece = (plan.tiles + pieces - 1) / pieces
    pool.run(tasks: plan.sourceBlocks * pieces) { task, worker in
      let first = task % pieces * piece
      guard first < plan.tiles else { return }
      let range = first..<min(plan.tiles, first + piece)
      transformInput(operands, range, task / pieces, transformed.from(tile: first), worker)
    }
    let size = blocking.blockTiles
    let blocks = (plan.tiles + size - 1) / size
    guard !blocking.transformsWeights else {
      pool.run(tasks: plan.pairs) { pair, worker in
        let own = weights.address(pair: worker, plan)
        for first in stride(from: 0, to: plan.source.channels, by: blocking.channels) {
          let channels = first..<min(plan.source.channels, first + blocking.channels)
          weights.transform(pair: pair, channels: channels, to: own, plan, kernels)
          for block in 0..<blocks {
            let range = block * size..<min(plan.tiles, (block + 1) * size)
            multiply(range, range.lowerBound, pair, channels, own, transformed, worker)
            if channels.upperBound == plan.source.channels { transformBack(operands, range, pair, worker) }
          }
        }
      }
      return
    }
    pool.run(tasks: plan.pairs * blocks) { task, worker in
      let first = task % blocks * size
      let range = first..<min(plan.tiles, first + size)
      let pair = task / blocks
      multiply(range, first, pair, allChannels, weights.address(pair: pair, plan), transformed, worker)
      transformBack(operands, range, pair, worker)
    }
  }

  private var allChannels: Range<Int> { 0..<plan.source.channels }

  private func inputTiles(_ space: Int) -> TransformedTiles {
    TransformedTiles(
      base: inputSpace.pointer + space * blocking.inputSpaceCount(plan), capacity: blocking.inputTiles,
      vectorWidth: plan.vectorWidth, blocks: plan.sourceBlocks)
  }

  /// A thread's lines of the transforms, behind its products.
  private func scratch(_ worker: Int) -> UnsafeMutablePointer<Float> {
    outputSpace.pointer + (worker + 1) * outputSpaceCount
      - WinogradTiles.scratchCount(plan.outputTile, plan.vectorWidth)
  }

  private func transformInput(
    _ operands: ConvolutionOperands, _ range: Range<Int>, _ block: Int, _ transformed: TransformedTiles,
    _ worker: Int
  ) {
    plan.forEachRun(range) { run in
      var tiles = plan.tiles(
        run, of: plan.source, UnsafeMutablePointer(mutating: operands.input), block: block,
        before: (plan.before.height, plan.before.width), transformed, transformedBlock: block,
        scratch: scratch(worker))
      kernels.winograd.input(plan.outputTile, &tiles)
    }
  }

  /// A thread's products of a block of tiles with a pair of output vectors.
  private func products(_ pair: Int, _ worker: Int) -> TransformedTiles {
    TransformedTiles(
      base: outputSpace.pointer + worker * outputSpaceCount, capacity: blocking.blockTiles,
      vectorWidth: plan.vectorWidth, blocks: plan.vectors(of: pair))
  }

  /// The products of a range of tiles with a pair of output vectors over some source channels, added to those over the
  /// channels before.
  private func multiply(
    _ range: Range<Int>, _ slot: Int, _ pair: Int, _ channels: Range<Int>, _ weights: UnsafeMutablePointer<Float>,
    _ transformed: TransformedTiles, _ worker: Int
  ) {
    let (vectors, products) = (plan.vectors(of: pair), products(pair, worker))
    // Each point is a matrix multiplication: one row of pixels, a segment for each block of channels.
    let whole = channels.count / plan.vectorWidth
    let areAskedFor = self.weights.areAskedFor
    segments.withUnsafeBufferPointer { segments in
      guard let segments = segments.baseAddress else { return }
      var strip = ConvolutionStrip(
        // The first segment's offset is zero, and so is the only row's.
        input: transformed.address(block: channels.lowerBound / plan.vectorWidth, tile: slot), inputRows: segments,
        inputPixelStride: plan.vectorWidth, segments: segments, segmentCount: whole,
        shortCount: channels.count > whole * plan.vectorWidth ? 1 : 0,
        shortChannels: channels.count % plan.vectorWidth, weights: weights,
        output: products.base, outputRows: segments, outputPixelStride: plan.vectorWidth,
        outputVectorStride: products.blockStride, rowCount: 1, width: range.count, vectors: vectors,
        lanes: plan.vectorWidth, fetchesAhead: kernels.fetchesWhatIsNear,
        accumulate: channels.lowerBound > 0)
      let pointWeights = WinogradWeights.rows(channels.count) * vectors * plan.vectorWidth
      for _ in 0..<plan.points {
        // Behind the last point's come the next pair's.
        if areAskedFor { strip.nextWeights = strip.weights + pointWeights }
        kernels.convolveStrip(&strip)
        strip.input += transformed.pointStride
        strip.output += products.pointStride
        strip.weights += pointWeights
      }
    }
  }

  /// The way back of a range of tiles' products.
  private func transformBack(_ operands: ConvolutionOperands, _ range: Range<Int>, _ pair: Int, _ worker: Int) {
    let (vectors, products) = (plan.vectors(of: pair), products(pair, worker))
    for vector in 0..<vectors {
      let lanes = (2 * pair + vector) * plan.vectorWidth
      plan.forEachRun(range) { run in
        let block = 2 * pair + vector
        var tiles = plan.tiles(
          run, of: plan.destination, operands.output, block: block, before: (0, 0), products, transformedBlock: vector,
          scratch: scratch(worker))
        tiles.scale = scale.map { UnsafePointer($0.pointer) + lanes }
        tiles.shift = shift.map { UnsafePointer($0.pointer) + lanes }
        tiles.residual = operands.residual.map {
          $0 + plan.destination.offset(image: run.image, channel: block * plan.destination.block)
        }
        tiles.relu = epilogue.relu
        kernels.winograd.output(plan.outputTile, &tiles)
        for tile in 0..<run.count where tiles.transformed[tile * plan.vectorWidth].isNaN {
          computePlain(operands, run, tile: tile, vector: block)
        }
      }
    }
  }
}
