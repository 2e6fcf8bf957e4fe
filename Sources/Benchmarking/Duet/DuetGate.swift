import Foundation
import RunAnalysis

/// The gate's decision from the differences d = ln(t_head / t_base) of its blocks, by both clocks. Pure: the same differences give
/// the same verdicts, today and from a stored run.
public struct DuetGate: Sendable {
  public var policy: DuetPolicy

  public init(policy: DuetPolicy = DuetPolicy()) { self.policy = policy }

  /// The differences of one benchmark: those of the screen, of the decision where it went on, and of what was asked once more.
  public struct Differences: Hashable, Sendable {
    public var name: String
    /// That work at a time: with one, the time that a thread ran is what the result waited for.
    public var threads: Int
    public var screen: [DuetDifference]
    public var decision: [DuetDifference]
    public var confirmation: [DuetDifference]

    public init(
      name: String, threads: Int = 1, screen: [DuetDifference], decision: [DuetDifference] = [],
      confirmation: [DuetDifference] = []
    ) {
      self.name = name
      self.threads = threads
      self.screen = screen
      self.decision = decision
      self.confirmation = confirmation
    }
  }

  public enum Verdict: String, Hashable, Sendable, Codable {
    case pass, regression, improvement, underpowered, inconclusive
  }

  /// Which way a benchmark went on after the screen.
  public enum Direction: String, Hashable, Sendable, Codable { case slower, faster }

  /// What one clock says of a benchmark.
  public struct Reading: Hashable, Sendable {
    public var advanced: Direction?
    /// Median of d over the blocks that decided; exp(d) − 1 is the change.
    public var median = 0.0
    public var interval: MedianInterval?
    /// p of the one-sided test in the direction that it went on in; 1 where it did not go on.
    public var pValue = 1.0
    /// Adjusted for all benchmarks and clocks, in that direction.
    public var adjustedPValue = 1.0
    /// As a fraction; infinity where no change would have been found.
    public var smallestDetectableChange = Double.infinity

    /// Whether it is a discovery in this direction.
    func finds(_ direction: Direction, rate: Double) -> Bool { advanced == direction && adjustedPValue <= rate }
  }

  public struct Finding: Hashable, Sendable {
    public var name: String
    public var verdict: Verdict
    /// Whose word the verdict is.
    public var clock: DuetClock
    public var wall: Reading
    /// `nil` where the system does not tell.
    public var cpu: Reading?

    /// What the clock that decided says.
    public var decisive: Reading { clock == .cpu ? cpu ?? wall : wall }
  }

  public struct Decision: Hashable, Sendable {
    public var verdict: Verdict
    public var findings: [Finding]
    /// The base against itself, one for each benchmark that was.
    public var sentinels: [Finding]
    /// Why nothing is concluded, where that is so.
    public var reasons: [String]
  }

  /// Whether the screen sends a benchmark on to the decision, and why.
  public func advance(screen: [Double]) -> Direction? {
    guard screen.count >= policy.screenBlocks else { return nil }
    let needed = policy.screenAdvance(of: screen.count)
    if screen.count(where: { $0 > policy.logMargin }) >= needed { return .slower }
    if screen.count(where: { $0 < -policy.logMargin }) >= needed { return .faster }
    return nil
  }

  /// Whether either clock sends a benchmark on.
  public func advances(_ benchmark: Differences) -> Bool {
    DuetClock.allCases.contains { advance(screen: benchmark.screen.on($0)) != nil }
  }

  // MARK: How many blocks

  /// p of each effort that makes a discovery of one of so many tests (``DuetPolicy/requiredExceedance(tests:effort:)``).
  public struct Exceedances: Sendable {
    let values: [DuetPolicy.Effort: Double]

    func of(_ effort: DuetPolicy.Effort) -> Double? { values[effort] }
  }

  /// - Parameter count: of benchmarks; each is two tests, one a clock.
  public func exceedances(benchmarks count: Int) -> Exceedances {
    Exceedances(
      values: Dictionary(
        uniqueKeysWithValues: policy.efforts.compactMap { effort in
          policy.requiredExceedance(tests: count * DuetClock.allCases.count, effort: effort).map { (effort, $0) }
        }))
  }

  /// The effort that a benchmark's screen has had.
  public func effort(of benchmark: Differences) -> DuetPolicy.Effort {
    policy.efforts.last { benchmark.screen.count >= policy.screenBlocks($0) } ?? .least
  }

