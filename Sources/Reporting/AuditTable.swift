import Results

/// What the audits of a run found: for each engine and rule, on how many workloads it holds.
public struct AuditTable {
  public let headings = ["engine", "trust"] + AuditRule.allCases.map(\.rawValue)
  /// `6`, or `4, 1 violated, 1 unresolved`; a dash where the rule was not tried.
  public let rows: [[String]]
  /// Of the run's time, what audits took.
  private let share: Double?

  /// - Returns: nil for a run without audits.
  public init?(_ section: BenchmarkSection) {
    let contestants = section.workloads.flatMap(\.contestants)
    rows = section.engines.compactMap { engine in
      let own = contestants.filter { $0.engine == engine.name && $0.audit != nil }
      guard !own.isEmpty else { return nil }
      let findings = own.flatMap { $0.audit?.findings ?? [] }
      let trusts = Trust.allCases.filter { trust in own.contains { $0.trust == trust } }
      return [engine.name, trusts.map(\.rawValue).joined(separator: ", ")]
        + AuditRule.allCases.map { rule in Self.cell(findings.filter { $0.rule == rule }) }
    }
    guard !rows.isEmpty else { return nil }
    share = section.auditSeconds.map { $0 / section.seconds }
  }

  private static func cell(_ findings: [AuditFinding]) -> String {
    guard !findings.isEmpty else { return "–" }
    let counts = AuditVerdict.allCases.map { verdict in (verdict, findings.count { $0.verdict == verdict }) }
    return counts.filter { $0.0 == .holds || $0.1 > 0 }.map { verdict, count in
      verdict == .holds ? "\(count)" : "\(count) \(verdict.rawValue)"
    }.joined(separator: ", ")
  }

  /// What a reader of the table needs to know.
  public var caption: String {
    "On how many workloads each rule holds."
      + (share.map { " Audits took \(BenchmarkText.percent($0)) of the time." } ?? "")
  }
}
