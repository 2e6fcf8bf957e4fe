/// Everything one call of the gradient kernel needs: terms × one or two vectors of output channels, summed over rows of
/// pixels.
///
///     dw[t][k] (+)= Σ_row Σ_q  x[row][q][t] · dy[row][q][k]
///
/// A term is one filter position of one input channel: a float at a constant distance from every pixel. A matrix product C = A·B
/// is the same with the rows of A as terms, the columns of A as pixels, and two vectors of a row of B. Offsets and strides count
/// floats.
///
/// - Requires: the ranges below lie inside their buffers; `target` aliases nothing. Nothing else is read or written;
///   addresses outside may be prefetched.
/// - Error: |dw − d̂w| ≤ γ_n·Σ|x·dy| with n = rows·width, one FMA a pixel in order of row and q (the portable build rounds
///   products too: γ_{n+1}). A sum done in several calls has the same bits as one done in a single call.
/// - Work: 2·rows·width·terms·V·vectors flop.
public struct GradientStrip {
  /// A term of a pixel is at `input + inputRows[row] + q·inputPixelStride + terms[t]`.
  public var input: UnsafePointer<Float>
  public var inputRows: UnsafePointer<Int>
  public var inputPixelStride: Int
  public var terms: UnsafePointer<Int>
  public var termCount: Int
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
  /// The vectors of a term are written at `target + t·targetStride`, one behind the other.
  public var target: UnsafeMutablePointer<Float>
  public var targetStride: Int
  /// The sum starts from what the target holds instead of zero.
  public var accumulate: Bool

  @inlinable
  public init(
    input: UnsafePointer<Float>, inputRows: UnsafePointer<Int>, inputPixelStride: Int, terms: UnsafePointer<Int>,
    termCount: Int, gradient: UnsafePointer<Float>, gradientRows: UnsafePointer<Int>, gradientPixelStride: Int,
    gradientVectorStride: Int, rowCount: Int, width: Int, vectors: Int, lanes: Int,
    target: UnsafeMutablePointer<Float>, targetStride: Int, accumulate: Bool
  ) {
    self.input = input
    self.inputRows = inputRows
    self.inputPixelStride = inputPixelStride
    self.terms = terms
    self.termCount = termCount
    self.gradient = gradient
    self.gradientRows = gradientRows
    self.gradientPixelStride = gradientPixelStride
    self.gradientVectorStride = gradientVectorStride
    self.rowCount = rowCount
    self.width = width
    self.vectors = vectors
    self.lanes = lanes
    self.target = target
    self.targetStride = targetStride
    self.accumulate = accumulate
  }
}
