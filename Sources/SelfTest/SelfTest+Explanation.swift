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
  /// - Returns: with the mutant among what is tried, and without, as if nobody had thought of it.
  func explanations(
    of mutant: Mutant, _ engine: MutantEngine, in dtype: DType, of operation: String, sound: SoundCases
  ) -> (known: ExplanationRecord, unknown: ExplanationRecord) {
    var failing: [(result: CaseResult, verifier: CaseVerifier)] = []
    for item in items[operation] ?? [] where sound[dtype]?.contains(item.name) == true {
      guard failing.count < Self.lookedInto + Self.heldAgainst else { break }
      let result = item.verifier.verify(engine, dtype: dtype)
      if result.status == .fail { failing.append((result, item.verifier)) }
    }
    failing.sort { FailureGroup.order($0.result) < FailureGroup.order($1.result) }
    func explanation(withholding withheld: String?) -> ExplanationRecord {
      let diagnosed = failing.compactMap { failure -> CaseResult? in
        var result = failure.result
        result.diagnosis = failure.verifier.diagnose(engine, dtype: dtype, withholding: withheld)
        return result.diagnosis == nil ? nil : result
      }
      return Self.explanation(diagnosed, of: mutant)
    }
    return (explanation(withholding: nil), explanation(withholding: mutant.name))
  }

  /// - Parameter diagnosed: failing cases that were looked into, the simplest first.
  private static func explanation(_ diagnosed: [CaseResult], of mutant: Mutant) -> ExplanationRecord {
    let looked = Array(diagnosed.prefix(lookedInto))
    let others = diagnosed.dropFirst(lookedInto)
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
