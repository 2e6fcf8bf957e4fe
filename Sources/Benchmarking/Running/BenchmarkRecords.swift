import Problems
import Results

/// Whether a contestant is timed on a workload, as its results are right or not.
struct BenchmarkVerdict {
  var status: BenchmarkStatus
  var message: String
  var worstRatio: Double?
  var failing: [TensorResult]?

  init(status: BenchmarkStatus, message: String) {
    self.status = status
    self.message = message
  }

  init(_ result: CaseResult) {
    status =
      switch result.status {
      case .pass: .timed
      case .fail, .refused: .wrong
      case .unsupported: .unsupported
      case .error, .notRun: .failed
      }
    message = result.message
    worstRatio = result.tensors.map(\.worstRatio).max()
    failing = result.tensors.filter { !$0.passes }
    if failing?.isEmpty == true { failing = nil }
  }
}

extension BenchmarkSection {
  /// What the contestants of the next workload have of the machine. What is said of all workloads is what those with the least had.
  mutating func note(_ grant: TimedCores.Grant) {
    let isFirst = workloads.isEmpty
    options.pinned = !grant.processors.isEmpty && (isFirst || options.pinned)
    options.nice = isFirst ? grant.nice : options.nice.flatMap { nice in grant.nice.map { max(nice, $0) } }
  }

  /// Adds workloads to what was asked for. Where an earlier version wrote the record, what it has is what was asked.
  mutating func plan(_ names: [String]) {
    let known = planned ?? workloads.map(\.name)
    planned = known + names.filter { !known.contains($0) }
    noteCompleteness()
  }

  /// A run is complete when it has every workload that was ever asked for, by name: a count could be right with other
  /// workloads.
  mutating func noteCompleteness() {
    complete = Set(planned ?? []).isSubset(of: workloads.map(\.name))
  }
}

extension BenchmarkContestant {
  init(engine: String, _ verdict: BenchmarkVerdict) {
    self.init(
      engine: engine, status: verdict.status, message: verdict.message, worstRatio: verdict.worstRatio)
    failing = verdict.failing
  }

  /// A verdict on the timed path takes the place of that on the computed one.
  mutating func take(_ verdict: BenchmarkVerdict) {
    status = verdict.status
    message = verdict.message
    worstRatio = verdict.worstRatio
    failing = verdict.failing
  }

  mutating func record(_ error: EngineError) {
    if case .unsupported(let reason) = error {
      (status, message) = (.unsupported, reason)
    } else {
      (status, message) = (.failed, "\(error)")
    }
  }

  /// Adds a finding; one that violates a rule takes the times away, and one that decides nothing leaves them a claim.
  mutating func take(_ finding: AuditFinding) {
    audit = AuditRecord((audit?.findings ?? []) + [finding])
    switch finding.verdict {
    case .holds: break
    case .unresolved: if trust == .audited { trust = .claimed }
    case .violated:
      status = .cheated
      message = "\(finding.rule.rawValue): \(finding.evidence)"
      samples = []
    }
  }

  /// A second slice of a block joins the first.
  mutating func add(_ durations: [UInt64], block: Int) {
    if samples.count == block { samples.append(DurationSamples([])) }
    samples[block].nanoseconds += durations
  }
}
