import KernelContracts

/// How many tiles are worked on at a time.
struct WinogradBlocking: Hashable, Sendable {
  /// Tiles whose products with a pair of output vectors are had at a time.
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

  init(blockTiles: Int, sharesInput: Bool, plan: WinogradPlan, threads: Int) {
    self.blockTiles = blockTiles
    self.sharesInput = sharesInput
    inputTiles = sharesInput ? max(plan.tiles, 1) : blockTiles
    inputSpaces = sharesInput ? 1 : threads
    inputPieces = max(1, min(plan.tiles, (threads * 4 + plan.sourceBlocks - 1) / plan.sourceBlocks))
  }

  init(_ plan: WinogradPlan, threads: Int) {
    let tileBytes = plan.points * plan.sourceBlocks * plan.vectorWidth * 4
    let largest = max(14, min(112, (1 << 20) / tileBytes / 14 * 14))
    let block = WinogradPlan.evenBlock(max(plan.tiles, 1), atMost: largest)
    let blocks = (plan.tiles + block - 1) / block
    let sharedBytes = plan.tiles * tileBytes
    self.init(
      blockTiles: block, sharesInput: blocks < 3 * threads && sharedBytes <= threads * (3 << 20), plan: plan,
      threads: threads)
  }

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
