import ArgumentParser
import Benchmarking
import Engines
import Foundation
import Reporting
import Results

/// `assay overhead`: what METHODOLOGY.md says of the cost of measuring.
struct OverheadCommand: ParsableCommand {
  static let standardSuite = "Benchmarks/overhead.toml"

  static let configuration = CommandConfiguration(
    commandName: "overhead",
    abstract: "What measuring costs, and whether an engine is as fast in another process as in this one.",
    discussion: """
      Times a built-in engine in this process and through `assay engine`, in interleaved blocks.

      EXAMPLES:
        assay overhead
        assay overhead --engine winograd4 --filter '*r3s3 stride1*'

      An overhead of 1 % of a slice or more, or a difference above 2 %, is 1.

      \(Outcome.exitCodes)
      """)

  @Option(help: "A built-in engine.")
  var engine = "direct"

  @Option(
    help: "The workloads (default: \(OverheadCommand.standardSuite)).", completion: .file(extensions: ["toml"]))
  var suite: String?

  @Option(help: "Only workloads whose name matches this glob ('=NAME': a name as it is). May be repeated.")
  var filter: [String] = []

  @Option(help: "Seed of operands.")
  var seed: UInt64 = 1

  @OptionGroup var json: JSONOption
  @OptionGroup var colors: ColorOption

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  func run() throws {
    try json.check()
    let (file, plan) = try BenchSelection.plan(
      suite: suite ?? BenchSelection.path(of: Self.standardSuite), filters: filter)
    let inside = try EngineLookup.builtIn(engine)
    let path = EngineCatalog.thisProgram
    let command = ShellCommand([path, "engine", engine])
    let outside = try ProcessEngine(.init(name: "served", command: "\(command)"))
    let progress = ProgressDisplay(isQuiet: quiet)
    let rows: [OverheadProbe.Row]
    do {
      defer { progress.clear() }
      rows = try OverheadProbe(plan: plan, suite: file, inside: inside, outside: outside, seed: seed).run {
        done, name in
        progress.step(done: done, of: plan.items.count, subject: name)
      }
    }
    try json.write(rows)
    func percent(_ fraction: Double) -> String { String(format: "%.3f %%", 100 * fraction) }
    Console.print(String(format: "reading the clock: %.1f ns", OverheadProbe.clockNanoseconds()))
    let cells = rows.map { row in
      [
        row.name, String(format: "%.1f", row.insideNanoseconds * 1e-3),
        String(format: "%.1f", row.outsideNanoseconds * 1e-3), String(format: "%.4f", row.ratio),
        row.interval.map { String(format: "%.4f … %.4f", $0.lower, $0.upper) } ?? "–", percent(row.timerFraction),
        percent(row.insideOverhead), percent(row.outsideOverhead), Self.text(row.audited), Self.text(row.unaudited),
      ]
    }
    let headings = [
      "\(engine) on", "in process µs", "served µs", "ratio", "interval", "clock", "slice", "protocol", "audited", "A/A",
    ]
    Console.print(TextTable(headings, cells).text, terminator: "")
    let overhead = rows.map { max($0.insideOverhead, $0.outsideOverhead) }.max() ?? 0
    let difference = rows.map { abs($0.ratio - 1) }.max() ?? 0
    let outcome: Outcome = overhead > 0.01 || difference > 0.02 ? .fails : .holds
    let verdict =
      "largest overhead \(percent(overhead)) of a \(file.sliceMilliseconds) ms slice; largest difference between in process "
      + "and served \(percent(difference))"
    Console.print(colors.color.painted(verdict, as: outcome))
    let effect = rows.map { abs($0.audited.median - 1) }.max() ?? 0
    Console.print("largest effect of the audit on a median \(percent(effect))")
    try outcome.end()
  }

  private static func text(_ ratio: OverheadProbe.Ratio) -> String {
    String(format: "%.4f", ratio.median)
      + (ratio.interval.map { String(format: " (%.4f … %.4f)", $0.lower, $0.upper) } ?? "")
  }
}
