import Tensors

/// Simulated gates on measured noise: how often the gate alarms without cause, and how often it finds what is there.
public struct GateSimulation: Sendable {
  public var policy: DuetPolicy
  public var benchmarks: Int
  /// Measured differences of a binary against itself, per benchmark centred on their own median: blocks are drawn from
  /// them with replacement.
  public var noise: [Double]
  /// Multiplies the noise, to ask about a noisier machine.
  public var noiseScale = 1.0

  public init(policy: DuetPolicy = DuetPolicy(), benchmarks: Int, noise: [Double]) {
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
  ///   - change: as ln(t_head / t_base), of the first benchmark; 0 for an A/A gate.
  ///   - seed: of the noise that is drawn.
  /// - Requires: some noise, and at least one benchmark.
  public func run(gates: Int, change: Double, seed: UInt64) -> Rates {
    precondition(!noise.isEmpty && benchmarks > 0, "a simulation needs noise and benchmarks")
    let gate = DuetGate(policy: policy)
    let exceedance = policy.requiredExceedance(benchmarks: benchmarks)
    var generator = SplitMix64(seed: seed)
    func draw(_ count: Int, _ shift: Double) -> [Double] {
      (0..<count).map { _ in shift + noiseScale * noise[Int(generator.next() % UInt64(noise.count))] }
    }
    var rates = Rates(gates: gates, falseAlarms: 0, detections: 0, underpowered: 0)
    for _ in 0..<gates {
      let differences = (0..<benchmarks).map { index in
        let shift = index == 0 ? change : 0
        let screen = draw(policy.screenBlocks, shift)
        let decision = gate.advance(screen: screen) == nil ? [] : draw(policy.decisionBlocks, shift)
        return DuetGate.Differences(name: "\(index)", screen: screen, decision: decision)
      }
      let findings = gate.findings(of: differences, exceedance: exceedance)
      let unchanged = change == 0 ? findings[...] : findings.dropFirst()
      if unchanged.contains(where: { $0.verdict == .regression }) { rates.falseAlarms += 1 }
      if findings[0].verdict == .regression { rates.detections += 1 }
      if findings.contains(where: { $0.verdict == .underpowered }) { rates.underpowered += 1 }
    }
    return rates
  }
}
