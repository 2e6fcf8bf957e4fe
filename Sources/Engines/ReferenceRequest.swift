import Problems
import Operations
import Tensors

/// A scalar that tensors of files and engines come in.
protocol ReferenceScalar: RealScalar {
  static func wrap(_ tensor: Tensor<Self>) -> AnyTensor
}

extension Float: ReferenceScalar {
  static func wrap(_ tensor: Tensor<Float>) -> AnyTensor { .float32(tensor) }
}

extension Double: ReferenceScalar {
  static func wrap(_ tensor: Tensor<Double>) -> AnyTensor { .float64(tensor) }
}

/// An exercise whose floats are read in one scalar type.
struct ReferenceRequest<Scalar: ReferenceScalar> {
  var exercise: Exercise

  init(_ exercise: Exercise) { self.exercise = exercise }

  func input(_ name: String) throws(ProblemError) -> Tensor<Scalar> {
    try required(exercise.inputs[name], "inputs/\(name)")
  }

  func parameter(_ name: String) throws(ProblemError) -> Tensor<Scalar> {
    try required(exercise.parameters[name], "parameters/\(name)")
  }

  func optionalParameter(_ name: String) throws(ProblemError) -> Tensor<Scalar>? {
    try exercise.parameters[name] == nil ? nil : parameter(name)
  }

  func buffer(_ name: String) throws(ProblemError) -> Tensor<Scalar> {
    try required(exercise.buffers[name], "buffers/\(name)")
  }

  /// The cotangent of an output; `nil` where no backward pass is wanted of it.
  func upstream(_ name: String) throws(ProblemError) -> Tensor<Scalar>? {
    guard exercise.passes.contains(.backward), let tensor = exercise.upstream[name] else { return nil }
    return try required(tensor, "upstream/\(name)")
  }

  func indices(_ name: String) throws(ProblemError) -> Tensor<Int64> {
    guard let tensor = exercise.inputs[name]?.integers else {
      throw ProblemError(.unsupportedDType, "inputs/\(name)", expected: "int64", found: found(exercise.inputs[name]))
    }
    return tensor
  }

  /// `running_mean`, `running_var` and `num_batches_tracked` under a prefix; `nil` when there are none.
  func batchNormBuffers(_ prefix: String = "") throws(ProblemError) -> BatchNorm2d.Buffers<Scalar>? {
    guard exercise.buffers[prefix + "running_mean"] != nil else { return nil }
    return BatchNorm2d.Buffers(
      runningMean: try buffer(prefix + "running_mean"), runningVariance: try buffer(prefix + "running_var"),
      batchesTracked: try batchesTracked(prefix + "num_batches_tracked"))
  }

  private func batchesTracked(_ name: String) throws(ProblemError) -> Int64? {
    guard let tensor = exercise.buffers[name] else { return nil }
    guard let integers = tensor.integers else {
      throw ProblemError(.unsupportedDType, "buffers/\(name)", expected: "int64", found: tensor.dtype.rawValue)
    }
    guard integers.count == 1 else {
      throw ProblemError(.shapeMismatch, "buffers/\(name)", expected: "one number", found: "shape \(integers.shape)")
    }
    return integers.elements[0]
  }

  /// The buffers as the golden format names them.
  func named(_ buffers: BatchNorm2d.Buffers<Scalar>?, _ prefix: String = "") -> [String: AnyTensor] {
    guard let buffers else { return [:] }
    var named = [
      prefix + "running_mean": Scalar.wrap(buffers.runningMean),
      prefix + "running_var": Scalar.wrap(buffers.runningVariance),
    ]
    if let count = buffers.batchesTracked {
      let name = prefix + "num_batches_tracked"
      // A scalar may be stored as one element; it goes back as it came.
      let shape = exercise.buffers[name]?.shape ?? []
      named[name] = .int64(Tensor(shape: shape, elements: [count]))
    }
    return named
  }

  private func required(_ tensor: AnyTensor?, _ subject: String) throws(ProblemError) -> Tensor<Scalar> {
    guard let tensor else {
      throw ProblemError(.shapeMismatch, subject, expected: "a tensor", found: "none")
    }
    guard let floating = tensor.floating(as: Scalar.self) else {
      throw ProblemError(.unsupportedDType, subject, expected: "float32 or float64", found: tensor.dtype.rawValue)
    }
    return floating
  }

  private func found(_ tensor: AnyTensor?) -> String { tensor?.dtype.rawValue ?? "no tensor" }
}
