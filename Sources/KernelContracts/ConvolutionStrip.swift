/// Everything one call of the strip kernel needs: rows of output pixels × one or two vectors of output channels.
///
///     y[row][q][k] = epilogue( Σ_block Σ_tap Σ_c  x[row][block][tap][q][c] · w[block][tap][c][k] )
///
/// The same record describes direct convolution (taps are filter positions), matrix multiplication (one tap, a pixel is a
/// matrix row) and one parity phase of a strided backward-data pass (the taps of that phase).
/// V is the vector width of the kernel table the record is given to. Offsets and strides count floats.
///
/// - Requires: the ranges below lie inside their buffers; `output` aliases nothing but, exactly, `residual`.
///   Nothing else is read or written.
/// - Error: |y − ŷ| ≤ γ_n·Σ|x·w| with n = Σ_block channels·taps, one FMA per term in order of block, tap, channel
///   (the portable build rounds products too: γ_{n+1}); the epilogue adds one rounding for each of its steps.
/// - Work: 2·rows·width·n·V·vectors flop.
public struct ConvolutionStrip {
  /// Input origin. A pixel's operand is at `input + inputRows[row] + q·inputPixelStride + block·blockStride + taps[tap]`.
  public var input: UnsafePointer<Float>
  public var inputRows: UnsafePointer<Int>
  public var inputPixelStride: Int
  public var taps: UnsafePointer<Int>
  /// May be zero: the sum is then empty.
  public var tapCount: Int
  public var blockCount: Int
  public var blockStride: Int
  /// Consecutive channels read at each (block, tap), and those of the last block (1 … `blockChannels`).
  public var blockChannels: Int
  public var lastBlockChannels: Int
  /// `[block][tap][channel][vectors·V]`, packed without gaps in the order it is read; the last block has fewer channels.
  public var weights: UnsafePointer<Float>

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

  /// The sum starts from what the output holds instead of zero: a reduction done in several calls.
  public var accumulate: Bool
  /// Multiplied to the sum: vectors·V floats, or nil.
  public var scale: UnsafePointer<Float>?
  /// Added then: vectors·V floats, or nil.
  public var shift: UnsafePointer<Float>?
  /// Added then: a buffer laid out as the output, or nil.
  public var residual: UnsafePointer<Float>?
  /// max(·, 0) last; NaN stays NaN.
  public var relu: Bool

  public init(
    input: UnsafePointer<Float>, inputRows: UnsafePointer<Int>, inputPixelStride: Int,
    taps: UnsafePointer<Int>, tapCount: Int,
    blockCount: Int, blockStride: Int, blockChannels: Int, lastBlockChannels: Int,
    weights: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, outputRows: UnsafePointer<Int>, outputPixelStride: Int,
    outputVectorStride: Int, rowCount: Int, width: Int, vectors: Int, lanes: Int,
    accumulate: Bool = false, scale: UnsafePointer<Float>? = nil, shift: UnsafePointer<Float>? = nil,
    residual: UnsafePointer<Float>? = nil, relu: Bool = false
  ) {
    self.input = input
    self.inputRows = inputRows
    self.inputPixelStride = inputPixelStride
    self.taps = taps
    self.tapCount = tapCount
    self.blockCount = blockCount
    self.blockStride = blockStride
    self.blockChannels = blockChannels
    self.lastBlockChannels = lastBlockChannels
    self.weights = weights
    self.output = output
    self.outputRows = outputRows
    self.outputPixelStride = outputPixelStride
    self.outputVectorStride = outputVectorStride
    self.rowCount = rowCount
    self.width = width
    self.vectors = vectors
    self.lanes = lanes
    self.accumulate = accumulate
    self.scale = scale
    self.shift = shift
    self.residual = residual
    self.relu = relu
  }
}
