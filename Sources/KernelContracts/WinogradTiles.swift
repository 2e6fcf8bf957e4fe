/// A run of Winograd tiles side by side in one image and one block of V channels: what the three transforms between an
/// activation and its transformed tiles need.
///
/// With n = m + 2 for F(m×m, 3×3), tile t covers the pixels from (`row`, `column` + t·m) on: n×n of an input, m×m of an
/// output or of its gradient. Its n·n transformed values are V-vectors at `transformed + point·pointStride + t·V`.
/// Offsets and strides count floats.
///
/// - Requires: pixels (0, 0) … (`height` − 1, `width` − 1) of `activation` and `residual`, and the n·n·`count` vectors, lie
///   inside their buffers. Pixels outside `height` × `width` are neither read nor written: they count as zero, so that halos
///   are not needed. Of a pixel `lanes` floats are touched.
/// - Overflow: transformed values are up to a thousand times the data, so that they overflow where a result does not. An output
///   tile with a value that is infinite or NaN (or whose rows' sums are) is not written, whatever the epilogue would make of
///   it: the first of its transformed values becomes NaN, which it is not in any tile that was written.
/// - Error: each transform is two passes of FMA chains over sums of at most n terms, so |error| ≤ γ_{2n}·|M||tile||M|ᵀ for its
///   matrix M (the portable build rounds products too: γ_{4n}).
public struct WinogradTiles {
  /// Pixel (0, 0). Read by the input's and the gradient's transform, written by the output's.
  public var activation: UnsafeMutablePointer<Float>
  public var rowStride: Int
  public var pixelStride: Int
  public var height: Int
  public var width: Int
  /// V, or fewer when `pixelStride` is smaller than V.
  public var lanes: Int
  /// First pixel of the first tile; negative in the padding.
  public var row: Int
  public var column: Int
  /// Tiles in the run.
  public var count: Int
  /// Read by the output's transform, which marks tiles here; written by the others.
  public var transformed: UnsafeMutablePointer<Float>
  public var pointStride: Int
  /// Room for ``scratchCount(_:_:)`` floats that nothing else uses meanwhile.
  public var scratch: UnsafeMutablePointer<Float>

  /// The output's epilogue, in this order: multiplied to the sum (V floats, or nil) …
  public var scale: UnsafePointer<Float>?
  /// … added (V floats, or nil) …
  public var shift: UnsafePointer<Float>?
  /// … added: pixel (0, 0) of an activation laid out as the output, or nil; it may be the output itself …
  public var residual: UnsafePointer<Float>?
  /// … and max(·, 0); NaN stays NaN.
  public var relu: Bool

  @inlinable
  public init(
    activation: UnsafeMutablePointer<Float>, rowStride: Int, pixelStride: Int, height: Int, width: Int, lanes: Int,
    row: Int, column: Int, count: Int, transformed: UnsafeMutablePointer<Float>, pointStride: Int,
    scratch: UnsafeMutablePointer<Float>, scale: UnsafePointer<Float>? = nil, shift: UnsafePointer<Float>? = nil,
    residual: UnsafePointer<Float>? = nil,
    relu: Bool = false
  ) {
    self.activation = activation
    self.rowStride = rowStride
    self.pixelStride = pixelStride
    self.height = height
    self.width = width
    self.lanes = lanes
    self.row = row
    self.column = column
    self.count = count
    self.transformed = transformed
    self.pointStride = pointStride
    self.scratch = scratch
    self.scale = scale
    self.shift = shift
    self.residual = residual
    self.relu = relu
  }

  /// Floats that a transform needs besides its operands: a line of eight input tiles, with one column more.
  public static func scratchCount(_ outputTile: Int, _ vectorWidth: Int) -> Int {
    (8 * outputTile + 3) * (outputTile + 2) * vectorWidth
  }
}
