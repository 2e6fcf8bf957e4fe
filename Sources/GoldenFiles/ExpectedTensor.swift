import Tensors

/// An expected tensor and how the file wants it compared.
public struct ExpectedTensor: Sendable, Equatable {
  public enum Value: Sendable, Equatable {
    case whole(AnyTensor)
    case sampled(SampledTensor)
  }

  public var value: Value
  public var tolerance: ToleranceOverride
  /// Whether a NaN is the right answer where NaN is expected.
  public var equalNaN: Bool
  /// Whether −0 and +0 are told apart.
  public var checkSignedZero: Bool

  public init(
    _ value: Value, tolerance: ToleranceOverride = ToleranceOverride(), equalNaN: Bool = true,
    checkSignedZero: Bool = false
  ) {
    self.value = value
    self.tolerance = tolerance
    self.equalNaN = equalNaN
    self.checkSignedZero = checkSignedZero
  }

  public init(_ tensor: AnyTensor) { self.init(.whole(tensor)) }

  public var shape: Shape {
    switch value {
    case .whole(let tensor): tensor.shape
    case .sampled(let sample): sample.shape
    }
  }

  /// Sampled values are floats.
  public var isInteger: Bool {
    if case .whole(let tensor) = value { tensor.dtype == .int64 } else { false }
  }
}

/// Tolerances that the file itself gives: required of custom operations, an override elsewhere.
public struct ToleranceOverride: Sendable, Hashable, Codable {
  public var absolute: Double?
  public var relative: Double?
  public var maximumULPs: Double?
  public var reason: String?

  public init(absolute: Double? = nil, relative: Double? = nil, maximumULPs: Double? = nil, reason: String? = nil) {
    self.absolute = absolute
    self.relative = relative
    self.maximumULPs = maximumULPs
    self.reason = reason
  }

  public var isEmpty: Bool { absolute == nil && relative == nil && maximumULPs == nil }

  /// The tolerances that would accept a tensor of zeros in place of this one, and so accept anything.
  ///
  /// Zero is off by |y|: by max |y| at the most, by 1 relative to y, and in float32 by 2²³ units in the last place. A tolerance
  /// must be below that. Where every element is 0, nothing says how large an error is, and absolute tolerances stay below 1.
  func excesses(over value: ExpectedTensor.Value) -> [(name: String, expected: String, found: Double)] {
    var excesses: [(name: String, expected: String, found: Double)] = []
    if let absolute, absolute > 0 {
      let largest = value.largestFiniteMagnitude
      let ceiling = largest > 0 ? largest : 1
      if absolute >= ceiling {
        excesses.append(("atol", "less than \(ceiling), the largest magnitude of the tensor", absolute))
      }
    }
    if let relative, relative >= 1 {
      excesses.append(("rtol", "less than 1, which is the error of a result of zero", relative))
    }
    if let maximumULPs, maximumULPs >= 0x1p23 {
      excesses.append(("max_ulp", "less than 2^23, which is the error of a result of zero in float32", maximumULPs))
    }
    return excesses
  }
}

extension ExpectedTensor.Value {
  /// 0 where no element is finite.
  var largestFiniteMagnitude: Double {
    func largest(_ elements: some Sequence<Double>) -> Double {
      elements.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
    }
    return switch self {
    case .whole(.float32(let tensor)): largest(tensor.elements.lazy.map(Double.init))
    case .whole(.float64(let tensor)): largest(tensor.elements)
    case .whole(.int64(let tensor)): largest(tensor.elements.lazy.map(Double.init))
    case .whole(.packed(let tensor)): largest(tensor.doubles.elements)
    case .sampled(let sample): largest(sample.values + [sample.absMax])
    }
  }
}

/// Some elements of an expected tensor that is too large to store, and three figures over the whole of it.
public struct SampledTensor: Sendable, Hashable {
  public let shape: Shape
  /// Row-major positions, each inside the shape; as many as `values`.
  public let indices: [Int]
  public let values: [Double]
  public let l2Norm: Double
  public let sum: Double
  public let absMax: Double

  /// - Requires: as many indices as values, all inside the shape.
  public init(shape: Shape, indices: [Int], values: [Double], l2Norm: Double, sum: Double, absMax: Double) {
    precondition(indices.count == values.count, "one value for each index")
    self.shape = shape
    self.indices = indices
    self.values = values
    self.l2Norm = l2Norm
    self.sum = sum
    self.absMax = absMax
  }
}
