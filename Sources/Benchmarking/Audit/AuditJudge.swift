import Foundation
import Results
import RunAnalysis

/// Holds what a contestant's requests took against the rules under which a time is worth something.
///
/// A rule convicts only where the order-statistic interval over slices or turns (95 %, so at least six of them) lies beyond its
/// threshold as a whole: noise widens an interval and convicts nobody.
package struct AuditJudge {
  /// What an order-statistic interval of 95 % needs.
  static let turnsToDecide = 6
  /// First visits may cost so much more than second ones; CPU time so much more than threads × wall.
  static let tolerance = 1.10
  /// The least share of the tool's own clock that durations must add up to.
  static let clockShare = 0.95
  /// Nanoseconds of one iteration in which an honest loop may differ from that of the engine that does nothing: what is below
  /// decides nothing. An engine's work drives the loop around it out of the caches, an interpreter's and a framework's binding of
  /// another set of operands: 14 µs of ONNX Runtime's were measured with sets of 0.8 MB. From the first to the second, as long as
  /// an iteration claims to be: a loop takes no longer than what it is around.
  static let loopTolerance = 5_000.0...25_000.0
  /// Nanoseconds from which on no two iterations take the same to the nanosecond, time after time: a hundred readings of a clock
  /// as coarse as a microsecond.
  static let measurable = 100_000.0
  /// Of a claimed time, what requests that are not timed may spend beyond what moving their bytes takes.
  static let elsewhereShare = 0.2
  /// By so much may what an honest engine needs to move bytes, of operands or of marks on its outputs, exceed what one that does
  /// nothing else needs: libraries differ, and so does the memory that they got.
  static let movingTolerance = 1.5

  let threads: Int
  /// What it takes to bring one set's operands and results from memory into a cache: a first visit may have to, where other
  /// programs took the cache, and a second one not. In nanoseconds.
  let fetch: Double
  /// `nil` where an engine that does nothing could not be measured.
  let costs: RequestCosts?
  /// Half of the least time that any known algorithm needs on this machine, in nanoseconds.
  let impossible: Double?

  package init(threads: Int, fetch: Double = 0, costs: RequestCosts?, impossible: Double?) {
    self.threads = threads
    self.fetch = fetch
    self.costs = costs
    self.impossible = impossible
  }

  package func findings(_ ledger: AuditLedger, medianNanoseconds: Double) -> [AuditFinding] {
    // Steps of training visit no operands again, from values that nobody has been at before.
    var found = ledger.isOfSteps ? [] : [remembers(ledger)]
    found += [clock(ledger), cpuTime(ledger)]
    found.append(ledger.isOfSteps ? elsewhere(ledger).joined(with: leavesToLater(ledger)) : elsewhere(ledger))
    if let impossible { found.append(floor(medianNanoseconds, impossible)) }
    return found
  }

  /// Whether turns violate a rule on times, so that further ones are to decide.
  func accuses(_ ledger: AuditLedger) -> Bool {
    findings(ledger, medianNanoseconds: .infinity).contains { $0.verdict == .violated }
  }

  private func interval(_ values: [Double]) -> MedianInterval? { OrderStatistics.medianInterval(values) }

  private func unresolved(_ rule: AuditRule, _ why: String) -> AuditFinding {
    AuditFinding(rule, .unresolved, evidence: why)
  }

  private func remembers(_ ledger: AuditLedger) -> AuditFinding {
    let ratios = ledger.visits.map { max(0, $0.first - fetch) / max(1, $0.second) }
    guard let found = interval(ratios) else {
      return unresolved(
        .remembers, "\(ratios.count) turns with first and later visits, of which \(Self.turnsToDecide) are needed")
    }
    let evidence =
      "first visits of operands, without the \(Self.milliseconds(fetch)) ms that bringing them from memory may take, take "
      + "\(Self.text(found.lower)) to \(Self.text(found.upper)) times as long as later ones, which may not exceed "
      + Self.text(Self.tolerance)
    return AuditFinding(
      .remembers, found.lower > Self.tolerance ? .violated : .holds, evidence: evidence,
      figures: ["ratio_lower": found.lower, "ratio_upper": found.upper, "limit": Self.tolerance])
  }

  /// The step after those that are reported computes a gradient from what they left: whoever put their work off does it there.
  private func leavesToLater(_ ledger: AuditLedger) -> AuditFinding {
    guard let found = interval(ledger.steps.map { $0.after / max(1, $0.reported) }) else {
      return unresolved(.elsewhere, "\(ledger.steps.count) blocks of steps, of which \(Self.turnsToDecide) are needed")
    }
    let evidence =
      "the step after those that are reported takes \(Self.text(found.lower)) to \(Self.text(found.upper)) times as long, "
      + "which may not exceed \(Self.text(Self.tolerance))"
    return AuditFinding(
      .elsewhere, found.lower > Self.tolerance ? .violated : .holds, evidence: evidence,
      figures: ["later_lower": found.lower, "later_upper": found.upper, "later_limit": Self.tolerance])
  }

  /// Two ways in which a clock can be caught: the tool's own saw more time than was claimed and waited for, or the engine used
  /// more CPU time than its threads have in what it claims.
  private func clock(_ ledger: AuditLedger) -> AuditFinding {
    guard let costs else { return unresolved(.clock, "what a request costs by itself could not be measured") }
    func besides(_ slice: AuditLedger.Slice) -> Double {
      Self.movingTolerance * costs.besides(slice)
    }
    // On a busy machine a request waits for a core before its first iteration and after its last one, too.
    let shares = ledger.slices.map { slice in
      (slice.claimed + slice.waited) / max(1, slice.wall - besides(slice))
    }
    let used = ledger.slices.compactMap { slice in
      slice.cpu.map { max(0, $0 - besides(slice)) / max(1, Double(threads) * slice.claimed) }
    }
    guard let found = interval(shares) else {
      return unresolved(.clock, "\(shares.count) slices, of which 6 are needed")
    }
    let wall = ledger.slices.reduce(0) { $0 + $1.wall }
    var figures = [
      "share_lower": found.lower, "share_upper": found.upper, "limit": Self.clockShare, "wall": wall,
      "claimed": ledger.slices.reduce(0) { $0 + $1.claimed },
    ]
    let wallEvidence =
      "durations, with what was waited for, add up to \(Self.text(found.lower)) to \(Self.text(found.upper)) of this "
      + "program's own clock over \(Self.text(wall * 1e-9)) s, which may not be below \(Self.text(Self.clockShare))"
    /// Whether more is missing than what loops differ by.
    func isMissing(_ missing: (AuditLedger.Slice) -> Double?) -> Bool {
      let each = ledger.slices.compactMap { slice in
        let iterations = Double(max(1, slice.iterations))
        let allowed = min(max(slice.claimed / iterations, Self.loopTolerance.lowerBound), Self.loopTolerance.upperBound)
        return missing(slice).map { $0 / iterations - allowed }
      }
      return (OrderStatistics.median(each) ?? 0) > 4 * costs.loop
    }
    // Several iterations a slice, each of which says to have taken what the others did.
    let several = ledger.slices.filter { $0.iterations >= 4 && $0.claimed / Double($0.iterations) >= Self.measurable }
    let repeated = several.count { $0.distinct == 1 }
    if repeated >= 6, repeated == several.count {
      return AuditFinding(
        .clock, .violated,
        evidence: "in each of \(repeated) slices all iterations claim the same nanoseconds, which no clock gives",
        figures: figures)
    }
    let cpu = interval(used)
    var evidence = wallEvidence
    var isSuspect = found.upper < Self.clockShare
    var isCaught =
      isSuspect
      && isMissing { slice in
        slice.wall - slice.waited - besides(slice) - slice.claimed
      }
    if let cpu {
      (figures["cpu_lower"], figures["cpu_upper"]) = (cpu.lower, cpu.upper)
      evidence +=
        "; CPU time is \(Self.text(cpu.lower)) to \(Self.text(cpu.upper)) of what \(threads) "
        + "thread\(threads == 1 ? "" : "s") could use in them, which may not exceed \(Self.text(Self.tolerance))"
      if cpu.lower > Self.tolerance {
        isSuspect = true
        isCaught =
          isCaught
          || isMissing { slice in
            slice.cpu.map {
              $0 - besides(slice) - Double(threads) * slice.claimed
            }
          }
      }
    }
    return AuditFinding(
      .clock, isCaught ? .violated : isSuspect ? .unresolved : .holds, evidence: evidence, figures: figures)
  }

  private func cpuTime(_ ledger: AuditLedger) -> AuditFinding {
    let shares = ledger.slices.compactMap { slice in slice.cpu.map { $0 / (Double(threads) * slice.wall) } }
    guard let found = interval(shares) else {
      return unresolved(.threads, "the CPU time of \(shares.count) slices is known, of which 6 are needed")
    }
    let evidence =
      "CPU time is \(Self.text(found.lower)) to \(Self.text(found.upper)) of \(threads) thread\(threads == 1 ? "" : "s") "
      + "by the wall clock, which may not exceed \(Self.text(Self.tolerance))"
    return AuditFinding(
      .threads, found.lower > Self.tolerance ? .violated : .holds, evidence: evidence,
      figures: ["share_lower": found.lower, "share_upper": found.upper, "limit": Self.tolerance])
  }

  private func elsewhere(_ ledger: AuditLedger) -> AuditFinding {
    guard let costs else {
      return unresolved(.elsewhere, "an engine that does nothing could not be measured beside it")
    }
    let claimed = OrderStatistics.median(ledger.turns.map(\.claimed)) ?? 0
    let parts = [
      ("load", costs.load, ledger.turns.compactMap { turn in turn.loadCPU.map { $0 / Double(max(1, turn.loads)) } }),
      (
        "collect", costs.collect,
        ledger.turns.compactMap { turn in turn.collectCPU.map { $0 / Double(max(1, turn.collects)) } }
      ),
    ]
    var verdict = AuditVerdict.holds
    var sentences: [String] = []
    var figures = ["claimed": claimed]
    for (name, null, spent) in parts {
      guard let found = interval(spent) else {
        return unresolved(.elsewhere, "the CPU time of \(spent.count) turns is known, of which 6 are needed")
      }
      let allowed = Self.movingTolerance * null + Self.elsewhereShare * claimed
      figures["\(name)_lower"] = found.lower
      figures["\(name)_upper"] = found.upper
      figures["\(name)_null"] = null
      sentences.append(
        "\(name) spends \(Self.milliseconds(found.lower)) to \(Self.milliseconds(found.upper)) ms of CPU time a set, an "
          + "engine that does nothing \(Self.milliseconds(null))")
      // What is between is not decided; nor is anything where as much as an iteration could hide in what honest engines differ by.
      let isHidden = (Self.movingTolerance - 1) * null > claimed
      if found.lower > allowed + (Self.movingTolerance - 1) * null { verdict = .violated }
      if verdict == .holds, isHidden || (OrderStatistics.median(spent) ?? 0) > allowed { verdict = .unresolved }
    }
    sentences.append("\(Self.milliseconds(claimed)) ms are claimed an iteration")
    return AuditFinding(.elsewhere, verdict, evidence: sentences.joined(separator: "; "), figures: figures)
  }

  private func floor(_ median: Double, _ impossible: Double) -> AuditFinding {
    AuditFinding(
      .impossible, median < impossible ? .violated : .holds,
      evidence:
        "\(Self.milliseconds(median)) ms, where half of what the fastest known algorithm needs is "
        + "\(Self.milliseconds(impossible)) ms",
      figures: ["median": median, "impossible": impossible])
  }

  private static func text(_ value: Double) -> String { String(format: "%.2f", value) }
  private static func milliseconds(_ nanoseconds: Double) -> String { String(format: "%.3f", nanoseconds * 1e-6) }
}

extension AuditFinding {
  /// One finding of two by the same rule: the worse verdict, and what was measured for both.
  fileprivate func joined(with other: AuditFinding) -> AuditFinding {
    let verdicts: [AuditVerdict] = [.violated, .unresolved, .holds]
    return AuditFinding(
      rule, verdicts.first { $0 == verdict || $0 == other.verdict } ?? verdict,
      evidence: "\(evidence); \(other.evidence)", figures: figures.merging(other.figures) { first, _ in first })
  }
}
