import ArgumentParser
import Benchmarking
import Foundation
import Results
import RunAnalysis

/// `assay simulate-gates`: the gate's rate of false alarms and its power, from measured noise.
struct GateSimulationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate-gates",
    abstract: "False-alarm rate and power of the regression gate, on the noise of stored gates.",
    discussion: """
      The noise is that of gates of a binary against itself: each benchmark's differences less their median.

      EXAMPLES:
        assay simulate-gates Reports/aa-1 Reports/aa-2 --benchmarks 5
      """)

  @Argument(help: "Runs of `assay duet` of a binary against itself.", completion: .directory)
  var runs: [String]

  @Option(help: "Benchmarks in a gate.")
  var benchmarks = 5

  @Option(help: "Gates to simulate for each figure.")
  var gates = 10_000

  @Option(help: "Seed.")
  var seed: UInt64 = 1

  func validate() throws {
    try OptionRange.require(benchmarks, "--benchmarks", in: 1...100_000)
    try OptionRange.require(gates, "--gates", in: 1...10_000_000)
  }

  func run() throws {
    var noise: [Double] = []
    for path in runs {
      guard let duet = try ReportOutput.read(path).duet else {
        throw Outcome.badData.ending("\(path): expected a gate, found none")
      }
      for benchmark in duet.benchmarks + [duet.sentinel].compactMap({ $0 }) {
        let differences = benchmark.screen + benchmark.decision
        guard let centre = OrderStatistics.median(differences) else { continue }
        noise += differences.map { $0 - centre }
      }
    }
    guard !noise.isEmpty, let sigma = OrderStatistics.scaledMedianDeviation(noise) else {
      throw Outcome.inconclusive.ending("the gates hold no differences")
    }
    let mean = noise.reduce(0, +) / Double(noise.count)
    let deviation = (noise.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(noise.count)).squareRoot()
    Console.print(
      "\(noise.count) differences of \(runs.count) gates: standard deviation \(percent(deviation)), by the median deviation "
        + percent(sigma))
    let simulation = GateSimulation(benchmarks: benchmarks, noise: noise)
    for (index, change) in [0, 0.05, 0.10].enumerated() {
      let rates = simulation.run(gates: gates, change: log1p(change), seed: seed &+ UInt64(index))
      let found = change == 0 ? "" : ", change found in \(rates.detections)"
      Console.print(
        "\(String(format: "%+.0f %%", 100 * change)) in one of \(benchmarks): \(rates.gates) gates, false alarms in "
          + "\(rates.falseAlarms)\(found), underpowered \(rates.underpowered)")
    }
  }

  private func percent(_ fraction: Double) -> String { String(format: "%.2f %%", 100 * fraction) }
}
