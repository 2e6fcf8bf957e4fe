/// Windows of one row of output pixels of one block of channels, all of the same size and within the input.
///
/// Pixel p's window has its first pixel at `input + p·pixelStride`, and `rows × columns` pixels: rows `rowStride` apart,
/// columns next to each other. Its result goes to `output + p·block`. A pixel is `block` floats, V at most; nothing else is
/// read or written. Input and output do not overlap.
public struct PoolStrip {
  public var input: UnsafePointer<Float>
  public var rowStride: Int
  public var pixelStride: Int
  public var rows: Int
  public var columns: Int
  public var output: UnsafeMutablePointer<Float>
  public var block: Int
  public var pixels: Int

  @inlinable
  public init(
    input: UnsafePointer<Float>, rowStride: Int, pixelStride: Int, rows: Int, columns: Int,
    output: UnsafeMutablePointer<Float>, block: Int, pixels: Int
  ) {
    self.input = input
    self.rowStride = rowStride
    self.pixelStride = pixelStride
    self.rows = rows
    self.columns = columns
    self.output = output
    self.block = block
    self.pixels = pixels
  }
}
