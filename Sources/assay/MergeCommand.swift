import ArgumentParser
import Foundation
import Reporting
import Results
import RunAnalysis

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Join runs that are parts of one: shards, workloads, or verification beside a benchmark.",
    discussion: """
      Refuses (65) shards that overlap and parts that were made differently, and says in what: commit, compiler, instruction
      set, engines and their versions, precisions, golden files' digests, known failures, options. A shard or part that is missing
      or was interrupted makes the run inconclusive at best; the command that fills the hole is printed.

      The exit code is that of the merged run, all parts of it.

      EXAMPLES:
        assay merge shard-1 shard-2 shard-3 --out Reports/whole
        assay merge Reports/x/verify Reports/x/bench --out Reports/x
        assay merge parts/* --expect verification=$CODE --expect benchmark --out whole

      \(Outcome.exitCodes)
      """)

  @Argument(help: "The runs' folders, or their run.json.", completion: .directory)
  var runs: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      A part that must be there: \(RunPart.allCases.map(\.rawValue).joined(separator: ", ")). With the exit code of the command \
      that was to write it, that counts too. May be repeated.
      """, valueName: "part[=code]"),
    transform: RunMerge.Expectation.init(word:))
  var expect: [RunMerge.Expectation] = []

  @Option(help: "Write run.json and every report to this folder.", completion: .directory)
  var out: String

  @OptionGroup var json: JSONOption
  @OptionGroup var junit: JUnitOption
  @OptionGroup var colors: ColorOption

  func validate() throws {
    if out.isEmpty { throw ValidationError("--out takes the path of a folder.") }
    if runs.isEmpty, expect.isEmpty { throw ValidationError("expected runs to merge, found none.") }
    let written = Self.record(out)
    if let lost = runs.first(where: { Self.record($0) == written }) {
      throw ValidationError("--out \(out) would overwrite \(lost), which is one of the runs: give another folder.")
    }
  }

  /// The run.json that a path means, links followed.
  private static func record(_ path: String) -> String {
    let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    return url.pathExtension == "json"
      ? url.path : url.appendingPathComponent("run.json").resolvingSymlinksInPath().path
  }

  func run() throws {
    let output = ReportOutput(folder: out, junit: junit.path, files: json.files)
    try output.check()
    let parts = try runs.map { (path: $0, run: try ReportOutput.read($0)) }
    let merged = try RunMerge.merge(parts, expected: expect, origin: Provenance.current(seed: 1))
    RunVerdict.print(merged, color: colors.color)
    for fact in RunFacts.facts(of: merged).prefix(3) { Console.print("* \(fact)") }
    try output.end(merged)
  }
}

extension RunMerge.Expectation {
  /// `verification` or `verification=1`.
  init(word: String) throws {
    let words = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let part = RunPart(rawValue: words[0]) else {
      let known = RunPart.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("expected one of \(known), found '\(words[0])'.")
    }
    var ended: Outcome?
    if words.count == 2 {
      guard let code = Int32(words[1]) else { throw ValidationError("expected an exit code, found '\(words[1])'.") }
      ended = Outcome(exitCode: code)
    }
    self.init(part, ended: ended)
  }
}
