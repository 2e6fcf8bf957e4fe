/// The element types that golden files, engines and reports speak of.
public enum DType: String, Hashable, Sendable, Codable, CaseIterable {
  case float32, float64, int64

  /// Unit roundoff; 0 for integers, which are exact.
  public var unitRoundoff: Double {
    switch self {
    case .float32: Float.unitRoundoff
    case .float64: Double.unitRoundoff
    case .int64: 0
    }
  }
  public var byteCount: Int { self == .float32 ? 4 : 8 }
}

/// A tensor of an element type known only at run time, as files and engines exchange them.
public enum AnyTensor: Sendable, Equatable {
  case float32(Tensor<Float>)
  case float64(Tensor<Double>)
  case int64(Tensor<Int64>)

  public var shape: Shape {
    switch self {
    case .float32(let tensor): tensor.shape
    case .float64(let tensor): tensor.shape
    case .int64(let tensor): tensor.shape
    }
  }

  public var dtype: DType {
    switch self {
    case .float32: .float32
    case .float64: .float64
    case .int64: .int64
    }
  }

  /// Every element as a double: exact for floats, and for integers up to 2^53.
  public var doubles: Tensor<Double> {
    switch self {
    case .float32(let tensor): tensor.map(Double.init)
    case .float64(let tensor): tensor
    case .int64(let tensor): tensor.map(Double.init)
    }
  }

  /// Floats converted to `dtype` (rounded to nearest when it is narrower); integers stay as they are.
  public func converted(to dtype: DType) -> AnyTensor {
    switch (self, dtype) {
    case (.float64(let tensor), .float32): .float32(tensor.map { Float($0) })
    case (.float32(let tensor), .float64): .float64(tensor.map { Double($0) })
    default: self
    }
  }

  /// The tensor in the scalar type asked for; `nil` for integers.
  public func floating<Scalar: RealScalar>(as: Scalar.Type = Scalar.self) -> Tensor<Scalar>? {
    switch self {
    case .float32(let tensor): (tensor as? Tensor<Scalar>) ?? tensor.map { Scalar(Double($0)) }
    case .float64(let tensor): (tensor as? Tensor<Scalar>) ?? tensor.map { Scalar($0) }
    case .int64: nil
    }
  }

  /// The integers; `nil` for floats.
  public var integers: Tensor<Int64>? { if case .int64(let tensor) = self { tensor } else { nil } }
}
