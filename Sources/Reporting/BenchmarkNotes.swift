import Results

/// What stands beside times without failing a run, a sentence for each engine and kind.
public enum BenchmarkNotes {
  /// Times whose worth is the engine's word, times below the limit, engines with more threads than cores, and memory that could
  /// not be measured.
  public static func lines(_ section: BenchmarkSection) -> [String] {
    section.engines.flatMap { engine in
      let own = section.workloads.compactMap { workload in
        workload.contestant(engine.name).map { (workload: workload, contestant: $0) }
      }
      return [
        claimed(own, engine.name), belowLimit(own, engine.name), crowded(own, engine.name),
        unmeasured(own, engine.name),
      ].compactMap { $0 }
    }
  }

  private typealias Timing = (workload: BenchmarkWorkload, contestant: BenchmarkContestant)

  private static func claimed(_ own: [Timing], _ engine: String) -> String? {
    let claimed = own.filter { $0.contestant.isClaimed && $0.contestant.time != nil }
    guard !claimed.isEmpty else { return nil }
    let reason = claimed.lazy.compactMap { $0.contestant.audit?.unresolved.first }.first
    return "Claimed: \(engine) alone says what it took on \(workloads(claimed.count)), marked with "
      + "\(Trust.claimedMark) and never called fastest" + (reason.map { " (\(FailureText.line($0)))" } ?? "") + "."
  }

  private static func belowLimit(_ own: [Timing], _ engine: String) -> String? {
    let below = own.compactMap { workload, contestant in
      contestant.time?.limitFraction.flatMap { $0 > 1 ? (workload, $0) : nil }
    }
    guard let (workload, fraction) = below.max(by: { $0.1 < $1.1 }) else { return nil }
    let algorithm = workload.limitAlgorithm.map { " of \($0)" } ?? ""
    return "Below limit: \(engine) on \(workloads(below.count)), at most \(BenchmarkText.ratio(fraction)) times as "
      + "fast as the limit\(algorithm), on \(workload.name)."
  }

  private static func crowded(_ own: [Timing], _ engine: String) -> String? {
    let alone = own.filter { $0.workload.waitingAlone == engine }
    guard let most = alone.compactMap(\.contestant.waitingFraction).max() else { return nil }
    return "Threads: those of \(engine) waited for a core on \(workloads(alone.count)), at most "
      + "\(BenchmarkText.percent(most)) of their time, for others of its own: it runs more of them than it was given cores."
  }

  private static func unmeasured(_ own: [Timing], _ engine: String) -> String? {
    let reasons = own.compactMap(\.contestant.memoryMissing)
    return reasons.first.map { reason in
      "Memory: that of \(engine) is not measured on \(workloads(reasons.count)): \(reason)."
    }
  }

  private static func workloads(_ count: Int) -> String { "\(count) workload\(count == 1 ? "" : "s")" }
}
