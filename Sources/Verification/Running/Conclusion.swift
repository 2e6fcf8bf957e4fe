import Results

/// What a verification amounts to: one exit code, and the reasons for it.
public struct Conclusion: Sendable, Hashable {
  public let outcome: Outcome
  public let reasons: [String]
  public var exitCode: Int { Int(outcome.exitCode) }

  public init(_ section: VerificationSection) {
    var outcome = Outcome.holds
    var reasons: [String] = []
    func conclude(_ worse: Outcome, _ reason: String) {
      outcome = Outcome.worse(outcome, worse)
      reasons.append(reason)
    }
    let bad = section.files.filter { !$0.errors.isEmpty }
    if !bad.isEmpty { conclude(.badData, "\(bad.count) of \(section.files.count) files have errors") }
    for status in [VerificationStatus.fail, .error, .unsupported] {
      let count = section.results.count { $0.status == status && $0.counts(strict: section.strict) }
      if count > 0 {
        let note = status == .unsupported ? " (--strict)" : ""
        conclude(.fails, "\(count) \(status.rawValue)\(note)")
      }
    }
    let omissions = section.results.count { !$0.omitted.isEmpty && $0.status == .pass }
    if section.strict, omissions > 0 { conclude(.fails, "\(omissions) cases with omitted tensors (--strict)") }
    let vacuous = section.vacuity.filter(\.isVacuous)
    if !vacuous.isEmpty { conclude(.fails, "VACUOUS: " + vacuous.map(\.operation).joined(separator: ", ")) }
    if !section.staleKnownFailures.isEmpty {
      conclude(.fails, "\(section.staleKnownFailures.count) entries of known failures no longer hold")
    }
    if section.interrupted { conclude(.inconclusive, "interrupted before every case was done") }
    if section.results.isEmpty { conclude(.inconclusive, "no case was run") }
    for engine in section.engines where !section.results.isEmpty {
      let own = section.results.filter { $0.engine == engine.name }
      if !own.contains(where: { [.pass, .refused].contains($0.status) }) {
        conclude(.inconclusive, "\(engine.name) passed no case")
      }
    }
    self.outcome = outcome
    self.reasons = reasons
  }
}
