import Foundation
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

/// Layers that strategies may treat alike: kernel, stride and other attributes, size, and how they were timed.
struct DecisionClass {
  let kind: String
  let size: String
  let setting: BenchmarkSetting
  let decisions: [Decision]
  /// Its name and how it does on every layer of the class, from the best on.
  let standings: [Standing]

  struct Standing {
    let engine: String
    /// Layers on which nobody is certainly faster.
    let firsts: Int
    /// Geometric mean, and the largest, of its time by that of the best strategy.
    let mean: Double
    let worst: Double
  }

  /// Every class in the order of the run's workloads.
  static func classes(of section: BenchmarkSection) -> [DecisionClass] {
    struct Key: Hashable {
      var kind: String
      var size: String
      var setting: BenchmarkSetting
    }
    var (order, groups): ([Key], [Key: [Decision]]) = ([], [:])
    for (setting, workloads) in BenchmarkSetting.settings(of: section) {
      for workload in workloads where !workload.isWholeNetwork {
        guard let decision = Decision(workload, section) else { continue }
        let words = ProblemWords(workload.problem)
        let key = Key(kind: words.kind, size: words.size ?? "–", setting: setting)
        if groups[key] == nil { order.append(key) }
        groups[key, default: []].append(decision)
      }
    }
    let names = section.engines.filter(\.isBuiltIn).map(\.name)
    return order.map { key in
      let decisions = groups[key] ?? []
      return DecisionClass(
        kind: key.kind, size: key.size, setting: key.setting, decisions: decisions,
        standings: standings(decisions, names: names.isEmpty ? section.engines.map(\.name) : names))
    }
  }

  private static func standings(_ decisions: [Decision], names: [String]) -> [Standing] {
    names.compactMap { name -> Standing? in
      var (ratios, firsts): ([Double], Int) = ([], 0)
      for decision in decisions {
        guard let contestant = decision.workload.contestant(name), !contestant.isClaimed, let time = contestant.time
        else {
          return nil
        }
        ratios.append(time.medianNanoseconds / decision.time.medianNanoseconds)
        if name == decision.contestant.engine || decision.ties.contains(name) { firsts += 1 }
      }
      guard let summary = RatioSummary(ratios), let worst = ratios.max() else { return nil }
      return Standing(engine: name, firsts: firsts, mean: summary.geometricMean, worst: worst)
    }.sorted { ($1.firsts, $0.mean, $0.engine) < ($0.firsts, $1.mean, $1.engine) }
  }

  /// Those that nobody beats on any layer of the class.
  var holders: [Standing] { standings.filter { $0.firsts == decisions.count } }

  /// What to take: who is never beaten, or else who loses least in the mean.
  var choice: [Standing] {
    holders.isEmpty
      ? Array(standings.sorted { ($0.mean, $0.engine) < ($1.mean, $1.engine) }.prefix(1)) : holders
  }

  var choiceText: String {
    let names = choice.map(\.engine)
    guard !names.isEmpty else { return "none does all of them" }
    return names.count > 1 ? "tie: " + names.joined(separator: ", ") : names[0]
  }

  /// Why: by how much the choice leads, or what it costs where it is not the best.
  var reason: String {
    guard let first = choice.first else { return "no strategy was timed on every layer of the class" }
    if holders.isEmpty {
      return "best or tied on \(first.firsts) of \(decisions.count), elsewhere it takes at most "
        + "\(Self.longer(first.worst))"
    }
    let others = standings.filter { other in !holders.contains { $0.engine == other.engine } }
    guard let next = others.min(by: { ($0.mean, $0.engine) < ($1.mean, $1.engine) }) else {
      return "never certainly beaten"
    }
    return "never certainly beaten; \(next.engine) takes \(Self.longer(next.mean / first.mean)) in the mean"
  }

  /// `0.4 % longer`, or `1.32× as long`.
  private static func longer(_ ratio: Double) -> String {
    ratio < 1.1 ? String(format: "%.1f %% longer", 100 * (ratio - 1)) : "\(BenchmarkText.ratio(ratio))× as long"
  }

  /// The layer that takes longest, for its command.
  var heaviest: Decision? { decisions.max { $0.time.medianNanoseconds < $1.time.medianNanoseconds } }

  private var chosen: [BenchmarkContestant] {
    guard let name = choice.first?.engine else { return [] }
    return decisions.compactMap { $0.workload.contestant(name) }
  }
  var worstError: Double? { chosen.compactMap(\.worstRatio).max() }
  var mostWorkspace: Int { chosen.map(\.workspaceBytes).max() ?? 0 }
  var limitShare: Double? {
    let shares = chosen.compactMap { $0.time?.limitFraction }.sorted()
    return shares.isEmpty ? nil : shares[shares.count / 2]
  }
}