  /// The effort at which the gate would see the policy's change through this benchmark's noise, where it has had less. Where few
  /// blocks say that even the most would not do, and may be wrong, the next one, so that more say it.
  /// - Returns: `nil` where the gate sees it already, or would not with the most.
  public func effortWanted(_ benchmark: Differences, _ exceedances: Exceedances) -> DuetPolicy.Effort? {
    let present = effort(of: benchmark)
    let noises = clocksThatAcquit(benchmark).map { noise(of: benchmark, $0) }
    func sees(_ effort: DuetPolicy.Effort) -> Bool {
      noises.contains {
        policy.smallestDetectableChange(noise: $0, exceedance: exceedances.of(effort)) <= policy.policy
      }
    }
    let further = policy.efforts.filter { $0 > present }
    guard !sees(present), let most = further.last else { return nil }
    if let enough = further.first(where: sees) { return enough }
    return noises.contains { policy.maySee(through: $0, exceedance: exceedances.of(most)) } ? further.first : nil
  }

  /// How the blocks of screen and decision differ from their own stage's centre, which is the effect and is taken out.
  private func noise(of benchmark: Differences, _ clock: DuetClock) -> [Double] {
    [benchmark.screen, benchmark.decision].map { $0.on(clock) }.flatMap { differences in
      let centre = OrderStatistics.median(differences) ?? 0
      return differences.map { $0 - centre }
    }
  }

  /// Of several threads the CPU time may stay while the result comes later: their waiting for each other is not in it.
  private func clocksThatAcquit(_ benchmark: Differences) -> [DuetClock] {
    benchmark.threads == 1 ? [.wall, .cpu] : [.wall]
  }

  // MARK: What is found

  /// - Parameters:
  ///   - benchmarks: every benchmark of the gate with the differences of its blocks.
  ///   - sentinels: the same binary against itself, on the benchmarks' names.
  ///   - stealFraction: of the timed cores' time; `nil` where the system does not tell.
  ///   - complete: `false` for a gate that was interrupted.
  ///   - undone: what was asked for and could not be measured, one sentence each. It leaves the gate undecided, unless
  ///     another benchmark is a regression.
  public func decide(
    _ benchmarks: [Differences], sentinels: [Differences] = [], stealFraction: Double?, complete: Bool = true,
    undone: [String] = []
  ) -> Decision {
    let findings = findings(of: benchmarks, exceedances(benchmarks: benchmarks.count))
    let judged = DuetSentinel(policy: policy).judge(sentinels)
    var reasons = judged.reasons
    if let stealFraction, stealFraction > policy.stealLimit {
      reasons.append(
        "the hypervisor took \(Self.percent(stealFraction)) of the timed cores' time, more than "
          + Self.percent(policy.stealLimit)
      )
    }
    if benchmarks.isEmpty { reasons.append("no benchmark was measured") }
    if !complete { reasons.append("the gate was interrupted") }
    var verdict = overall(findings, inconclusive: !reasons.isEmpty)
    if !undone.isEmpty, verdict != .regression { verdict = .inconclusive }
    let unconfirmed = zip(benchmarks, findings).filter { $1.verdict == .inconclusive && !$0.confirmation.isEmpty }
      .map { "the regression of \($0.0.name) was not seen again in \($0.0.confirmation.count) fresh blocks" }
    return Decision(
      verdict: verdict, findings: findings, sentinels: judged.findings, reasons: undone + reasons + unconfirmed)
  }

  /// How many blocks a benchmark is to have, as far as is known by now: a screen as long as its noise asks for, and after it a
  /// decision where it goes on, whose noise may ask for more of both.
  /// - Returns: no fewer than it has.
  public func blocksWanted(_ benchmark: Differences, _ exceedances: Exceedances) -> (screen: Int, decision: Int) {
    let effort = effortWanted(benchmark, exceedances)
    let screen = max(effort.map(policy.screenBlocks) ?? policy.screenBlocks, benchmark.screen.count)
    let isOpen = effort != nil || screen > benchmark.screen.count || !advances(benchmark)
    let decision = isOpen ? 0 : policy.decisionBlocks(self.effort(of: benchmark))
    return (screen, max(decision, benchmark.decision.count))
  }

