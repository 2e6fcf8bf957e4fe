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

  private func differences(_ change: Double, sigma: Double, seed: UInt64) -> DuetGate.Differences {
    let all = noise(sigma: sigma, count: 52, seed: seed).map { $0 + log1p(change) }
    let screen = Array(all[..<12])
    return .init(name: "layer", screen: screen, decision: gate.advance(screen: screen) == nil ? [] : Array(all[12...]))
  }

  @Test func sevenOfTwelveAdvance() {
    let slow = [Double](repeating: 0.03, count: 7)
    let same = [Double](repeating: 0, count: 6)
    #expect(gate.advance(screen: slow + same.prefix(5)) == .slower)
    #expect(gate.advance(screen: slow.prefix(6) + same) == nil)
    #expect(gate.advance(screen: slow.map { -$0 } + same.prefix(5)) == .faster)
    #expect(gate.advance(screen: slow) == nil, "an unfinished screen decides nothing")
  }

  @Test func tenPercentIsARegressionAndNothingIsAPass() {
    let slower = gate.decide([differences(0.1, sigma: 0.01, seed: 1)], sentinel: nil, stealFraction: 0)
    #expect(slower.verdict == .regression)
    #expect(abs(expm1(slower.findings[0].median) - 0.1) < 0.01)
    let same = gate.decide([differences(0, sigma: 0.01, seed: 2)], sentinel: nil, stealFraction: 0)
    #expect(same.verdict == .pass)
    #expect(same.findings[0].smallestDetectableChange < 0.05)
    let faster = gate.decide([differences(-0.1, sigma: 0.01, seed: 3)], sentinel: nil, stealFraction: 0)
    #expect(faster.verdict == .improvement)
  }

  @Test func noiseThatHidesThePolicyIsUnderpoweredNeverAPass() {
    let decision = gate.decide([differences(0, sigma: 0.08, seed: 5)], sentinel: nil, stealFraction: nil)
    #expect(decision.verdict == .underpowered)
    #expect(decision.findings[0].smallestDetectableChange > 0.05)
  }

  @Test func sentinelStealAndInterruptionMakeItInconclusive() {
    let regression = differences(0.1, sigma: 0.01, seed: 1)
    #expect(gate.decide([regression], sentinel: regression, stealFraction: 0).verdict == .inconclusive)
    #expect(gate.decide([regression], sentinel: nil, stealFraction: 0.03).verdict == .inconclusive)
    #expect(gate.decide([regression], sentinel: nil, stealFraction: 0, complete: false).verdict == .inconclusive)
    #expect(gate.decide([], sentinel: nil, stealFraction: 0).verdict == .inconclusive)
    let cut = DuetGate.Differences(
      name: "cut", screen: regression.screen, decision: Array(regression.decision.prefix(5)))
    #expect(gate.decide([cut], sentinel: nil, stealFraction: 0).verdict == .inconclusive)
  }

  /// A benchmark that an engine does not do is not a pass, and does not excuse a regression elsewhere.
  @Test func benchmarksThatCannotBeMeasuredLeaveItUndecided() {
    let undone = ["head does not do conv2d …"]
    let same = gate.decide(
      [differences(0, sigma: 0.01, seed: 2)], sentinel: nil, stealFraction: 0, undone: undone)
    #expect(same.verdict == .inconclusive && same.reasons == undone)
    #expect(gate.decide([], sentinel: nil, stealFraction: 0, undone: undone).verdict == .inconclusive)
    let slower = gate.decide(
      [differences(0.1, sigma: 0.01, seed: 1)], sentinel: nil, stealFraction: 0, undone: undone)
    #expect(slower.verdict == .regression && slower.reasons == undone)
  }

  /// One true +5 % among benchmarks that did not change is not lost to the correction for their number.
  @Test func multiplicityCountsEveryBenchmark() {
    let others = (0..<49).map { _ in DuetGate.Differences(name: "same", screen: [Double](repeating: 0, count: 12)) }
    let decision = gate.decide([differences(0.05, sigma: 0.01, seed: 9)] + others, sentinel: nil, stealFraction: 0)
    #expect(decision.findings[0].verdict == .regression)
    #expect(decision.findings[0].adjustedPValue > 49 * decision.findings[0].pValue)
  }

  /// The bars of the design at their edge: σ = 2.5 % of normal noise, five benchmarks.
  @Test func simulatedGatesMeetTheirBars() {
    var simulation = GateSimulation(benchmarks: 5, noise: noise(sigma: 0.025, count: 20_000, seed: 11))
    let none = simulation.run(gates: 10_000, change: 0, seed: 1)
    #expect(none.falseAlarms <= 5, "\(none)")
    let five = simulation.run(gates: 2_000, change: log(1.05), seed: 2)
    #expect(five.detections >= 1_800, "\(five)")
    let ten = simulation.run(gates: 2_000, change: log(1.1), seed: 3)
    #expect(ten.detections >= 1_980, "\(ten)")
    simulation.noiseScale = 4
    #expect(simulation.run(gates: 500, change: 0, seed: 4).underpowered > 450)
  }
}
