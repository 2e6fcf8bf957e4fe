import Benchmarking
import Foundation
import Tensors
import Testing

@Suite struct DuetGateTests {
  let gate = DuetGate()

  /// Normal noise from uniform pairs (Box–Muller), seeded.
  private func noise(sigma: Double, count: Int, seed: UInt64) -> [Double] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { _ in
      let radius = (-2 * log(1 - generator.nextUniform())).squareRoot()
      return sigma * radius * cos(2 * .pi * generator.nextUniform())
    }
  }

  /// A benchmark whose wall clock has this noise, with as many blocks as a gate would measure.
  private func differences(
    _ change: Double, sigma: Double, seed: UInt64, threads: Int = 1, cpu: (change: Double, sigma: Double)? = nil
  ) -> DuetGate.Differences {
    let wall = noise(sigma: sigma, count: 800, seed: seed).map { $0 + log1p(change) }
    let times = cpu.map { cpu in
      noise(sigma: cpu.sigma, count: 800, seed: ~seed).map { $0 + log1p(cpu.change) }
    }
    var drawn = 0
    func blocks(_ count: Int) -> [DuetDifference] {
      defer { drawn += count }
      return (drawn..<drawn + count).map { DuetDifference(wall: wall[$0], cpu: times?[$0]) }
    }
    var found = DuetGate.Differences(name: "layer", threads: threads, screen: [])
    let exceedances = gate.exceedances(benchmarks: 1)
    while true {
      let wanted = gate.blocksWanted(found, exceedances)
      if (wanted.screen, wanted.decision) == (found.screen.count, found.decision.count) { return found }
      found.screen += blocks(wanted.screen - found.screen.count)
      found.decision += blocks(wanted.decision - found.decision.count)
    }
  }

  private func same(_ count: Int, _ change: Double = 0) -> [DuetDifference] {
    (0..<count).map { _ in DuetDifference(wall: change, cpu: change) }
  }

  @Test func sevenOfTwelveAdvance() {
    let slow = [Double](repeating: 0.03, count: 7)
    let same = [Double](repeating: 0, count: 6)
    #expect(gate.advance(screen: slow + same.prefix(5)) == .slower)
    #expect(gate.advance(screen: slow.prefix(6) + same) == nil)
    #expect(gate.advance(screen: slow.map { -$0 } + same.prefix(5)) == .faster)
    #expect(gate.advance(screen: slow) == nil, "an unfinished screen decides nothing")
    // One more than half, however long the screen is.
    #expect(gate.advance(screen: slow + slow.prefix(6) + same + same.prefix(5)) == .slower, "13 of 24")
    #expect(gate.advance(screen: slow + slow.prefix(5) + same + same) == nil, "12 of 24")
  }

  @Test func tenPercentIsARegressionAndNothingIsAPass() {
    let slower = gate.decide([differences(0.1, sigma: 0.01, seed: 1)], stealFraction: 0)
    #expect(slower.verdict == .regression)
    #expect(abs(expm1(slower.findings[0].wall.median) - 0.1) < 0.01)
    let same = gate.decide([differences(0, sigma: 0.01, seed: 2)], stealFraction: 0)
    #expect(same.verdict == .pass)
    #expect(same.findings[0].wall.smallestDetectableChange < 0.05)
    let faster = gate.decide([differences(-0.1, sigma: 0.01, seed: 3)], stealFraction: 0)
    #expect(faster.verdict == .improvement)
  }

  @Test func noiseThatHidesThePolicyIsUnderpoweredNeverAPass() {
    let decision = gate.decide([differences(0, sigma: 0.3, seed: 5)], stealFraction: nil)
    #expect(decision.verdict == .underpowered)
    #expect(decision.findings[0].wall.smallestDetectableChange > 0.05)
  }

  /// The number of blocks follows from the noise alone: a shift of all blocks changes nothing.
  @Test(arguments: [0, 0.02, 0.05, -0.1]) func noiseAsksForBlocksAndAChangeDoesNot(shift: Double) {
    let exceedances = gate.exceedances(benchmarks: 5)
    func wanted(_ sigma: Double) -> Int {
      let screen = noise(sigma: sigma, count: 12, seed: 21).map { DuetDifference(wall: $0 + shift) }
      return gate.effortWanted(.init(name: "layer", screen: screen), exceedances)?.times ?? 1
    }
    #expect(wanted(0.005) == 1 && wanted(0.02) == 1)
    #expect(wanted(0.05) > 1)
    #expect(wanted(3) == 1, "so noisy that the most would not do: not tried")
  }

  @Test func quietMachinesAlwaysDecide() {
    for seed in 1...200 {
      let found = differences(0, sigma: 0.03, seed: UInt64(seed))
      #expect(gate.decide([found], stealFraction: 0).verdict != .underpowered, "seed \(seed)")
    }
  }

  /// The wall clock of a loaded machine is blind; its threads' time is not.
  @Test func timeOfThreadsConvictsAndAcquitsOneThread() {
    let loaded = 0.5
    // The wall clock, where by luck it says so too, has the word: 1.02 in so much noise is exceeded by nearly half of the blocks.
    let slower = (1...20).map { seed in
      gate.decide([differences(0.05, sigma: loaded, seed: seed, cpu: (0.05, 0.01))], stealFraction: 0)
    }
    #expect(slower.allSatisfy { $0.verdict == .regression })
    #expect(slower.count { $0.findings[0].clock == .cpu } > 14)
    let same = gate.decide([differences(0, sigma: loaded, seed: 2, cpu: (0, 0.01))], stealFraction: 0)
    #expect(same.verdict == .pass && same.findings[0].clock == .cpu)
    let two = differences(0, sigma: loaded, seed: 3, threads: 2, cpu: (0, 0.01))
    #expect(gate.decide([two], stealFraction: 0).verdict == .underpowered)
    let convicted = differences(0.05, sigma: loaded, seed: 4, threads: 2, cpu: (0.05, 0.01))
    #expect(gate.decide([convicted], stealFraction: 0).verdict == .regression)
    // More time of more threads, and the result sooner.
    let sooner = differences(-0.3, sigma: 0.01, seed: 5, threads: 2, cpu: (0.1, 0.01))
    #expect(gate.decide([sooner], stealFraction: 0).verdict == .improvement)
  }

  @Test func aRegressionIsConfirmedByFreshBlocks() {
    var asking = gate
    asking.policy.confirms = true
    var found = differences(0.1, sigma: 0.01, seed: 1)
    #expect(asking.decide([found], stealFraction: 0).verdict == .inconclusive, "not asked yet")
    found.confirmation = same(40, 0.1)
    #expect(asking.decide([found], stealFraction: 0).verdict == .regression)
    found.confirmation = same(40)
    let refuted = asking.decide([found], stealFraction: 0)
    #expect(refuted.verdict == .inconclusive)
    #expect(refuted.reasons == ["the regression of layer was not seen again in 40 fresh blocks"])
  }

  @Test func sentinelStealAndInterruptionMakeItInconclusive() {
    let regression = differences(0.1, sigma: 0.01, seed: 1)
    #expect(gate.decide([regression], sentinels: [regression], stealFraction: 0).verdict == .inconclusive)
    #expect(gate.decide([regression], stealFraction: 0.11).verdict == .inconclusive)
    #expect(gate.decide([regression], stealFraction: 0, complete: false).verdict == .inconclusive)
    #expect(gate.decide([], stealFraction: 0).verdict == .inconclusive)
    let cut = DuetGate.Differences(
      name: "cut", screen: regression.screen, decision: Array(regression.decision.prefix(5)))
    #expect(gate.decide([cut], stealFraction: 0).verdict == .inconclusive)
  }

  /// Four pairs of a benchmark with itself say nothing; those of all benchmarks together do, and so do the decision's.
  @Test func sentinelsSpeakTogetherAndInADecision() {
    let benchmark = differences(0, sigma: 0.01, seed: 2)
    func sentinels(_ count: Int, _ change: Double, decision: Int = 0) -> [DuetGate.Differences] {
      (0..<count).map { .init(name: "\($0)", screen: same(4, change), decision: same(decision, change)) }
    }
    #expect(gate.decide([benchmark], sentinels: sentinels(1, 0.1), stealFraction: 0).verdict == .pass)
    let all = gate.decide([benchmark], sentinels: sentinels(5, 0.1), stealFraction: 0)
    #expect(all.verdict == .inconclusive)
    #expect(all.reasons.first == "the same binary is 10.5 % slower than itself on all benchmarks by its wall clock")
    #expect(gate.decide([benchmark], sentinels: sentinels(5, 0.01), stealFraction: 0).verdict == .pass)
    let decided = gate.decide([benchmark], sentinels: sentinels(1, -0.1, decision: 14), stealFraction: 0)
    #expect(decided.verdict == .inconclusive && decided.reasons.first?.contains("faster than itself on 0") == true)
  }

  /// A benchmark that an engine does not do is not a pass, and does not excuse a regression elsewhere.
  @Test func benchmarksThatCannotBeMeasuredLeaveItUndecided() {
    let undone = ["head does not do conv2d …"]
    let same = gate.decide(
      [differences(0, sigma: 0.01, seed: 2)], stealFraction: 0, undone: undone)
    #expect(same.verdict == .inconclusive && same.reasons == undone)
    #expect(gate.decide([], stealFraction: 0, undone: undone).verdict == .inconclusive)
    let slower = gate.decide(
      [differences(0.1, sigma: 0.01, seed: 1)], stealFraction: 0, undone: undone)
    #expect(slower.verdict == .regression && slower.reasons == undone)
  }

  /// One true +5 % among benchmarks that did not change is not lost to the correction for their number.
  @Test func multiplicityCountsEveryBenchmark() {
    let others = (0..<49).map { _ in DuetGate.Differences(name: "same", screen: same(12)) }
    let decision = gate.decide([differences(0.05, sigma: 0.01, seed: 9)] + others, stealFraction: 0)
    #expect(decision.findings[0].verdict == .regression)
    #expect(decision.findings[0].wall.adjustedPValue > 49 * decision.findings[0].wall.pValue)
  }

  /// The bars of the design at their edge: σ = 2.5 % of normal noise, five benchmarks.
  @Test func simulatedGatesMeetTheirBars() {
    let drawn = noise(sigma: 0.025, count: 20_000, seed: 11).map { DuetDifference(wall: $0) }
    var simulation = GateSimulation(benchmarks: 5, noise: [.init(name: "normal", drawn)])
    let none = simulation.run(gates: 10_000, change: 0, seed: 1)
    #expect(none.falseAlarms <= 5, "\(none)")
    let five = simulation.run(gates: 2_000, change: log(1.05), seed: 2)
    #expect(five.detections >= 1_800, "\(five)")
    let ten = simulation.run(gates: 2_000, change: log(1.1), seed: 3)
    #expect(ten.detections >= 1_980, "\(ten)")
    simulation.noiseScale = 12
    #expect(simulation.run(gates: 500, change: 0, seed: 4).underpowered > 450)
  }
}
