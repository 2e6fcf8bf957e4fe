import Operations
import Problems
import Tensors
import Verification

extension Oracle {
  /// This one with a defect put in front of it.
  func spoilt(by mutant: Mutant) -> Oracle {
    let defect = mutant.make()
    return Oracle(of: operations.filter(mutant.applies)) { (problem, given) throws(ProblemError) in
      let exercise = Exercise(problem, given, named: Exercise.neutralName)
      do throws(EngineError) {
        return Found(try defect(exercise) { (exercise) throws(EngineError) in try answer(exercise) })
      } catch {
        throw ProblemError(.invalidArgument, mutant.name, expected: "an answer", found: "\(error)")
      }
    }
  }

  private func answer(_ exercise: Exercise) throws(EngineError) -> Answer {
    do throws(ProblemError) {
      guard let definition = try OperationRegistry.operation(of: exercise),
        let found = try found(definition.problem, definition.given(exercise, as: Double.self))
      else { return Answer() }
      return Answer(found)
    } catch {
      throw EngineError(error)
    }
  }
}

extension Found where Scalar == Double {
  /// What an answer has in floating point.
  fileprivate init(_ answer: Answer) {
    self.init(outputs: answer.outputs.mapValues(\.doubles))
    gradients = answer.gradients.mapValues(\.doubles)
    buffersAfter = answer.buffersAfter.mapValues(\.doubles)
  }
}

extension GateProbe {
  /// The oracle that bounds come from is held to what is expected, as an operation's own and through the layers of a block.
  static let oracles: [GateProbe] = [
    GateProbe("an oracle without a defect lets a correct engine pass") { gate in
      cases.allSatisfy { gate.judgeBy(.blocked, $0).status == .pass }
    },
    GateProbe("an oracle with a defect is an error, although the engine is correct") { gate in
      !cases.isEmpty && cases.allSatisfy { gate.judgeBy(wrong, $0).status == .error }
    },
  ]

  /// One element off by a thousandth of a rounding of float32: far beyond double precision's, and nothing beside any bound of float32.
  private static let wrong = Oracle(of: Oracle.blocked.operations) { (problem, given) throws(ProblemError) in
    var found = try Oracle.blocked.found(problem, given)
    found?.outputs["y"]?.elements[0] *= 1 + 0x1p-34
    return found
  }

  /// A case of an operation that the oracle has a way of its own for, and one of a block that has such a layer.
  private static let cases: [VerificationCase] = {
    let own = Oracle.blocked.operations
    let ofOwn = OperationRegistry.gradientCases.first { own.contains($0.operation) }
    let ofBlock = OperationRegistry.gradientCases.first { gradientCase in
      let layers = (try? Problem.parse(gradientCase.text)) as? any LayeredProblem
      return layers?.layers.contains { own.contains(type(of: $0.problem).operation) } == true
    }
    return [ofOwn, ofBlock].compactMap { $0.flatMap { try? SelfTest.goldenCase($0, seed: 1) } }
  }()
}

extension GateMutant {
  static let oracles: [GateMutant] = [
    GateMutant("an oracle believed whatever it says") { gate in
      let judge = gate.judgeBy
      gate.judgeBy = { _, item in judge(.blocked, item) }
    }
  ]
}
