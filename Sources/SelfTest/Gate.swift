import Engines
import Foundation
import GoldenFiles
import GradientChecking
import Problems
import Results
import RunAnalysis
import Tensors
import Verification

/// The judging itself, as functions that a defect can be put around.
struct Gate: Sendable {
  /// One case on one engine.
  var judge: @Sendable (VerificationCase, any Engine, DType) -> CaseResult = { item, engine, dtype in
    CaseVerifier(item).verify(engine, dtype: dtype)
  }
  /// The reference in single precision on one case, with bounds from an oracle.
  var judgeBy: @Sendable (Oracle, VerificationCase) -> CaseResult = { oracle, item in
    CaseVerifier(item, oracle: oracle).verify(ReferenceEngine(), dtype: .float32)
  }
  /// A run's exit code.
  var conclude: @Sendable (VerificationSection) -> Int = { Int($0.conclusion.outcome.exitCode) }
  /// Whether cases of one operation would notice defects.
  var judgeVacuity: @Sendable (String, [VerificationCase]) -> VacuityRecord = { operation, cases in
    VacuityJudge(oracle: ReferenceEngine()).judge(operation, by: cases)
  }
  /// One gradient check.
  var check: @Sendable (GradientCheck) -> GradientRecord = { $0.run() }
  /// What runs that are parts of one amount to together; `nil` where they are refused.
  var merge: @Sendable ([RunMerge.Part], [RunMerge.Expectation]) -> Run? = { parts, expected in
    try? RunMerge.merge(parts, expected: expected, origin: GateProbe.origin)
  }
  /// The exit code of a whole run, of every command that makes, merges or reports one.
  var concludeRun: @Sendable (Run) -> Int = { Int($0.conclusion.outcome.exitCode) }
  /// The exit code of a run in a file.
  var concludeStored: @Sendable (Data) -> Int? = { data in
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return (try? decoder.decode(Run.self, from: data)).map { Int($0.conclusion.outcome.exitCode) }
  }
  /// A gradient run's exit code.
  var concludeGradients: @Sendable ([GradientRecord]) -> Int = {
    Int(GradientSection(records: $0, seconds: 0).conclusion.outcome.exitCode)
  }
}

/// A defect of the gate.
struct GateMutant: Sendable {
  let name: String
  let apply: @Sendable (inout Gate) -> Void

  init(_ name: String, _ apply: @escaping @Sendable (inout Gate) -> Void) {
    self.name = name
    self.apply = apply
  }
}

/// An engine whose answers are changed with sight of what is expected: how a defect of the comparison looks from outside.
private struct Doctored: Engine {
  let base: any Engine
  let change: @Sendable (inout Answer) -> Void
  var description: EngineDescription { base.description }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    var answer = try base.compute(exercise)
    change(&answer)
    return answer
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    try base.prepare(exercise, for: timing)
  }
}

extension GateMutant {
  /// Every output is passed through a function of itself and of the expected tensor before it is compared.
  private static func comparing(
    _ name: String, _ change: @escaping @Sendable (_ found: AnyTensor?, _ expected: AnyTensor) -> AnyTensor?
  ) -> GateMutant {
    GateMutant(name) { gate in
      let judge = gate.judge
      gate.judge = { item, engine, dtype in
        let doctored = Doctored(base: engine) { answer in
          for (name, expected) in item.golden.outputs {
            guard case .whole(let tensor) = expected.value else { continue }
            answer.outputs[name] = change(answer.outputs[name], tensor.converted(to: dtype))
          }
        }
        return judge(item, doctored, dtype)
      }
    }
  }

  /// Verdicts are changed after the fact.
  private static func judging(_ name: String, _ change: @escaping @Sendable (inout CaseResult) -> Void) -> GateMutant {
    GateMutant(name) { gate in
      let judge = gate.judge
      gate.judge = { item, engine, dtype in
        var result = judge(item, engine, dtype)
        change(&result)
        return result
      }
    }
  }

  static func concluding(
    _ name: String, _ change: @escaping @Sendable (VerificationSection, Int) -> Int
  ) -> GateMutant {
    GateMutant(name) { gate in
      let conclude = gate.conclude
      gate.conclude = { change($0, conclude($0)) }
    }
  }

  private static func checking(
    _ name: String, _ change: @escaping @Sendable (inout GradientRecord) -> Void
  ) -> GateMutant {
    GateMutant(name) { gate in
      let check = gate.check
      gate.check = { gradientCheck in
        var record = check(gradientCheck)
        change(&record)
        return record
      }
    }
  }

  private static func merged(_ found: AnyTensor?, _ expected: AnyTensor, where take: (Int, Double) -> Bool)
    -> AnyTensor?
  {
    guard let found, found.shape == expected.shape else { return found }
    let (values, wanted) = (found.doubles.elements, expected.doubles.elements)
    return AnyTensor.float64(
      Tensor(shape: found.shape, elements: values.indices.map { take($0, values[$0]) ? wanted[$0] : values[$0] })
    ).converted(to: found.dtype)
  }

  static let all: [GateMutant] = comparisons + conclusions + oracles + vacuity + gradients + runs