  /// What is found of each benchmark, with the exceedances of so many.
  public func findings(of benchmarks: [Differences], _ exceedances: Exceedances) -> [Finding] {
    let clocks = DuetClock.allCases
    let tests = benchmarks.indices.flatMap { index in clocks.map { (index: index, clock: $0) } }
      .filter { $0.clock == .wall || !benchmarks[$0.index].screen.on($0.clock).isEmpty }
    func adjusted(_ direction: Direction) -> [Double] {
      BenjaminiHochberg.adjusted(tests.map { pValue(benchmarks[$0.index], $0.clock, direction) })
    }
    let (slower, faster) = (adjusted(.slower), adjusted(.faster))
    var readings: [[DuetClock: Reading]] = Array(repeating: [:], count: benchmarks.count)
    for (place, test) in tests.enumerated() {
      readings[test.index][test.clock] = reading(
        benchmarks[test.index], test.clock, slower: slower[place], faster: faster[place], exceedances)
    }
    var found = zip(benchmarks, readings).map { finding($0, $1) }
    confirm(&found, benchmarks)
    return found
  }

  private func pValue(_ benchmark: Differences, _ clock: DuetClock, _ direction: Direction) -> Double {
    guard advance(screen: benchmark.screen.on(clock)) == direction else { return 1 }
    let deciding = benchmark.decision.on(clock)
    switch direction {
    case .slower: return SignTest.pValue(above: policy.logMargin, deciding)
    case .faster: return SignTest.pValue(below: -policy.logMargin, deciding)
    }
  }

  private func reading(
    _ benchmark: Differences, _ clock: DuetClock, slower: Double, faster: Double, _ exceedances: Exceedances
  ) -> Reading {
    let (screen, decision) = (benchmark.screen.on(clock), benchmark.decision.on(clock))
    let direction = advance(screen: screen)
    let deciding = direction != nil && !decision.isEmpty ? decision : screen
    return Reading(
      advanced: direction, median: OrderStatistics.median(deciding) ?? 0,
      interval: OrderStatistics.medianInterval(deciding),
      pValue: direction.map { pValue(benchmark, clock, $0) } ?? 1,
      adjustedPValue: direction == .faster ? faster : direction == .slower ? slower : 1,
      smallestDetectableChange: policy.smallestDetectableChange(
        noise: noise(of: benchmark, clock), exceedance: exceedances.of(effort(of: benchmark))))
  }

  /// The wall clock is what somebody waits for, and it has the first word; where it is blind CPU time may convict, and it may
  /// acquit one thread.
  private func finding(_ benchmark: Differences, _ readings: [DuetClock: Reading]) -> Finding {
    let (wall, cpu) = (readings[.wall] ?? Reading(), readings[.cpu])
    let rate = policy.falseDiscoveryRate
    let isCut =
      benchmark.screen.count < policy.screenBlocks
      || (advances(benchmark) && benchmark.decision.count < policy.decisionBlocks(effort(of: benchmark)))
    let (verdict, clock): (Verdict, DuetClock) =
      if isCut {
        (.inconclusive, .wall)
      } else if wall.finds(.slower, rate: rate) {
        (.regression, .wall)
      } else if wall.finds(.faster, rate: rate) {
        (.improvement, .wall)
      } else if let cpu, cpu.finds(.slower, rate: rate) {
        (.regression, .cpu)
      } else if wall.smallestDetectableChange <= policy.policy {
        (.pass, .wall)
      } else if let cpu, benchmark.threads == 1, cpu.finds(.faster, rate: rate) {
        (.improvement, .cpu)
      } else if let cpu, benchmark.threads == 1, cpu.smallestDetectableChange <= policy.policy {
        (.pass, .cpu)
      } else {
        (.underpowered, .wall)
      }
    return Finding(name: benchmark.name, verdict: verdict, clock: clock, wall: wall, cpu: cpu)
  }

  /// A regression that was asked for once more stands where fresh blocks say the same, by the clock that found it.
  private func confirm(_ findings: inout [Finding], _ benchmarks: [Differences]) {
    guard policy.confirms else { return }
    let convicted = findings.indices.filter { findings[$0].verdict == .regression }
    let again = BenjaminiHochberg.adjusted(
      convicted.map {
        SignTest.pValue(above: policy.logMargin, benchmarks[$0].confirmation.on(findings[$0].clock))
      })
    for (index, p) in zip(convicted, again) where p > policy.falseDiscoveryRate {
      findings[index].verdict = .inconclusive
    }
  }

  private func overall(_ findings: [Finding], inconclusive: Bool) -> Verdict {
    let verdicts = Set(findings.map(\.verdict))
    if inconclusive { return .inconclusive }
    if verdicts.contains(.regression) { return .regression }
    if verdicts.contains(.inconclusive) { return .inconclusive }
    if verdicts.contains(.underpowered) { return .underpowered }
    return verdicts.contains(.improvement) ? .improvement : .pass
  }

  static func percent(_ fraction: Double) -> String { String(format: "%.1f %%", 100 * fraction) }
}
