/// The weight gradient's products at one point: `sums[c][k] (+)= Σ_t input[t][c] · gradient[t][k]` over a block of tiles, V input
/// channels × one or two vectors of V output channels. Offsets and strides count floats.
///
/// - Requires: `sums` (V rows of `vectors`·V) aliases neither operand. Nothing else is read or written.
/// - Error: one FMA per term in order of t, continuing the sum that is there if asked to (the portable build rounds products too); blocks
///   of any size therefore give the same bits. Work: 2·tiles·V²·vectors flop.
public struct WinogradProducts {
  /// V floats a tile, tiles `V` apart.
  public var input: UnsafePointer<Float>
  /// V floats a tile and vector, tiles `V` apart, vectors `gradientVectorStride`.
  public var gradient: UnsafePointer<Float>
  public var gradientVectorStride: Int
  public var vectors: Int
  public var tiles: Int
  public var sums: UnsafeMutablePointer<Float>
  /// Whether to continue the sums that are there, or to start from zero.
  public var accumulate: Bool

  public init(
    input: UnsafePointer<Float>, gradient: UnsafePointer<Float>, gradientVectorStride: Int, vectors: Int, tiles: Int,
    sums: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    self.input = input
    self.gradient = gradient
    self.gradientVectorStride = gradientVectorStride
    self.vectors = vectors
    self.tiles = tiles
    self.sums = sums
    self.accumulate = accumulate
  }
}
