/// A tensor of a type that Swift has no arithmetic for, as bit patterns.
public struct PackedTensor: Sendable, Equatable {
  public let dtype: DType
  public var patterns: Tensor<UInt16>

  /// - Requires: a float type of at most 16 bits.
  public init(_ dtype: DType, patterns: Tensor<UInt16>) {
    precondition(dtype.format.map { $0.bitCount <= 16 } ?? false, "\(dtype) does not fit into 16 bits")
    self.dtype = dtype
    self.patterns = patterns
  }

  /// Every element rounded to nearest, ties to even.
  public init(_ dtype: DType, rounding values: Tensor<Double>) {
    let format = dtype.format ?? .binary16
    self.init(dtype, patterns: values.map { UInt16(truncatingIfNeeded: format.pattern($0)) })
  }

  public var shape: Shape { patterns.shape }
  private var format: FloatFormat { dtype.format ?? .binary16 }
  public subscript(element: Int) -> Double { format.value(UInt32(patterns.elements[element])) }

  /// Every element as a double; exact.
  public var doubles: Tensor<Double> {
    let format = format
    return patterns.map { format.value(UInt32($0)) }
  }
}
