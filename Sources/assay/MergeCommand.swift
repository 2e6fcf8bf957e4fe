import ArgumentParser
import Benchmarking
import Foundation
import Reporting
import Results

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Join runs that are parts of one: shards, workloads, or verification beside a benchmark.",
    discussion: """
      Refuses shards that overlap or leave a gap, and parts of different commits.

      EXAMPLES:
        assay merge shard-1 shard-2 shard-3 --out Reports/whole
        assay merge Reports/x/verify Reports/x/bench --out Reports/x

      EXIT CODES: that of the merged verification, 64 usage, 65 for runs that are not parts of one, 70 internal.
      """)

  @Argument(help: "The runs' folders, or their run.json.", completion: .directory)
  var runs: [String]

  @Option(help: "Write run.json and every report to this folder.", completion: .directory)
  var out: String

  func validate() throws {
    if out.isEmpty { throw ValidationError("--out takes the path of a folder.") }
  }

  func run() throws {
    let parts = try runs.map { (path: $0, run: try ReportOutput.read($0)) }
    let merged: Run
    do throws(RunMerge.Refusal) { merged = try RunMerge.merge(parts) } catch {
      throw EngineLookup.failure("\(error)", code: 65)
    }
    for line in RunFacts.verdicts(of: merged) { Console.print(line) }
    for fact in RunFacts.facts(of: merged).prefix(3) { Console.print("* \(fact)") }
    try ReportOutput.write(merged, to: out)
    try merged.conclusion.outcome.end()
  }
}
