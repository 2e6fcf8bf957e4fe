import Operations
import Problems
import Tensors

/// Holds a case against its own operation: attributes, shapes and types must make sense together.
struct GoldenCaseChecker {
  let file: String

  /// Holds what computing the case takes against the limits. A case whose shapes make no sense costs nothing here: the
  /// operation itself refuses it later.
  func checkCost(
    _ summary: GoldenCaseSummary, _ attributes: Attributes, _ operands: Operands, limits: CaseLimits
  ) throws(GoldenFileError) {
    let problem = try? Problem.make(operation: summary.operation, attributes: attributes, operands: operands)
    guard let excess = limits.excess(of: problem?.cost ?? operands.cost) else { return }
    throw GoldenFileError(
      .tooCostly, file: file, object: summary.name, expected: excess.expected, found: excess.found,
      advice: excess.advice)
  }

  /// - Throws: ``GoldenFileError``; never for a case that must be refused, whose sense is the engine's to judge.
  func check(_ loaded: inout GoldenCase) throws(GoldenFileError) {
    guard loaded.expectError == nil else { return }
    try checkRepresentable(loaded)
    if loaded.isCustom { try checkTolerances(loaded) }
    let problem: (any OperationProblem)?
    do {
      problem = try loaded.exercise.problem()
    } catch {
      throw GoldenFileError(error, file: file, object: loaded.name, operation: loaded.operation)
    }
    if let outputs = problem?.outputs { try checkOutputs(&loaded, outputs) }
    try checkGradients(loaded, of: problem)
    if problem != nil { try checkBuffers(loaded) }
    guard !loaded.expected.isEmpty else {
      throw error(
        .missing, loaded.name, "at least one expected tensor", "none", "add outputs/, buffers_after/ or gradients/")
    }
  }

  /// Every engine must start from the same numbers, whatever its precision.
  private func checkRepresentable(_ loaded: GoldenCase) throws(GoldenFileError) {
    for (group, tensors) in [
      (TensorGroup.inputs, loaded.inputs), (.parameters, loaded.parameters), (.buffers, loaded.buffers),
      (.upstream, loaded.upstream),
    ] {
      for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
        guard case .float64(let doubles) = tensor else { continue }
        let odd = doubles.elements.firstIndex { !$0.isNaN && Double(Float($0)) != $0 }
        guard let odd else { continue }
        throw error(
          .inconsistent, "\(loaded.name)/\(group.rawValue)/\(name)", "values that float32 can represent",
          "\(doubles.elements[odd]) at \(doubles.shape.index(ofOffset: odd))",
          "round the tensor to float32 before the expected values are computed from it")
      }
    }
  }

  private func checkTolerances(_ loaded: GoldenCase) throws(GoldenFileError) {
    for (path, tensor) in loaded.expected.sorted(by: { $0.key < $1.key }) {
      guard !tensor.tolerance.isEmpty, tensor.tolerance.reason?.isEmpty == false else {
        throw error(
          .missing, "\(loaded.name)/\(path)", "atol, rtol or max_ulp, with a tolerance_reason",
          tensor.tolerance.isEmpty ? "no tolerance" : "no reason",
          Problem.nearMiss(of: loaded.operation).map { "did you mean the operation `\($0)`?" }
            ?? "`\(loaded.operation)` is not an operation of the format: the file must say what is close enough")
      }
    }
  }

  private func checkOutputs(_ loaded: inout GoldenCase, _ outputs: [String: TensorType]) throws(GoldenFileError) {
    for (name, type) in outputs.sorted(by: { $0.key < $1.key }) {
      if let tensor = loaded.outputs[name] {
        let matched = tensor.standing(for: type.shape)
        try require(type.shape, matched.shape, "\(loaded.name)/outputs/\(name)", loaded.operation)
        guard matched.isInteger == (type.dtype == .int64) else {
          throw error(
            .wrongType, "\(loaded.name)/outputs/\(name)", type.dtype == .int64 ? "integers" : "floats",
            matched.isInteger ? "integers" : "floats", "store indices as integers and everything else as floats")
        }
        loaded.outputs[name] = matched
      }
      if let cotangent = loaded.upstream[name] {
        let matched = cotangent.standing(for: type.shape)
        try require(type.shape, matched.shape, "\(loaded.name)/upstream/\(name)", loaded.operation)
        loaded.upstream[name] = matched
      }
    }
  }

  private func checkGradients(_ loaded: GoldenCase, of problem: (any OperationProblem)?) throws(GoldenFileError) {
    for (name, gradient) in loaded.gradients.sorted(by: { $0.key < $1.key }) {
      guard let source = loaded.inputs[name] ?? loaded.parameters[name] else {
        throw error(
          .missing, "\(loaded.name)/gradients/\(name)", "an input or parameter of this name", "none",
          "give a gradient the name of its input or parameter")
      }
      try require(source.shape, gradient.shape, "\(loaded.name)/gradients/\(name)", "the gradient of \(name)")
    }
    guard loaded.gradients.isEmpty || !loaded.upstream.isEmpty else {
      let outputs = problem?.outputs.filter { $0.value.dtype != .int64 }.keys.sorted() ?? loaded.outputs.keys.sorted()
      let output = ["y", "loss"].first(where: outputs.contains) ?? outputs.first ?? "y"
      throw error(
        .missing, "\(loaded.name)/upstream/\(output)", "the cotangent that the gradients were taken under", "none",
        "store dL/d\(output): gradients mean nothing without it")
    }
  }

  private func checkBuffers(_ loaded: GoldenCase) throws(GoldenFileError) {
    for (name, after) in loaded.buffersAfter.sorted(by: { $0.key < $1.key }) {
      guard let before = loaded.buffers[name], before.shape.count != 1 || after.shape.count != 1 else { continue }
      try require(before.shape, after.shape, "\(loaded.name)/buffers_after/\(name)", "the buffer before")
    }
  }

  private func require(
    _ expected: Shape, _ found: Shape, _ object: String, _ reason: String
  ) throws(GoldenFileError) {
    guard expected == found else {
      throw error(
        .inconsistent, object, "shape \(expected) (\(reason))", "shape \(found)", "generate the file again")
    }
  }

  private func error(
    _ kind: GoldenFileError.Kind, _ object: String, _ expected: String, _ found: String, _ advice: String
  ) -> GoldenFileError {
    GoldenFileError(kind, file: file, object: object, expected: expected, found: found, advice: advice)
  }
}

extension AnyTensor {
  /// A one-element tensor as the scalar that is meant; any other as it is.
  func standing(for shape: Shape) -> AnyTensor {
    guard shape.rank == 0, self.shape.count == 1 else { return self }
    return reshaped(to: shape)
  }
}

extension ExpectedTensor {
  /// See ``AnyTensor/standing(for:)``.
  func standing(for shape: Shape) -> ExpectedTensor {
    guard case .whole(let tensor) = value else { return self }
    var matched = self
    matched.value = .whole(tensor.standing(for: shape))
    return matched
  }
}
