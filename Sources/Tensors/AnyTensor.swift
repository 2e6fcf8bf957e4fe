/// A tensor of an element type known only at run time, as files and engines exchange them.
public enum AnyTensor: Sendable, Equatable {
  case float32(Tensor<Float>)
  case float64(Tensor<Double>)
  /// Of at most 16 bits.
  case packed(PackedTensor)
  case int64(Tensor<Int64>)

  public var shape: Shape {
    switch self {
    case .float32(let tensor): tensor.shape
    case .float64(let tensor): tensor.shape
    case .packed(let tensor): tensor.shape
    case .int64(let tensor): tensor.shape
    }
  }

  public var dtype: DType {
    switch self {
    case .float32: .float32
    case .float64: .float64
    case .packed(let tensor): tensor.dtype
    case .int64: .int64
    }
  }

  /// Every element as a double: exact for floats, and for integers up to 2^53.
  public var doubles: Tensor<Double> {
    switch self {
    case .float32(let tensor): tensor.map(Double.init)
    case .float64(let tensor): tensor
    case .packed(let tensor): tensor.doubles
    case .int64(let tensor): tensor.map(Double.init)
    }
  }

  /// Floats converted to `dtype` (rounded to nearest, ties to even, when it is narrower); integers stay as they are.
  public func converted(to dtype: DType) -> AnyTensor {
    guard self.dtype != .int64, self.dtype != dtype else { return self }
    switch dtype {
    case .float64: return .float64(doubles)
    case .float32: return .float32(floating() ?? Tensor(shape: [0], elements: []))
    case .int64: return self
    // What Swift has no arithmetic for.
    default: return .packed(PackedTensor(dtype, rounding: doubles))
    }
  }

  /// Values of 16 bits as float32's, which they are; any other tensor as it is.
  public var widened: AnyTensor { if case .packed = self { converted(to: .float32) } else { self } }

  /// The tensor in the scalar type asked for; `nil` for integers.
  public func floating<Scalar: RealScalar>(as: Scalar.Type = Scalar.self) -> Tensor<Scalar>? {
    switch self {
    case .float32(let tensor): (tensor as? Tensor<Scalar>) ?? tensor.map { Scalar(Double($0)) }
    case .float64(let tensor): (tensor as? Tensor<Scalar>) ?? tensor.map { Scalar($0) }
    case .packed(let tensor): tensor.doubles as? Tensor<Scalar> ?? tensor.doubles.map { Scalar($0) }
    case .int64: nil
    }
  }

  /// The integers; `nil` for floats.
  public var integers: Tensor<Int64>? { if case .int64(let tensor) = self { tensor } else { nil } }

  /// The same elements under another shape.
  /// - Requires: as many elements.
  public func reshaped(to shape: Shape) -> AnyTensor {
    switch self {
    case .float32(let tensor): .float32(tensor.reshaped(to: shape))
    case .float64(let tensor): .float64(tensor.reshaped(to: shape))
    case .packed(let tensor): .packed(PackedTensor(tensor.dtype, patterns: tensor.patterns.reshaped(to: shape)))
    case .int64(let tensor): .int64(tensor.reshaped(to: shape))
    }
  }
}
