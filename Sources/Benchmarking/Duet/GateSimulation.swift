import RunAnalysis
import Tensors

/// Simulated gates on measured noise: how often the gate alarms without cause, and how often it finds what is there.
public struct GateSimulation: Sendable {
  public var policy: DuetPolicy
  /// Of each benchmark, the measured differences of a binary against itself, by both clocks: blocks are drawn from them with
  /// replacement, less their median. The simulated gates have these benchmarks, in turn where there are more.
  public var noise: [Noise]
  public var benchmarks: Int
  /// Multiplies the noise, to ask about a noisier machine.
  public var noiseScale = 1.0

  public struct Noise: Sendable {
    public var name: String
    public var threads: Int
    public fileprivate(set) var differences: [DuetDifference]

    /// - Requires: differences.
    public init(name: String, threads: Int = 1, _ differences: [DuetDifference]) {
      precondition(!differences.isEmpty, "a simulation needs noise")
      (self.name, self.threads) = (name, threads)
      let wall = OrderStatistics.median(differences.map(\.wall)) ?? 0
      let cpu = OrderStatistics.median(differences.on(.cpu))
      self.differences = differences.map { found in
        DuetDifference(wall: found.wall - wall, cpu: cpu.flatMap { centre in found.cpu.map { $0 - centre } })
      }
    }
  }

  /// - Requires: some noise, and at least one benchmark.
  public init(policy: DuetPolicy = DuetPolicy(), benchmarks: Int, noise: [Noise]) {
    precondition(!noise.isEmpty && benchmarks > 0, "a simulation needs noise and benchmarks")
    self.policy = policy
    self.benchmarks = benchmarks
    self.noise = noise
  }

  public struct Rates: Hashable, Sendable {
    public var gates: Int
    /// Gates with a regression among the benchmarks that did not change.
    public var falseAlarms: Int
    /// Gates that called the benchmark that changed a regression.
    public var detections: Int
    /// Gates in which some benchmark could not have shown the policy's change.
    public var underpowered: Int
  }

  /// - Parameters:
  ///   - gates: how many are simulated.
  ///   - change: as ln(t_head / t_base) by both clocks, of one benchmark, another in each gate; 0 for an A/A gate.
  ///   - seed: of the noise that is drawn.
  public func run(gates: Int, change: Double, seed: UInt64) -> Rates {
    let gate = DuetGate(policy: policy)
    let exceedances = gate.exceedances(benchmarks: benchmarks)
    var generator = SplitMix64(seed: seed)
    var rates = Rates(gates: gates, falseAlarms: 0, detections: 0, underpowered: 0)
    for number in 0..<gates {
      let changed = number % benchmarks
      let findings = gate.findings(
        of: (0..<benchmarks).map { index in
          simulated(index, shift: index == changed ? change : 0, gate, exceedances, &generator)
        }, exceedances)
      let regressions = findings.indices.filter { findings[$0].verdict == .regression }
      if regressions.contains(where: { change == 0 || $0 != changed }) { rates.falseAlarms += 1 }
      if regressions.contains(changed) { rates.detections += 1 }
      if findings.contains(where: { $0.verdict == .underpowered }) { rates.underpowered += 1 }
    }
    return rates
  }

  /// One benchmark's blocks, as many as its noise asks for.
  private func simulated(
    _ index: Int, shift: Double, _ gate: DuetGate, _ exceedances: DuetGate.Exceedances, _ generator: inout SplitMix64
  ) -> DuetGate.Differences {
    let noise = noise[index % noise.count]
    func draw(_ count: Int) -> [DuetDifference] {
      (0..<count).map { _ in
        let drawn = noise.differences[Int(generator.next() % UInt64(noise.differences.count))]
        return DuetDifference(
          wall: shift + noiseScale * drawn.wall, cpu: drawn.cpu.map { shift + noiseScale * $0 })
      }
    }
    var benchmark = DuetGate.Differences(name: noise.name, threads: noise.threads, screen: [])
    while true {
      let wanted = gate.blocksWanted(benchmark, exceedances)
      let (screen, decision) = (wanted.screen - benchmark.screen.count, wanted.decision - benchmark.decision.count)
      if screen == 0, decision == 0 { break }
      benchmark.screen += draw(screen)
      benchmark.decision += draw(decision)
    }
    if policy.confirms, gate.advances(benchmark) { benchmark.confirmation = draw(benchmark.decision.count) }
    return benchmark
  }
}
