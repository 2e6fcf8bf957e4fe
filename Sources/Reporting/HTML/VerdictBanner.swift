import Results

/// What a run amounts to, a line for each kind of work, and one for each thing that is missing.
enum VerdictBanner {
  static func verdicts(_ run: Run) -> [HTMLPage.Verdict] {
    var found = run.conclusions.map { part, conclusion in
      let reasons = conclusion.reasons.isEmpty ? "" : " (\(conclusion.reasons.joined(separator: "; ")))"
      return HTMLPage.Verdict(
        style: style(conclusion.outcome),
        text: "\(part.title): \(conclusion.outcome.words), \(counts(part, run))\(reasons)")
    }
    for hole in (run.holes ?? []) + (run.verification?.holes ?? []) + (run.benchmark?.holes ?? []) {
      found.append(
        .init(
          style: style(hole.outcome),
          text: "Missing: \(hole.reason)" + (hole.command.map { "; fill it with: \($0)" } ?? "")))
    }
    found += (run.benchmark?.machine.warnings ?? []).map { .init(style: "doubtful", text: "Timing conditions: \($0)") }
    return found
  }

  private static func counts(_ part: RunPart, _ run: Run) -> String {
    switch part {
    case .verification:
      return counts(run.verification?.results ?? [], by: \.status, of: VerificationStatus.allCases)
    case .fuzzing:
      let section = run.fuzzing
      let words = VerificationStatus.allCases.compactMap { status in
        let count = section?.count(status) ?? 0
        return count > 0 ? "\(count) \(status.rawValue)" : nil
      }
      return words.isEmpty ? "nothing" : words.joined(separator: ", ") + " of random problems"
    case .gradients: return counts(run.gradients?.records ?? [], by: \.verdict, of: GradientVerdict.allCases)
    case .selfTest:
      return "\(run.selfTest?.score ?? "no mutant"), \(run.selfTest?.falseAlarms.count ?? 0) false alarms"
    case .training: return run.training?.summary ?? ""
    case .benchmark:
      let workloads = run.benchmark?.workloads ?? []
      let timed = workloads.flatMap(\.contestants).filter { $0.status == .timed }
      let trusts = Trust.allCases.compactMap { trust in
        let count = timed.count { $0.trust == trust }
        return count > 0 ? "\(count) \(trust.rawValue)" : nil
      }
      let answer = run.benchmark.flatMap(DecisionTable.answer).map { "\($0); " } ?? ""
      return "\(answer)\(timed.count) times on \(workloads.count) workloads, each verified first"
        + (trusts.isEmpty ? "" : ": \(trusts.joined(separator: ", "))")
    case .duet: return run.duet.map(answer) ?? ""
    case .history: return "\(run.history?.series.count ?? 0) series"
    }
  }

  /// `regression, at worst +24.9 %`: by how much, where something is slower or faster.
  private static func answer(_ duet: DuetSection) -> String {
    let changed = duet.benchmarks.filter { $0.verdict == duet.verdict }.map(\.change)
    switch duet.verdict {
    case "regression": return duet.verdict + (changed.max().map { ", at worst \(BenchmarkText.change($0))" } ?? "")
    case "improvement": return duet.verdict + (changed.min().map { ", at best \(BenchmarkText.change($0))" } ?? "")
    default: return "\(duet.verdict) on \(duet.benchmarks.count) benchmark\(duet.benchmarks.count == 1 ? "" : "s")"
    }
  }

  /// `1592 PASS, 208 REFUSED`.
  private static func counts<Record, Status: RawRepresentable<String> & Equatable>(
    _ records: [Record], by status: (Record) -> Status, of all: [Status]
  ) -> String {
    let words = all.compactMap { wanted in
      let count = records.count { status($0) == wanted }
      return count > 0 ? "\(count) \(wanted.rawValue)" : nil
    }
    return words.isEmpty ? "nothing" : words.joined(separator: ", ")
  }

  private static func style(_ outcome: Outcome) -> String {
    switch outcome {
    case .holds: "good"
    case .inconclusive: "doubtful"
    case .fails, .notWritten, .badData, .internalError: "bad"
    }
  }
}
