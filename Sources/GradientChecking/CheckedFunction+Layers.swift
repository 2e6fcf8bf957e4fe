import Engines
import Problems
import Reference
import Tensors

extension CheckedFunction {
  /// A layer of the reference, forward and backward, with everything that its definition says about it.
  ///
  /// - Parameters:
  ///   - operands: as ``ReferenceLayer`` names them; values should be representable in float32.
  ///   - precision: the arithmetic of the backward pass; the forward pass is always in double precision.
  public init(_ layer: ReferenceLayer, operands: NamedTensors, precision: DType = .float64) {
    self.init(
      name: Self.text(of: layer.problem), at: operands, checking: layer.checkedOperands,
      forward: { try layer.forward($0) },
      backward: { operands, upstream in
        guard precision == .float32 else { return try layer.backward(operands, upstream) }
        let gradients = try layer.backward(
          operands.mapValues { $0.map { Float($0) } }, upstream.mapValues { $0.map { Float($0) } })
        return gradients.mapValues { $0.map { Double($0) } }
      })
    know(layer, precision: precision)
  }

  /// An engine's backward pass, held against the derivatives of the reference's forward: what an engine gets wrong in
  /// both passes alike is found too.
  ///
  /// - Parameter exercise: a case with its operands; cotangents and passes are filled in here.
  public init(
    engine: any Engine, exercise: Exercise, problem: any OperationProblem, operands: NamedTensors
  ) {
    let layer = ReferenceLayer(problem, classIndices: exercise.inputs["target"]?.integers)
    self.init(
      name: exercise.name, at: operands, checking: layer.checkedOperands,
      forward: { try layer.forward($0) },
      backward: Self.backward(of: engine, exercise: exercise, checked: layer.checkedOperands))
    know(layer, precision: exercise.dtype)
    judge(by: engine.description)
  }

  /// Only an engine that is known to sum products, in whatever order, is exact on integers and has a bound by its terms;
  /// of any other the rounding is measured.
  private mutating func judge(by engine: EngineDescription) {
    let algorithms = engine.info["algorithm"] ?? ""
    if engine.isBuiltIn, !algorithms.contains("winograd") { return }
    isExactOnIntegers = false
    roundingBounds = nil
  }

  static func backward(of engine: any Engine, exercise: Exercise, checked: [String]) -> Backward {
    { operands, upstream in
      let asked = exercise.asking(for: operands, upstream: upstream, checked: checked)
      let answer: Answer
      do throws(EngineError) { answer = try engine.compute(asked) } catch {
        if case .unsupported(let reason) = error { throw GradientCheckError.unsupported(reason) }
        throw error
      }
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

  private mutating func know(_ layer: ReferenceLayer, precision: DType) {
    let problem = layer.problem
    backwardUnitRoundoff = precision.unitRoundoff
    dualForward = { try layer.forward($0) }
    dualBackward = { try layer.backward($0, $1) }
    roundingBounds = { operands, upstream in
      precision == .float32
        ? try Self.bounds(layer, operands, upstream, as: Float.self)
        : try Self.bounds(layer, operands, upstream, as: Double.self)
    }
    footprints = Footprint.footprints(of: problem)
    work = problem.multiplyAccumulates
    (linear, isExactOnIntegers) = Self.linearity(of: problem)
    shiftInvariance = Self.shiftInvariance(of: problem)
    if let problem = problem as? Conv2dProblem {
      roundingBounds = { try Self.bounds(problem, $0, $1, unitRoundoff: precision.unitRoundoff) }
      if problem.groups == 1, problem.inputChannels > 1 {
        linearResponse = { operand, elements, direction, operands in
          try ConvolutionSlice(problem, operand: operand, elements: elements)?.response(to: direction, operands)
        }
        dualResponse = { operand, elements, operands in
          try ConvolutionSlice(problem, operand: operand, elements: elements)?.forward(operands)
        }
      }
    }
  }

  private static func text(of problem: any OperationProblem) -> String { problem.text }

  private static func bounds<Candidate: RealScalar>(
    _ layer: ReferenceLayer, _ operands: NamedTensors, _ upstream: NamedTensors, as: Candidate.Type
  ) throws -> NamedTensors {
    typealias Bound = RoundingBound<Candidate>
    let gradients = try layer.backward(
      operands.mapValues { $0.map { Bound($0) } }, upstream.mapValues { $0.map { Bound($0) } })
    // The last rounding, for an engine that stores the result.
    return gradients.mapValues { $0.map { $0.error + Candidate.unitRoundoff * abs($0.value) } }
  }

  /// Of a convolution: K products and their sum in any order are off by at most γ_K·Σ|terms|, and the sums of magnitudes
  /// are the same backward pass over magnitudes. 1 % covers its own rounding and terms of second order.
  private static func bounds(
    _ problem: Conv2dProblem, _ operands: NamedTensors, _ upstream: NamedTensors, unitRoundoff: Double
  ) throws -> NamedTensors {
    let layer = ReferenceLayer(problem)
    let magnitudes = try layer.backward(
      operands.mapValues { $0.map { abs($0) } }, upstream.mapValues { $0.map { abs($0) } })
    let taps = problem.outputChannels / problem.groups * problem.kernelSize.height * problem.kernelSize.width
    let positions = problem.batch * problem.outputSize.height * problem.outputSize.width
    return Dictionary(
      uniqueKeysWithValues: magnitudes.map { name, sums in
        let terms = Double(name == "x" ? taps : positions)
        return (name, sums.map { 1.01 * terms * unitRoundoff * $0 })
      })
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
    var asked = self
    for (name, tensor) in operands {
      let value = GuardBand.behind(AnyTensor.float64(tensor).converted(to: dtype))
      if asked.inputs[name] != nil { asked.inputs[name] = value }
      if asked.parameters[name] != nil { asked.parameters[name] = value }
      if asked.buffers[name] != nil { asked.buffers[name] = value }
    }
    asked.upstream = upstream.mapValues { GuardBand.behind(AnyTensor.float64($0).converted(to: dtype)) }
    asked.passes = [.forward, .backward]
    asked.wanted = Set(checked.map { "gradients/\($0)" })
    return asked
  }
}
