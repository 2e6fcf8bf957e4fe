import Engines
import Problems
import Reference
import Tensors

extension CheckedFunction {
  /// A layer of the reference, forward and backward, with everything that its definition says about it.
  ///
  /// - Parameters:
  ///   - layer: whose backward pass is checked.
  ///   - operands: as ``ReferenceLayer`` names them; values should be representable in float32.
  ///   - precision: the arithmetic of the backward pass; the forward pass is always in double precision.
  ///   - algorithms: by which a backward pass that is put in place of the reference's may compute convolutions.
  public init(
    _ layer: ReferenceLayer, operands: NamedTensors, precision: DType = .float64, algorithms: Set<String> = []
  ) {
    self.init(
      name: layer.problem.text, at: operands, checking: layer.checkedOperands,
      forward: { try layer.forward($0) },
      backward: { operands, upstream in
        guard precision == .float32 else { return try layer.backward(operands, upstream) }
        let gradients = try layer.backward(
          operands.mapValues { $0.map { Float($0) } }, upstream.mapValues { $0.map { Float($0) } })
        return gradients.mapValues { $0.map { Double($0) } }
      })
    let exercise = GradientCase.exercise(
      name, problem: layer.problem, operands: operands, classIndices: layer.classIndices, dtype: .float64)
    know(layer, exercise, precision: precision, algorithms: algorithms)
  }

  /// An engine's backward pass, held against the derivatives of the reference's forward: what an engine gets wrong in
  /// both passes alike is found too.
  ///
  /// - Parameters:
  ///   - engine: whose backward pass is checked.
  ///   - exercise: a case with its operands; cotangents and passes are filled in here.
  ///   - problem: what the exercise asks for.
  ///   - operands: the point, in double precision.
  public init(
    engine: any Engine, exercise: Exercise, problem: any OperationProblem, operands: NamedTensors
  ) {
    let layer = ReferenceLayer(problem, classIndices: exercise.inputs["target"]?.integers)
    self.init(
      name: exercise.name, at: operands, checking: layer.checkedOperands,
      forward: { try layer.forward($0) },
      backward: Self.backward(of: engine, exercise: exercise, checked: layer.checkedOperands))
    let description = engine.description
    know(layer, exercise, precision: exercise.dtype, algorithms: description.algorithms)
    // Only an engine that is known to sum products, in whatever order, is exact on integers.
    let sumsProducts = description.isBuiltIn && !description.algorithms.contains { $0.hasPrefix("winograd") }
    isExactOnIntegers = isExactOnIntegers && sumsProducts
  }

  static func backward(of engine: any Engine, exercise: Exercise, checked: [String]) -> Backward {
    { operands, upstream in
      let answer = try ask(engine, exercise.asking(for: operands, upstream: upstream, checked: checked))
      var gradients: NamedTensors = [:]
      for name in checked {
        guard let found = answer.gradients[name] else { continue }
        var values = found.doubles
        // A conversion may quieten or shorten the mark.
        for position in UnwrittenMark.positions(in: found) { values.elements[position] = UnwrittenMark.float64 }
        gradients[name] = values
      }
      return gradients
    }
  }

  /// - Throws: ``GradientCheckError/unsupported(_:)`` for what the engine does not do, else ``EngineError``.
  static func ask(_ engine: any Engine, _ exercise: Exercise) throws -> Answer {
    do throws(EngineError) { return try engine.compute(exercise) } catch {
      if case .unsupported(let reason) = error { throw GradientCheckError.unsupported(reason) }
      throw error
    }
  }

