import KernelContracts

/// How many tiles are worked on at a time.
struct WinogradBlocking: Hashable, Sendable {
  /// Tiles whose products with a pair of output vectors are computed at a time.
  var blockTiles: Int
  /// Whether the threads transform all tiles together and then share the output vectors; else every block is a task of its
  /// own, from input to output.
  var sharesInput: Bool
  /// Tiles that an input workspace holds.
  var inputTiles: Int
  /// Input workspaces: one, or one a thread.
  var inputSpaces: Int
  /// Pieces of the tiles of a block of channels that are transformed as one task each, where the threads share.
  var inputPieces: Int
  /// Whether each pair of output vectors has its weights transformed just before all tiles are multiplied by them, instead of
  /// all weights beforehand.
  var transformsWeights: Bool
  /// Source channels whose weights are transformed at a time, whole vectors of them or all. With fewer than all there is one block
  /// of tiles, whose products wait for the next channels.
  var channels: Int

  init(
    blockTiles: Int, sharesInput: Bool, transformsWeights: Bool = false, channels: Int? = nil, plan: WinogradPlan,
    threads: Int
  ) {
    let sharesInput = sharesInput || transformsWeights
    self.sharesInput = sharesInput
    self.transformsWeights = transformsWeights
    self.channels = channels ?? plan.source.channels
    let blockTiles = self.channels < plan.source.channels ? max(plan.tiles, 1) : blockTiles
    self.blockTiles = blockTiles
    inputTiles = sharesInput ? max(plan.tiles, 1) : blockTiles
    inputSpaces = sharesInput ? 1 : threads
    inputPieces = max(1, min(plan.tiles, (threads * 4 + plan.sourceBlocks - 1) / plan.sourceBlocks))
  }

  /// Blocks whose transformed tiles fill a quarter of a 2 MB L2 cache, more where the weights have to be streamed from the
  /// outer caches for every block anyway. Measured on ResNet's layers: from 14 to 128 tiles nothing changes by more than 10 %.
  ///
  /// Threads read each other's transformed tiles slowly: they share them only where there are too few for a block each, or so
  /// many weights that each had better read its own part of them. (Two threads, 64 channels of 56×56: 0.18 ms apart, 0.21
  /// shared.)
  ///
  /// Weights that are others in every run, and too many for the second-level cache, would be written to memory and read again:
  /// each pair's are transformed where they are used, if the transformed tiles stay in a cache for that long. And as many
  /// channels of it at a time as stay in the second-level cache, with the products of all tiles, where these are few: of 512
  /// channels a pair's are 2.4 MB in F(4×4).
  init(_ plan: WinogradPlan, threads: Int, weightsStay: Bool) {
    let tileBytes = plan.points * plan.sourceBlocks * plan.vectorWidth * 4
    let weightBytes = plan.points * plan.source.channels * plan.destinationVectors * plan.vectorWidth * 4
    let fitsL2 = weightBytes <= 1 << 20
    let areFew = weightBytes <= 4 << 20
    let cached = fitsL2 ? 1 << 19 : weightBytes <= 16 << 20 ? 1 << 20 : 5 << 19
    let largest = max(14, min(112, cached / tileBytes))
    var blocks = max(1, (plan.tiles + largest - 1) / largest)
    let sharedBytes = plan.tiles * tileBytes
    let transformsWeights =
      weightsStay && Machine.current.comesFromAfar(weightBytes) && plan.pairs >= threads
      && sharedBytes <= (Machine.current.l3Bytes ?? 16 << 20) / 2
    let isShared = areFew ? plan.tiles < Self.fewestTiles * threads : blocks < 3 * threads
    let sharesInput = isShared && sharedBytes <= threads * (3 << 20)
    // As many blocks for each thread.
    if !sharesInput, !transformsWeights { blocks = (blocks + threads - 1) / threads * threads }
    self.init(
      blockTiles: max(1, (plan.tiles + blocks - 1) / blocks),
      sharesInput: sharesInput, transformsWeights: transformsWeights,
      channels: transformsWeights ? Self.channelsAtATime(plan) : nil, plan: plan, threads: threads)
  }

  /// Source channels whose weights for a pair, and the products of all tiles with it, stay in the second-level cache while tiles
  /// pass through; nil where all channels' do, or the tiles are too many. Each gets about a third of the cache: no other shares
  /// were tried.
  private static func channelsAtATime(_ plan: WinogradPlan) -> Int? {
    let cache = Machine.current.l2Bytes ?? 1 << 20
    // A channel's weights for a pair, and a tile's products with it, are as many.
    let pairBytes = plan.points * 2 * plan.vectorWidth * 4
    let channels = max(1, cache / 3 / pairBytes / plan.vectorWidth) * plan.vectorWidth
    return channels < plan.source.channels && plan.tiles <= cache / 3 / pairBytes ? channels : nil
  }

  /// Of a block that is worth a thread's reading all weights for.
  private static let fewestTiles = 12

  /// Floats of an input workspace.
  func inputSpaceCount(_ plan: WinogradPlan) -> Int {
    TransformedTiles.count(
      points: plan.points, blocks: plan.sourceBlocks, capacity: inputTiles, vectorWidth: plan.vectorWidth)
  }

  /// Floats of a thread's workspace for products and the lines of the transforms.
  func outputSpaceCount(_ plan: WinogradPlan) -> Int {
    TransformedTiles.count(points: plan.points, blocks: 2, capacity: blockTiles, vectorWidth: plan.vectorWidth)
      + WinogradTiles.scratchCount(plan.outputTile, plan.vectorWidth)
  }
}
