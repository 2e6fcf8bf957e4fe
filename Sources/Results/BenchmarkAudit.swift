/// How far a time is to be trusted.
public enum Trust: String, Codable, Sendable, Hashable, CaseIterable {
  /// The tool's own process, or a child of it, held the clock and the memory.
  case host
  /// The engine held the clock, and the tool audited it.
  case audited
  /// The engine's word alone: marked wherever it stands, and never named fastest.
  case claimed

  /// Stands behind a time that is claimed.
  public static let claimedMark = "?"
}

/// What an audit holds a timed contestant to.
public enum AuditRule: String, Codable, Sendable, Hashable, CaseIterable {
  /// First visits of operands cost what later ones do: nothing is remembered by input or by address.
  case remembers
  /// Requests that are not timed do no work that belongs to timed ones.
  case elsewhere
  /// The claimed time is that of the tool's own clock.
  case clock
  /// No algorithm that the tool knows could be so fast on this machine.
  case impossible
  /// CPU time is that of the threads that were asked for.
  case threads
  /// What the timed runs left is right.
  case outputs
  /// An engine that declares itself deterministic gives the same bits again.
  case deterministic
}

public enum AuditVerdict: String, Codable, Sendable, Hashable, CaseIterable {
  case holds
  case violated
  /// The figures do not decide, so that the time is claimed at best.
  case unresolved
}

/// One rule, held against one contestant on one workload.
public struct AuditFinding: Codable, Sendable, Hashable {
  public var rule: AuditRule
  public var verdict: AuditVerdict
  /// One sentence with the figures that decided.
  public var evidence: String
  /// The figures by name, times in nanoseconds.
  public var figures: [String: Double]

  public init(_ rule: AuditRule, _ verdict: AuditVerdict, evidence: String, figures: [String: Double] = [:]) {
    self.rule = rule
    self.verdict = verdict
    self.evidence = evidence
    self.figures = figures
  }
}

/// What the audit of one contestant on one workload found, in the order in which the rules were tried.
public struct AuditRecord: Codable, Sendable, Hashable {
  public var findings: [AuditFinding]

  public init(_ findings: [AuditFinding] = []) { self.findings = findings }

  public var violations: [AuditFinding] { findings.filter { $0.verdict == .violated } }

  public var unresolved: [AuditFinding] { findings.filter { $0.verdict == .unresolved } }
}
