import Foundation
import RunAnalysis

/// The base against a copy of itself: where these differ, the machine or the measuring makes the difference, and nothing is
/// concluded of anything else.
struct DuetSentinel {
  var policy: DuetPolicy

  /// Which benchmarks are held against themselves in a block: a third of them, another third in the next one, at least one.
  static func turns(of benchmarks: [Int], block: Int) -> [Int] {
    guard !benchmarks.isEmpty else { return [] }
    let count = (benchmarks.count + 2) / 3
    return (0..<count).map { benchmarks[(block * count + $0) % benchmarks.count] }
  }

  /// All screens together, and the decision of each benchmark that has one, by either clock and in either direction.
  ///
  /// The screens' pairs of one benchmark are too few for a test of their own, and what makes the second process slower than the
  /// first is rarely one benchmark's. Where a benchmark is decided it has pairs enough.
  func judge(_ sentinels: [DuetGate.Differences]) -> (findings: [DuetGate.Finding], reasons: [String]) {
    var reasons: [String] = []
    for clock in DuetClock.allCases {
      let screens = sentinels.flatMap { $0.screen.on(clock) }
      if let direction = direction(screens) {
        reasons.append(reason(direction, screens, clock, "all benchmarks"))
      }
      for sentinel in sentinels {
        let decision = (sentinel.decision + sentinel.confirmation).on(clock)
        if let direction = direction(decision) {
          reasons.append(reason(direction, decision, clock, sentinel.name))
        }
      }
    }
    return (sentinels.map(finding), reasons)
  }

  private func reason(
    _ direction: DuetGate.Direction, _ differences: [Double], _ clock: DuetClock, _ subject: String
  ) -> String {
    let change = DuetGate.percent(abs(expm1(OrderStatistics.median(differences) ?? 0)))
    return "the same binary is \(change) \(direction.rawValue) than itself on \(subject) by its \(clock.words)"
  }

  /// In which direction these differ from nothing by more than the margin. Two clocks and two directions share the rate.
  private func direction(_ differences: [Double]) -> DuetGate.Direction? {
    let level = policy.falseDiscoveryRate / 4
    if SignTest.pValue(above: policy.logMargin, differences) <= level { return .slower }
    return SignTest.pValue(below: -policy.logMargin, differences) <= level ? .faster : nil
  }

  private func finding(_ sentinel: DuetGate.Differences) -> DuetGate.Finding {
    func reading(_ clock: DuetClock) -> DuetGate.Reading? {
      let decision = (sentinel.decision + sentinel.confirmation).on(clock)
      let all = (sentinel.screen + sentinel.decision + sentinel.confirmation).on(clock)
      guard let median = OrderStatistics.median(all) else { return nil }
      return DuetGate.Reading(
        advanced: direction(decision), median: median, interval: OrderStatistics.medianInterval(all))
    }
    let (wall, cpu) = (reading(.wall) ?? DuetGate.Reading(), reading(.cpu))
    let differs = [wall.advanced, cpu?.advanced].contains { $0 != nil }
    return DuetGate.Finding(
      name: sentinel.name, verdict: differs ? .inconclusive : .pass, clock: .wall, wall: wall, cpu: cpu)
  }
}
