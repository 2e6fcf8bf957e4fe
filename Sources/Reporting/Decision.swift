import Results

/// Which strategy to take for one layer, and why: the fastest built-in one, or the ones that tie for that place.
struct Decision {
  let workload: BenchmarkWorkload
  let contestant: BenchmarkContestant
  let time: TimeSummary
  /// Those that the blocks do not tell from it.
  let ties: [String]
  /// The fastest that is certainly slower, and its time by the best one's.
  let next: (engine: String, ratio: Double, interval: ClosedRange<Double>?)?
  /// The fastest of the other engines, where it is ahead of every strategy, and the strategy's time by its time.
  let ahead: (engine: String, ratio: Double)?
  /// Other engines that the blocks do not tell from the best of all, which this strategy is or ties with.
  let equals: [String]

  /// `nil` where no strategy has a time.
  init?(_ workload: BenchmarkWorkload, _ section: BenchmarkSection) {
    let builtIn = Set(section.engines.filter(\.isBuiltIn).map(\.name))
    guard let best = workload.bestBuiltIn ?? workload.best, let contestant = workload.contestant(best),
      let time = contestant.time
    else { return nil }
    self.workload = workload
    self.contestant = contestant
    self.time = time
    let lead = workload.builtInLead ?? workload.lead
    if let lead, lead.engine == best {
      ties = lead.ties
      next = lead.next.flatMap { name in
        lead.ratio.map { ratio in
          (name, ratio, lead.lower.flatMap { low in lead.upper.flatMap { low <= $0 ? low...$0 : nil } })
        }
      }
    } else {
      // A run of an earlier version: medians, without an interval.
      let tied = workload.best == best ? workload.ties ?? [] : []
      ties = tied.filter(builtIn.contains)
      let others = workload.contestants.filter {
        $0.engine != best && builtIn.contains($0.engine) && !tied.contains($0.engine) && !$0.isClaimed
      }
      next = others.compactMap { other in
        other.time.map { (other.engine, $0.medianNanoseconds / time.medianNanoseconds, nil) }
      }.min { $0.1 < $1.1 }
    }
    let all = [workload.best].compactMap { $0 } + (workload.ties ?? [])
    equals = workload.isAmongBest(best) ? all.filter { !builtIn.contains($0) } : []
    if let winner = workload.best, winner != best, !workload.isAmongBest(best), !builtIn.contains(winner),
      let other = workload.contestant(winner)?.time
    {
      ahead = (winner, time.medianNanoseconds / other.medianNanoseconds)
    } else {
      ahead = nil
    }
  }

  var isTie: Bool { !ties.isEmpty }
  /// `winograd4`, or `tie: direct, im2col`.
  var choice: String { isTie ? "tie: " + ([contestant.engine] + ties).joined(separator: ", ") : contestant.engine }

  /// `onednn, 1.30×`, or `tie: onednn`.
  var elsewhere: String {
    if let ahead { return "\(ahead.engine), \(BenchmarkText.ratio(ahead.ratio))×" }
    return equals.isEmpty ? "–" : "tie: " + equals.joined(separator: ", ")
  }

  /// `1.21× winograd2 (1.18 to 1.24)`.
  var margin: String {
    guard let next else { return isTie ? "nobody is certainly slower" : "alone" }
    let interval = next.interval.map {
      " (\(BenchmarkText.ratio($0.lowerBound)) to \(BenchmarkText.ratio($0.upperBound)))"
    }
    return "\(BenchmarkText.ratio(next.ratio))× \(next.engine)" + (interval ?? " (no interval)")
  }
}