  private static let comparisons: [GateMutant] = [
    comparing("NaN equal to anything") { found, expected in merged(found, expected) { _, value in value.isNaN } },
    comparing("shape not looked at") { found, expected in
      guard let found, found.shape.count == expected.shape.count else { return found }
      return .float64(found.doubles.reshaped(to: expected.shape)).converted(to: found.dtype)
    },
    comparing("output aliases the expected values") { _, expected in expected },
    comparing("missing tensor ignored") { found, expected in found ?? expected },
    comparing("only the first element compared") { found, expected in merged(found, expected) { index, _ in index > 0 }
    },
    comparing("buffer that was not written taken for correct") { found, expected in
      guard let found else { return nil }
      let unwritten = Set(UnwrittenMark.positions(in: found))
      return merged(found, expected) { index, _ in unwritten.contains(index) }
    },
    comparing("sign not looked at") { found, expected in
      guard let found, found.shape == expected.shape else { return found }
      let pairs = zip(found.doubles.elements, expected.doubles.elements)
      return AnyTensor.float64(
        Tensor(shape: found.shape, elements: pairs.map { abs($0 + $1) < 1e-3 * abs($1) ? $1 : $0 })
      ).converted(to: found.dtype)
    },
    GateMutant("reference called in place of the candidate") { gate in
      let judge = gate.judge
      gate.judge = { item, _, dtype in judge(item, ReferenceEngine(), dtype) }
    },
    GateMutant("reading past an input's end not noticed") { gate in
      let judge = gate.judge
      gate.judge = { item, engine, dtype in judge(item, ZeroBanded(base: engine), dtype) }
    },
    judging("tolerance times the tensor's size") { result in
      let forgiven = result.tensors.allSatisfy { $0.problem.isEmpty && $0.worstRatio <= Double($0.compared) }
      if result.status == .fail, !result.tensors.isEmpty, forgiven { result.status = .pass }
    },
    judging("one element in a hundred may be wrong") { result in
      let forgiven = result.tensors.allSatisfy { $0.problem.isEmpty && 100 * $0.failing <= $0.compared }
      if result.status == .fail, !result.tensors.isEmpty, forgiven { result.status = .pass }
    },
    judging("mutation of the input not looked at") { result in
      if result.status == .fail, result.message.contains("the engine changed") { result.status = .pass }
    },
    GateMutant("a fingerprint of the input that cannot see signs") { gate in
      let judge = gate.judge
      gate.judge = { item, engine, dtype in judge(item, SignsRestored(base: engine), dtype) }
    },
    judging("a refusal taken for unsupported") { result in
      if result.status == .fail, result.message.contains("refusal") { result.status = .unsupported }
    },
    judging("a crash taken for unsupported") { if $0.status == .error { $0.status = .unsupported } },
    judging("a result taken where a refusal is due") { result in
      if result.status == .fail, result.message.contains("expected a refusal") { result.status = .refused }
    },
  ]

  private static let conclusions: [GateMutant] = [
    concluding("exit code dropped") { _, _ in 0 },
    concluding("empty corpus is a success") { section, code in section.results.isEmpty && code == 2 ? 0 : code },
    concluding("a skip is a pass") { section, code in
      section.results.allSatisfy { $0.status == .unsupported } && code == 2 ? 0 : code
    },
    concluding("one pass is enough") { section, code in section.results.contains { $0.status == .pass } ? 0 : code },
    concluding("a damaged file is skipped") { _, code in code == 65 ? 0 : code },
    concluding("a vacuous corpus is a success") { section, code in
      code == 1 && !section.results.contains { $0.counts(strict: section.strict) } ? 0 : code
    },
  ]

  private static func judgingVacuity(
    _ name: String, _ change: @escaping @Sendable (inout VacuityRecord) -> Void
  ) -> GateMutant {
    GateMutant(name) { gate in
      let judge = gate.judgeVacuity
      gate.judgeVacuity = { operation, cases in
        var record = judge(operation, cases)
        change(&record)
        return record
      }
    }
  }

  private static let vacuity: [GateMutant] = [
    judgingVacuity("vacuity does not look at gradients") { record in
      record.noticedBy = record.noticedBy.filter { !$0.key.contains("gradients/") }
    },
    judgingVacuity("vacuity takes every defect for one that cannot show") { record in
      for name in record.unnoticed {
        record.noticedBy[name] = nil
        record.notJudged[name] = "it cannot show"
      }
    },
    judgingVacuity("vacuity judges what cannot show") { record in
      for name in record.notJudged.keys { record.noticedBy[name] = "" }
    },
  ]

  private static let gradients: [GateMutant] = [
    checking("inconclusive is a pass") { if $0.verdict == .inconclusive { $0.verdict = .pass } },
    checking("a gradient that is NaN is skipped") { record in
      let bad = record.tensors.flatMap(\.badElements)
      if record.verdict == .fail, !bad.isEmpty, bad.allSatisfy({ $0.analytic.isNaN }) { record.verdict = .pass }
    },
    checking("only the first operand checked") { record in
      if let first = record.tensors.first, record.verdict == .fail, first.verdict == .pass { record.verdict = .pass }
    },
    checking("rtol 1e-3 in place of the bound") { record in
      let bad = record.tensors.flatMap(\.badElements)
      if record.verdict == .fail, !bad.isEmpty,
        bad.allSatisfy({ abs($0.difference) <= 1e-3 * abs($0.numeric) }),
        record.contracts.allSatisfy({ $0.verdict == .pass })
      {
        record.verdict = .pass
      }
    },
    checking("whatever happens at a kink is right") { record in
      let bad = record.tensors.flatMap(\.badElements)
      if record.verdict == .fail, !bad.isEmpty, bad.allSatisfy({ $0.reason?.contains("kink") == true }) {
        record.verdict = .pass
      }
    },
    checking("contracts not looked at") { record in
      record.verdict = record.tensors.reduce(.pass) { .worse($0, $1.verdict) }
    },
    checking("a check that broke off is a pass") { if $0.verdict == .error { $0.verdict = .pass } },
    GateMutant("gradients' exit code dropped") { $0.concludeGradients = { _ in 0 } },
  ]
}
