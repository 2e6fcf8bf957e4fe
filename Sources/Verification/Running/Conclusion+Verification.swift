import Results

extension Conclusion {
  /// What a verification amounts to.
  public init(_ section: VerificationSection) {
    self.init()
    let bad = section.files.filter { !$0.errors.isEmpty }
    if !bad.isEmpty { add(.badData, because: "\(bad.count) of \(section.files.count) files have errors") }
    for status in [VerificationStatus.fail, .error, .unsupported] {
      let count = section.results.count { $0.status == status && $0.counts(strict: section.strict) }
      if count > 0 {
        let note = status == .unsupported ? " (--strict)" : ""
        add(.fails, because: "\(count) \(status.rawValue)\(note)")
      }
    }
    let omissions = section.results.count { !$0.omitted.isEmpty && $0.status == .pass }
    if section.strict, omissions > 0 { add(.fails, because: "\(omissions) cases with omitted tensors (--strict)") }
    let vacuous = section.vacuity.filter(\.isVacuous)
    if !vacuous.isEmpty { add(.fails, because: "VACUOUS: " + vacuous.map(\.operation).joined(separator: ", ")) }
    if !section.staleKnownFailures.isEmpty {
      add(.fails, because: "\(section.staleKnownFailures.count) entries of known failures no longer hold")
    }
    if section.interrupted { add(.inconclusive, because: "interrupted before every case was done") }
    if section.results.isEmpty { add(.inconclusive, because: "no case was run") }
    for engine in section.engines where !section.results.isEmpty {
      let own = section.results.filter { $0.engine == engine.name }
      if !own.contains(where: { [.pass, .refused].contains($0.status) }) {
        add(.inconclusive, because: "\(engine.name) passed no case")
      }
    }
  }
}
