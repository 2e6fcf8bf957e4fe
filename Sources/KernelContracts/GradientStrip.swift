/// Everything one call of the gradient kernel needs: consecutive channels × one or two vectors of output channels, summed
/// over rows of pixels.
///
///     dw[c][k] (+)= Σ_row Σ_q  x[row][q][c] · dy[row][q][k]
///
/// - Requires: the ranges below lie inside their buffers; `target` aliases nothing. Nothing else is read or written.
/// - Error: |dw − d̂w| ≤ γ_n·Σ|x·dy| with n = rows·width, one FMA per term in order of row and pixel, one more rounding
///   where the sum is added to the target.
/// - Work: 2·rows·width·channels·V·vectors flop.
public struct GradientStrip {
  /// A pixel's channels are at `input + inputRows[row] + q·inputPixelStride`.
  public var input: UnsafePointer<Float>
  public var inputRows: UnsafePointer<Int>
  public var inputPixelStride: Int
  public var channels: Int
  /// A pixel's vector is at `gradient + gradientRows[row] + q·gradientPixelStride + vector·gradientVectorStride`.
  public var gradient: UnsafePointer<Float>
  public var gradientRows: UnsafePointer<Int>
  public var gradientPixelStride: Int
  public var gradientVectorStride: Int
  public var rowCount: Int
  public var width: Int
  /// 1 or 2 vectors.
  public var vectors: Int
  /// Lanes of each vector that are read: V, or fewer when `vectors` is 1; the others count as zero.
  public var lanes: Int
  /// `[channel][vectors·V]`.
  public var target: UnsafeMutablePointer<Float>
  /// The sum is added to the target instead of replacing it.
  public var accumulate: Bool

  public init(
    input: UnsafePointer<Float>, inputRows: UnsafePointer<Int>, inputPixelStride: Int, channels: Int,
    gradient: UnsafePointer<Float>, gradientRows: UnsafePointer<Int>, gradientPixelStride: Int,
    gradientVectorStride: Int, rowCount: Int, width: Int, vectors: Int, lanes: Int,
    target: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    self.input = input
    self.inputRows = inputRows
    self.inputPixelStride = inputPixelStride
    self.channels = channels
    self.gradient = gradient
    self.gradientRows = gradientRows
    self.gradientPixelStride = gradientPixelStride
    self.gradientVectorStride = gradientVectorStride
    self.rowCount = rowCount
    self.width = width
    self.vectors = vectors
    self.lanes = lanes
    self.target = target
    self.accumulate = accumulate
  }
}
