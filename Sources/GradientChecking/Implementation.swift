import Engines
import Problems
import Tensors

/// Who computes the backward pass under test, and so how it may round.
public enum Implementation: Sendable {
  /// Swift code in this precision: the definition's own backward pass, or a caller's closure.
  case code(DType)
  /// An engine, which is asked for this exercise with other operand values and cotangents.
  case engine(any Engine, Exercise)

  public var precision: DType {
    switch self {
    case .code(let precision): precision
    case .engine(_, let exercise): exercise.dtype
    }
  }

  /// How sums of products may be computed; the definition where there is none.
  var algorithms: Set<SumAlgorithm> {
    switch self {
    case .code: []
    case .engine(let engine, let exercise): engine.description.sums(of: exercise.operation)
    }
  }

  /// Whether integers give what the definition gives on them. Only an engine that is known to sum products, in whatever
  /// order, is exact on integers.
  var isExactOnIntegers: Bool {
    switch self {
    case .code: true
    case .engine(let engine, _): engine.description.isBuiltIn && algorithms.isSubset(of: [.terms])
    }
  }

  /// The unit roundoff of its arithmetic.
  var unitRoundoff: Double { max(precision.unitRoundoff, Double.unitRoundoff) }

  /// The backward pass of a function that the reference has.
  /// - Parameter checked: the operands whose gradients an engine is asked for.
  func backward(of function: any GenericFunction, checked: [String]) -> CheckedFunction.Backward {
    switch self {
    case .engine(let engine, let exercise):
      return { try engine.gradients(exercise, at: $0, upstream: $1, of: checked) }
    case .code(.float32):
      return { operands, upstream in
        try function.backward(operands.mapValues { $0.map { Float($0) } }, upstream.mapValues { $0.map { Float($0) } })
          .mapValues { $0.map { Double($0) } }
      }
    case .code:
      return { try function.backward($0, $1) }
    }
  }
}

extension Engine {
  /// - Throws: ``GradientCheckError/unsupported(_:)`` for what the engine does not do, else ``EngineError``.
  func gradients(
    _ exercise: Exercise, at operands: NamedTensors, upstream: NamedTensors, of checked: [String]
  ) throws -> NamedTensors {
    let answer = try answer(exercise.asking(for: operands, upstream: upstream, checked: checked))
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

  /// - Throws: as ``gradients(_:at:upstream:of:)``.
  func outputs(_ names: Set<String>, _ exercise: Exercise, at operands: NamedTensors) throws -> NamedTensors {
    let answer = try answer(exercise.asking(for: operands, outputs: names))
    return answer.outputs.filter { names.contains($0.key) }.mapValues(\.doubles)
  }

  private func answer(_ exercise: Exercise) throws -> Answer {
    do throws(EngineError) { return try compute(exercise) } catch {
      if case .unsupported(let reason) = error { throw GradientCheckError.unsupported(reason) }
      throw error
    }
  }
}

extension Exercise {
  /// The same with these operand values and cotangents, asking for gradients.
  fileprivate func asking(for operands: NamedTensors, upstream: NamedTensors, checked: [String]) -> Exercise {
    var asked = replacing(operands)
    asked.upstream = upstream.mapValues { GuardBand.behind(AnyTensor.float64($0).converted(to: dtype)) }
    asked.passes = [.forward, .backward]
    asked.wanted = Set(checked.map { "gradients/\($0)" })
    return asked
  }

  /// The same with these operand values, asking for outputs alone.
  fileprivate func asking(for operands: NamedTensors, outputs: Set<String>) -> Exercise {
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
