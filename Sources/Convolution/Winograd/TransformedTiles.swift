import KernelContracts

/// A block of transformed tiles, `[point][block of channels][tile][V]`, in a workspace.
struct TransformedTiles {
  let base: UnsafeMutablePointer<Float>
  /// Tiles that there is room for.
  let capacity: Int
  let vectorWidth: Int
  let blocks: Int

  /// An odd number of vectors, so that blocks of channels do not fall on the same cache sets.
  static func blockStride(capacity: Int, vectorWidth: Int) -> Int { (capacity | 1) * vectorWidth }
  var blockStride: Int { Self.blockStride(capacity: capacity, vectorWidth: vectorWidth) }
  /// One vector more than needed, so that the points do not all fall on the same cache sets.
  var pointStride: Int { blocks * blockStride + vectorWidth }

  static func count(points: Int, blocks: Int, capacity: Int, vectorWidth: Int) -> Int {
    points * (blocks * (capacity | 1) + 1) * vectorWidth
  }

  func address(point: Int = 0, block: Int, tile: Int = 0) -> UnsafeMutablePointer<Float> {
    base + point * pointStride + block * blockStride + tile * vectorWidth
  }

  /// The same storage seen from a later tile on.
  func from(tile: Int) -> TransformedTiles {
    TransformedTiles(base: base + tile * vectorWidth, capacity: capacity, vectorWidth: vectorWidth, blocks: blocks)
  }
}

extension WinogradPlan {
  /// The kernel's record for a run of tiles of one block of channels; `before` is the padding above and left.
  func tiles(
    _ run: Run, of layout: BlockedLayout, _ activation: UnsafeMutablePointer<Float>, block: Int, before: (Int, Int),
    _ transformed: TransformedTiles, transformedBlock: Int, scratch: UnsafeMutablePointer<Float>
  ) -> WinogradTiles {
    WinogradTiles(
      activation: activation + layout.offset(image: run.image, channel: block * layout.block),
      rowStride: layout.rowStride, pixelStride: layout.block, height: layout.height, width: layout.width,
      lanes: layout.block, row: run.row * outputTile - before.0, column: run.column * outputTile - before.1,
      count: run.count, transformed: transformed.address(block: transformedBlock, tile: run.slot),
      pointStride: transformed.pointStride, scratch: scratch)
  }
}
