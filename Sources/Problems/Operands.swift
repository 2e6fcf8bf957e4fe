import Tensors

/// The child groups of a golden case.
public enum TensorGroup: String, Hashable, Sendable, Codable, CaseIterable {
  case inputs, parameters, buffers, outputs, upstream, gradients
  case buffersAfter = "buffers_after"
}

/// What is known of a tensor before its elements are: shape and element type.
public struct TensorType: Hashable, Sendable, Codable {
  public var shape: Shape
  public var dtype: DType

  public init(_ shape: Shape, _ dtype: DType = .float32) {
    self.shape = shape
    self.dtype = dtype
  }
}

/// The types of everything that an operation is applied to, by group and name.
public struct Operands: Hashable, Sendable, Codable {
  public var inputs: [String: TensorType]
  public var parameters: [String: TensorType]
  public var buffers: [String: TensorType]

  public init(
    inputs: [String: TensorType] = [:], parameters: [String: TensorType] = [:], buffers: [String: TensorType] = [:]
  ) {
    self.inputs = inputs
    self.parameters = parameters
    self.buffers = buffers
  }

  /// The shape of a floating-point input that the operation cannot do without.
  public func input(_ name: String = "x", rank: Int? = nil) throws(ProblemError) -> Shape {
    guard let shape = try floating(inputs[name], "inputs/\(name)") else {
      throw ProblemError(.shapeMismatch, "inputs/\(name)", expected: "a tensor", found: "none")
    }
    if let rank, shape.rank != rank {
      throw ProblemError(.shapeMismatch, "inputs/\(name)", expected: "rank \(rank)", found: "shape \(shape)")
    }
    return shape
  }

  /// The shape of a parameter, `nil` when there is none.
  public func parameter(_ name: String, rank: Int? = nil) throws(ProblemError) -> Shape? {
    guard let shape = try floating(parameters[name], "parameters/\(name)") else { return nil }
    if let rank, shape.rank != rank {
      throw ProblemError(.shapeMismatch, "parameters/\(name)", expected: "rank \(rank)", found: "shape \(shape)")
    }
    return shape
  }

  public func requiredParameter(_ name: String, rank: Int? = nil) throws(ProblemError) -> Shape {
    guard let shape = try parameter(name, rank: rank) else {
      throw ProblemError(.shapeMismatch, "parameters/\(name)", expected: "a tensor", found: "none")
    }
    return shape
  }

  /// The shape of a buffer, `nil` when there is none.
  public func buffer(_ name: String) throws(ProblemError) -> Shape? {
    try floating(buffers[name], "buffers/\(name)")
  }

  /// Whether there is a buffer that counts: one integer.
  public func counter(_ name: String) throws(ProblemError) -> Bool {
    guard let type = buffers[name] else { return false }
    guard type.dtype == .int64 else {
      throw ProblemError(.unsupportedDType, "buffers/\(name)", expected: "int64", found: type.dtype.rawValue)
    }
    guard type.shape.count == 1 else {
      throw ProblemError(.shapeMismatch, "buffers/\(name)", expected: "one number", found: "shape \(type.shape)")
    }
    return true
  }

  private func floating(_ type: TensorType?, _ subject: String) throws(ProblemError) -> Shape? {
    guard let type else { return nil }
    guard type.dtype != .int64 else {
      throw ProblemError(.unsupportedDType, subject, expected: "float32 or float64", found: type.dtype.rawValue)
    }
    return type.shape
  }

  /// Throws unless the vector, when present, has exactly `count` elements.
  func requireVector(_ shape: Shape?, count: Int, _ subject: String) throws(ProblemError) {
    guard let shape, shape != [count] else { return }
    throw ProblemError(.shapeMismatch, subject, expected: "shape \(Shape(count))", found: "shape \(shape)")
  }
}