  /// - Parameter exercise: the layer with its operands, in any precision.
  private mutating func know(
    _ layer: ReferenceLayer, _ exercise: Exercise, precision: DType, algorithms: Set<String>
  ) {
    let problem = layer.problem
    backwardUnitRoundoff = precision.unitRoundoff
    dualForward = { try layer.forward($0) }
    dualBackward = { try layer.backward($0, $1) }
    if let model = BackwardBounds(problem, exercise: exercise, algorithms: algorithms, precision: precision) {
      let checked = checked
      roundingBounds = { model.bounds($0, $1, of: checked) }
    }
    footprints = Footprint.footprints(of: problem)
    work = problem.multiplyAccumulates
    (linear, isExactOnIntegers) = Self.linearity(of: problem)
    shiftInvariance = Self.shiftInvariance(of: problem)
    if let problem = problem as? Conv2dProblem, problem.groups == 1, problem.inputChannels > 1 {
      linearResponse = { operand, elements, direction, operands in
        try ConvolutionSlice(problem, operand: operand, elements: elements)?.response(to: direction, operands)
      }
      dualResponse = { operand, elements, operands in
        try ConvolutionSlice(problem, operand: operand, elements: elements)?.forward(operands)
      }
    }
  }

  /// Operands that the operation is affine in, and whether integers give exact results.
  private static func linearity(of problem: any OperationProblem) -> (Set<String>, Bool) {
    switch problem {
    case is Conv2dProblem, is LinearProblem: (["x", "weight", "bias"], true)
    case is AddProblem: (["x", "other"], true)
    case is IdentityProblem, is DropoutProblem, is FlattenProblem: (["x"], true)
    case let problem as Upsample2dProblem: (["x"], problem.mode == .nearest)
    case let problem as AvgPool2dProblem: (["x"], hasDyadicDivisor(problem))
    default: ([], false)
    }
  }

  private static func hasDyadicDivisor(_ problem: AvgPool2dProblem) -> Bool {
    let window = problem.window
    let size = window.kernelSize.height * window.kernelSize.width
    let isWhole = !window.ceilMode && (problem.countIncludePad || window.padding == 0)
    let divisor = problem.divisorOverride ?? (isWhole ? size : 0)
    return divisor > 0 && divisor & (divisor - 1) == 0
  }

  private static func shiftInvariance(of problem: any OperationProblem) -> ShiftInvariance? {
    switch problem {
    case let problem as BatchNorm2dProblem where problem.usesBatchStatistics:
      let plane = problem.inputShape[2] * problem.inputShape[3]
      let channels = problem.channels
      return ShiftInvariance(operand: "x", unit: "channel", setCount: channels) {
        $0 / plane % channels
      }
    case let problem as SoftmaxProblem: return rows(problem.inputShape)
    case let problem as LogSoftmaxProblem: return rows(problem.inputShape)
    case let problem as CrossEntropyProblem: return rows(problem.inputShape)
    default: return nil
    }
  }

  private static func rows(_ shape: Shape) -> ShiftInvariance {
    let plane = shape.dimensions.dropFirst(2).reduce(1, *)
    let classes = shape[1]
    return ShiftInvariance(operand: "x", unit: "row", setCount: shape[0] * plane) { element in
      element / (classes * plane) * plane + element % plane
    }
  }
}

extension Exercise {
  /// The same with these operand values and cotangents, asking for gradients.
  func asking(for operands: NamedTensors, upstream: NamedTensors, checked: [String]) -> Exercise {
    var asked = replacing(operands)
    asked.upstream = upstream.mapValues { GuardBand.behind(AnyTensor.float64($0).converted(to: dtype)) }
    asked.passes = [.forward, .backward]
    asked.wanted = Set(checked.map { "gradients/\($0)" })
    return asked
  }

  /// The same with these operand values, asking for outputs alone.
  func asking(for operands: NamedTensors, outputs: Set<String>) -> Exercise {
    var asked = replacing(operands)
    asked.upstream = [:]
    asked.passes = [.forward]
    asked.wanted = Set(outputs.map { "outputs/\($0)" })
    return asked
  }

  private func replacing(_ operands: NamedTensors) -> Exercise {
    var asked = self
    for (name, tensor) in operands {
      let value = GuardBand.behind(AnyTensor.float64(tensor).converted(to: dtype))
      if asked.inputs[name] != nil { asked.inputs[name] = value }
      if asked.parameters[name] != nil { asked.parameters[name] = value }
      if asked.buffers[name] != nil { asked.buffers[name] = value }
    }
    return asked
  }
}
