import Foundation
import TestSupport
import Testing

/// The options that mean the same wherever they are, and where they have to be.
@Suite struct CommonFlagTests {
  /// Of commands that make a run with a verdict, that take minutes, and that print a result alone.
  private static let run = ["out", "json", "junit", "color"]
  private static let long = ["quiet"]
  private static let result = ["json"]

  private static let table: [String: [String]] = [
    "verify": run + long, "fuzz": run + long, "gradcheck": run + long, "selftest": run + long, "bench": run + long,
    "duet": run + long, "merge": run,
    "train": ["out", "report"] + long, "evaluate": result + long, "tune": result + long, "overhead": result + long,
    "golden validate": result + long, "golden list": result, "golden diff": result, "model": result, "machine": result,
    "bound": result, "compare": result, "simulate-gates": result, "history": result + ["out"],
    // It prints what a run.json has already, and writes it anew.
    "report": ["out"],
    "golden show": result,
    // What it prints is the protocol.
    "engine": [],
  ]

  @Test func `every command has the options of its kind, and examples`() throws {
    var found: Set<String> = []
    try CommandTree.whole().visit { command in
      guard command.isDisplayed, command.subcommands.isEmpty, command.commandName != "help" else { return }
      let path = command.path.dropFirst().joined(separator: " ")
      found.insert(path)
      let expected = try #require(Self.table[path], "assay \(path): say here which options it has to have")
      for option in expected { #expect(command.options.contains(option), "assay \(path) --\(option)") }
      let all = Set(Self.run + Self.long).subtracting(["color", "out"])
      let others = command.options.intersection(all).subtracting(expected)
      #expect(others.isEmpty, "assay \(path): \(others) is said nowhere here")
      #expect(command.discussion.contains("EXAMPLES:\n"), "assay \(path)")
    }
    #expect(found == Set(Self.table.keys))
  }

  @Test(arguments: [
    ("selftest -q --smoke --filter 'probes/nothing*' --golden Fixtures/linear.h5", "selftest"),
    ("duet -q --base direct --head winograd2 --suite \"$W/small.toml\"", "duet"),
    ("merge \"$R\" --out \"$W/merged\"", "corpus"),
  ])
  func `every run can be a file of JUnit`(line: String, suite: String) throws {
    let folder = try TemporaryDirectory()
    try "problems = [\"conv2d n1c16h6w6 k16r3s3 stride2 pad1\"]\nslice_ms = 0.2\n".write(
      to: folder.file("small.toml"), atomically: true, encoding: .utf8)
    let run = try CommandRun(
      shell: "'\(Repository.command.path)' \(line) --junit \"$W/junit.xml\"",
      environment: [
        "W": folder.file("").path(percentEncoded: false), "R": Repository.versionOneRun.path(percentEncoded: false),
      ])
    #expect([0, 2].contains(run.exitCode), "\(run)")
    let text = try String(contentsOf: folder.file("junit.xml"), encoding: .utf8)
    #expect(text.hasPrefix("<?xml") && text.contains("<testsuite name=\"outcome\""), "\(text.prefix(500))")
    #expect(text.contains("<testsuite name=\"\(suite)"), "\(text.prefix(500))")
    let refused = try CommandRun(
      shell: "'\(Repository.command.path)' \(line) --junit=", environment: ["R": "none", "W": folder.file("").path])
    #expect(refused.exitCode == 64 && refused.errors.contains("--junit"), "\(refused)")
  }
}
