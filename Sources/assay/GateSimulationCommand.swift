import ArgumentParser
import Benchmarking
import Foundation
import Reporting
import Results
import RunAnalysis

/// `assay simulate-gates`: the gate's rate of false alarms and its power, from measured noise.
struct GateSimulationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate-gates",
    abstract: "False-alarm rate and power of the regression gate, on the noise of stored gates.",
    discussion: """
      The noise is that of gates of a binary against itself: each benchmark's differences, by both clocks, less their median.
      The table is the floor of each benchmark: what it could see in the median and in the worst of the gates.

      EXAMPLES:
        assay simulate-gates Reports/aa-1 Reports/aa-2 --benchmarks 5

      \(Outcome.exitCodes)
      """)

  @Argument(help: "Runs of `assay duet` of a binary against itself.", completion: .directory)
  var runs: [String]

  @Option(help: "Benchmarks in a gate (default: as many as the gates have).")
  var benchmarks: Int?

  @Option(help: "Gates to simulate for each figure.")
  var gates = 10_000

  @Option(help: "Seed.")
  var seed: UInt64 = 1

  @OptionGroup var json: JSONOption

  func validate() throws {
    try OptionRange.require(benchmarks, "--benchmarks", in: 1...100_000)
    try OptionRange.require(gates, "--gates", in: 1...10_000_000)
  }

  func run() throws {
    try json.check()
    var noise: [String: [DuetGate.Differences]] = [:]
    var floors: [String: [Double]] = [:]
    for path in runs {
      guard let duet = try ReportOutput.read(path).duet else {
        throw Outcome.badData.ending("\(path): expected a gate, found none")
      }
      for record in duet.benchmarks where !record.screen.isEmpty {
        noise[record.name, default: []].append(DuetRecords.differences(of: record))
        floors[record.name, default: []].append(record.smallestDetectableChange)
      }
    }
    guard !noise.isEmpty else { throw Outcome.inconclusive.ending("the gates hold no differences") }
    let measured = noise.sorted { $0.key < $1.key }.compactMap { name, gates in Self.noise(name, gates) }
    Console.print(
      "\(runs.count) gates of a binary against itself: standard deviations of ln(head/base), and what they could see")
    Console.print(Self.table(measured, floors).text, terminator: "")
    let simulation = GateSimulation(benchmarks: benchmarks ?? measured.count, noise: measured)
    var results: [Result] = []
    for (index, change) in [0, 0.05, 0.10].enumerated() {
      let rates = simulation.run(gates: gates, change: log1p(change), seed: seed &+ UInt64(index))
      results.append(Result(change, rates, of: simulation.benchmarks))
      let found = change == 0 ? "" : ", change found in \(rates.detections)"
      Console.print(
        "\(String(format: "%+.0f %%", 100 * change)) in one of \(simulation.benchmarks): \(rates.gates) gates, false alarms in "
          + "\(rates.falseAlarms)\(found), underpowered \(rates.underpowered)")
    }
    try json.write(results)
  }

  /// What `--json` writes of a change.
  private struct Result: Encodable {
    var change: Double
    var benchmarks, gates, falseAlarms, detections, underpowered: Int

    init(_ change: Double, _ rates: GateSimulation.Rates, of benchmarks: Int) {
      self.change = change
      self.benchmarks = benchmarks
      (gates, falseAlarms) = (rates.gates, rates.falseAlarms)
      (detections, underpowered) = (rates.detections, rates.underpowered)
    }
  }

  /// Each gate's differences less their own median: what a gate is off as a whole is a change, not noise.
  private static func noise(_ name: String, _ gates: [DuetGate.Differences]) -> GateSimulation.Noise? {
    let all = gates.flatMap { gate in
      GateSimulation.Noise(name: name, gate.screen + gate.decision + gate.confirmation).differences
    }
    // A gate on a system that does not tell CPU time leaves that clock out for all.
    return all.isEmpty ? nil : GateSimulation.Noise(name: name, threads: gates.first?.threads ?? 1, all)
  }

  private static func table(_ measured: [GateSimulation.Noise], _ floors: [String: [Double]]) -> TextTable {
    TextTable(
      ["benchmark", "blocks", "wall clock", "CPU time", "could see", "at worst"],
      measured.map { noise in
        let seen = floors[noise.name] ?? []
        return [
          noise.name, "\(noise.differences.count)", deviation(noise.differences.on(.wall)),
          deviation(noise.differences.on(.cpu)), OrderStatistics.median(seen).map(percent) ?? "–",
          seen.max().map(percent) ?? "–",
        ]
      })
  }

  /// By the median deviation, which single outliers do not move.
  private static func deviation(_ differences: [Double]) -> String {
    OrderStatistics.scaledMedianDeviation(differences).map(percent) ?? "–"
  }

  private static func percent(_ fraction: Double) -> String {
    fraction.isFinite ? String(format: "%.2f %%", 100 * fraction) : "none"
  }
}
