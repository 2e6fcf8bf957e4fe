import Engines
import Problems
import Results
import Tensors
import Verification

/// What the failures of a mutant look like: whether their first line names what is wrong.
extension SelfTest {
  /// Failing cases of an operation that are looked into, and so many more on which what is named must give the same.
  private static let lookedInto = 12
  private static let heldAgainst = 12

  /// - Parameters:
  ///   - mutant: the defect.
  ///   - engine: which has it.
  ///   - dtype: the type that golden cases fail it in.
  ///   - operation: the one whose case failed it.
  ///   - sound: the cases that the correct engine passes.
  ///   - isKnown: whether the mutant is among what is tried; else it is left out, as if nobody had thought of it.
  func explanation(
    of mutant: Mutant, _ engine: MutantEngine, in dtype: DType, of operation: String, sound: SoundCases, isKnown: Bool
  ) -> ExplanationRecord {
    var failing: [CaseResult] = []
    var verifiers: [String: CaseVerifier] = [:]
    for item in items[operation] ?? [] where sound[dtype]?.contains(item.name) == true {
      guard failing.count < Self.lookedInto + Self.heldAgainst else { break }
      let result = item.verifier.verify(engine, dtype: dtype)
      guard result.status == .fail else { continue }
      failing.append(result)
      verifiers[item.name] = item.verifier
    }
    failing.sort { FailureGroup.order($0) < FailureGroup.order($1) }
    for index in failing.indices {
      failing[index].diagnosis = verifiers[failing[index].name]?
        .diagnose(engine, dtype: dtype, withholding: isKnown ? nil : mutant.name)
    }
    let diagnosed = failing.filter { $0.diagnosis != nil }
    let looked = Array(diagnosed.prefix(Self.lookedInto))
    let others = diagnosed.dropFirst(Self.lookedInto)
    guard let cause = FailureCause(looked, isPart: false) else {
      return ExplanationRecord(verdict: .none, text: "", looked: looked.count, others: others.count)
    }
    var record = ExplanationRecord(verdict: .same, text: cause.text, looked: looked.count, others: others.count)
    let refuting = others.first { result in
      !cause.names.contains { name in result.diagnosis?.causes.contains { $0.name == name } == true }
    }
    record.refutedBy = refuting?.name
    if cause.shown.contains(mutant.name) {
      record.verdict = cause.names.count == 1 ? .named : .among
    } else if cause.sureness == .looksLike {
      record.verdict = .unsure
    } else if refuting != nil {
      record.verdict = .wrong
    }
    return record
  }
}
