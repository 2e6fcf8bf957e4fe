import Foundation
import Results

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
    guard holders.isEmpty else { return holders }
    return standings.min { ($0.mean, $0.engine) < ($1.mean, $1.engine) }.map { [$0] } ?? []
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

  /// Every one of the choice on every layer: of a tie, whichever is taken.
  private var chosen: [BenchmarkContestant] {
    let names = choice.map(\.engine)
    return decisions.flatMap { decision in names.compactMap { decision.workload.contestant($0) } }
  }
  var worstError: Double? { chosen.compactMap(\.worstRatio).max() }
  /// Whoever needs most.
  var mostWorkspace: BenchmarkContestant? { chosen.max { $0.workspaceBytes < $1.workspaceBytes } }
  var limitShare: Double? { chosen.compactMap { $0.time?.limitFraction }.median }
}
