/// The batched product of transformed tiles and weights: at each point, `products[t][k] = Σ_c transformed[t][c]·weights[c][k]`
/// for a run of tiles and one or two vectors of V output channels. Strides count floats.
///
/// - Requires: `products` aliases neither operand. Nothing outside the ranges below is read or written.
/// - Error: one FMA per term in order of c, so |error| ≤ γ_channels·Σ|x·w| (the portable build rounds products too).
///   Work: 2·points·tiles·channels·V·vectors flop.
public struct WinogradMultiply {
  /// A tile's V channels of a block at `transformed + point·transformedPointStride + block·blockStride + tile·V`.
  public var transformed: UnsafePointer<Float>
  public var transformedPointStride: Int
  public var blockStride: Int
  public var channels: Int
  public var tiles: Int
  public var points: Int
  /// `[point][channel][vectors·V]`, without gaps.
  public var weights: UnsafePointer<Float>
  /// Written at `products + point·productPointStride + vector·vectorStride + tile·V`.
  public var products: UnsafeMutablePointer<Float>
  public var productPointStride: Int
  public var vectorStride: Int
  public var vectors: Int

  public init(
    transformed: UnsafePointer<Float>, transformedPointStride: Int, blockStride: Int, channels: Int, tiles: Int,
    points: Int, weights: UnsafePointer<Float>, products: UnsafeMutablePointer<Float>, productPointStride: Int,
    vectorStride: Int, vectors: Int
  ) {
    self.transformed = transformed
    self.transformedPointStride = transformedPointStride
    self.blockStride = blockStride
    self.channels = channels
    self.tiles = tiles
    self.points = points
    self.weights = weights
    self.products = products
    self.productPointStride = productPointStride
    self.vectorStride = vectorStride
    self.vectors = vectors
  }
}
