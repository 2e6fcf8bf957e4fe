/// Everything one call of the strip kernel needs: rows of output pixels × one or two vectors of output channels.
///
///     y[row][q][k] = epilogue( Σ_segment Σ_c  x[row][q][segment][c] · w[segment][c][k] )
///
/// A segment is a run of channels that follow one another in memory at every pixel: V of them, or a shorter run of the same
/// length at the end of the sum. The same record describes direct convolution (a segment is a filter position of a block of
/// channels), matrix multiplication (a pixel is a matrix row) and one parity phase of a strided backward-data pass.
/// V is the vector width of the kernel table the record is given to. Offsets and strides count floats.
///
/// - Requires: the ranges below lie inside their buffers; `output` aliases nothing but, exactly, `residual`.
///   Nothing else is read or written; addresses outside may be prefetched.
/// - Error: |y − ŷ| ≤ γ_n·Σ|x·w| for n terms, one FMA per term in order of segment and channel (the portable build rounds
///   products too: γ_{n+1}); the epilogue adds one rounding for each of its steps. A sum done in several calls has the same
///   bits as one done in a single call.
/// - Work: 2·rows·width·n·V·vectors flop.
public struct ConvolutionStrip {
  /// Input origin. A pixel's operands are at `input + inputRows[row] + q·inputPixelStride + segments[segment]`.
  public var input: UnsafePointer<Float>
  public var inputRows: UnsafePointer<Int>
  public var inputPixelStride: Int
  /// The offsets of `segmentCount` segments of V channels, then of `shortCount` of `shortChannels`. Both may be zero: the
  /// sum is then empty.
  public var segments: UnsafePointer<Int>
  public var segmentCount: Int
  public var shortCount: Int
  public var shortChannels: Int
  /// `[segment][channel][vectors·V]`, packed without gaps in the order it is read.
  public var weights: UnsafePointer<Float>

  /// The weights of a later call, of which about as many as this one has are asked for meanwhile; nil where there are none, or too
  /// few to be worth it.
  public var nextWeights: UnsafePointer<Float>?

  /// Output origin. A pixel is written at `output + outputRows[row] + q·outputPixelStride + vector·outputVectorStride`.
  public var output: UnsafeMutablePointer<Float>
  public var outputRows: UnsafePointer<Int>
  public var outputPixelStride: Int
  public var outputVectorStride: Int
  public var rowCount: Int
  /// Output pixels in a row.
  public var width: Int
  /// 1 or 2 vectors of V output channels.
  public var vectors: Int
  /// Lanes of each vector that are written: V, or fewer when `vectors` is 1.
  public var lanes: Int

  /// Whether the operands of a later tile are asked for meanwhile. Not where each of a tile's pixels has cache lines of its own
  /// in every segment: what is asked for would drive out what is in use. Nor where they are near already, if
  /// ``KernelTable/fetchesWhatIsNear`` is false.
  public var fetchesAhead: Bool
  /// The sum starts from what the output holds instead of zero: it is done in several calls.
  public var accumulate: Bool
  /// Multiplied to the sum: vectors·V floats, or nil.
  public var scale: UnsafePointer<Float>?
  /// Added then: vectors·V floats, or nil.
  public var shift: UnsafePointer<Float>?
  /// Added then: a buffer laid out as the output, or nil.
  public var residual: UnsafePointer<Float>?
  /// max(·, 0) last; NaN stays NaN.
  public var relu: Bool

  @inlinable
  public init(
    input: UnsafePointer<Float>, inputRows: UnsafePointer<Int>, inputPixelStride: Int,
    segments: UnsafePointer<Int>, segmentCount: Int, shortCount: Int, shortChannels: Int, weights: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, outputRows: UnsafePointer<Int>, outputPixelStride: Int,
    outputVectorStride: Int, rowCount: Int, width: Int, vectors: Int, lanes: Int,
    nextWeights: UnsafePointer<Float>? = nil, fetchesAhead: Bool = true, accumulate: Bool = false,
    scale: UnsafePointer<Float>? = nil, shift: UnsafePointer<Float>? = nil,
    residual: UnsafePointer<Float>? = nil, relu: Bool = false
  ) {
    self.input = input
    self.inputRows = inputRows
    self.inputPixelStride = inputPixelStride
    self.segments = segments
    self.segmentCount = segmentCount
    self.shortCount = shortCount
    self.shortChannels = shortChannels
    self.weights = weights
    self.output = output
    self.outputRows = outputRows
    self.outputPixelStride = outputPixelStride
    self.outputVectorStride = outputVectorStride
    self.rowCount = rowCount
    self.width = width
    self.vectors = vectors
    self.lanes = lanes
    self.nextWeights = nextWeights
    self.fetchesAhead = fetchesAhead
    self.accumulate = accumulate
    self.scale = scale
    self.shift = shift
    self.residual = residual
    self.relu = relu
  }
}
