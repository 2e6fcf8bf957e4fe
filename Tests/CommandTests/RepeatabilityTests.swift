import Convolution
import Foundation
import GoldenFiles
import Operations
import Problems
import TestSupport
import Testing

/// A verdict is what was found, whatever the process: its hash seed, how many jobs, which home folder and locale.
@Suite struct RepeatabilityTests {
  /// Two processes that differ in everything that must not count, but for the instruction set. Swift gives each process a
  /// hash seed of its own unless SWIFT_DETERMINISTIC_HASHING is set.
  private func environments(_ folder: TemporaryDirectory) throws -> [(jobs: Int, environment: [String: String])] {
    let (bare, tuned) = (folder.file("bare").path, folder.file("tuned").path)
    try FileManager.default.createDirectory(atPath: bare, withIntermediateDirectories: true)
    try plans(inHome: tuned)
    return [
      (1, ["HOME": bare, "LC_ALL": "C", "TZ": "UTC"]),
      (2, ["HOME": tuned, "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kolkata"]),
    ]
  }

  /// Times of `assay tune` by which `auto` would take im2col for every convolution.
  private func plans(inHome home: String) throws {
    let plans = ConvolutionPlans(path: home + "/.cache/assay/convolution-plans")
    let instructionSet = try InstructionSet.selected()
    let file = try GoldenReader(trusted: nil, probe: nil).open(
      Repository.fixtures.appending(path: "conv2d.h5").path)
    for summary in file.cases where summary.expectError == nil && summary.tags.contains("smoke") {
      let golden = try file.load(summary)
      let problem = try Problem.make(
        operation: golden.operation, attributes: golden.attributes, operands: golden.operands)
      guard let problem = problem as? Conv2dProblem else { continue }
      for pass in ConvolutionPass.allCases {
        for strategy in AutoStrategy().admissible(problem, pass) {
          plans.record(
            problem, pass, instructionSet, strategy: strategy.name, nanoseconds: strategy.name == "im2col" ? 1 : 2)
        }
      }
    }
  }

  private func record(
    _ words: [String], _ folder: TemporaryDirectory, _ name: String, environment: [String: String] = [:],
    ordered: Bool = true
  ) throws -> RunRecord {
    let out = folder.file(name).path
    let run = try CommandRun(words + ["--out", out], environment: environment)
    #expect(run.exitCode == 0, "\(words): \(run.output)\(run.errors)")
    return try RunRecord(contentsOf: URL(filePath: out + "/run.json"), ordered: ordered)
  }

  @Test(arguments: [
    ["verify", "--quiet", "--tag", "smoke", "--exclude", "*resnet*", "--engine", "reference", "--engine", "auto"],
    ["verify", "--quiet", "--tag", "smoke", "--filter", "*resnet*"],
    ["gradcheck", "--quiet"],
    ["selftest", "--quiet", "--smoke", "--filter", "size classes/*linear*", "--golden", "Fixtures/linear.h5"],
  ])
  func `two processes find the same`(words: [String]) throws {
    let folder = try TemporaryDirectory()
    let records = try environments(folder).map { setting in
      try record(
        words + ["--jobs", "\(setting.jobs)"], folder, "run\(setting.jobs)", environment: setting.environment)
    }
    #expect(records[0].differences(from: records[1]) == [])
  }

  @Test func `a fixed hash seed finds what a random one finds`() throws {
    let folder = try TemporaryDirectory()
    let words = ["verify", "--quiet", "--tag", "smoke", "--filter", "conv2d/*"]
    let fixed = try record(words, folder, "fixed", environment: ["SWIFT_DETERMINISTIC_HASHING": "1"])
    #expect(try record(words, folder, "random").differences(from: fixed) == [])
  }

  @Test func `three shards, merged, find what one run finds`() throws {
    let folder = try TemporaryDirectory()
    let words = ["verify", "--quiet", "--tag", "smoke", "--exclude", "*resnet*"]
    let whole = try record(words, folder, "whole", ordered: false)
    for shard in 1...3 { _ = try record(words + ["--shard", "\(shard)/3"], folder, "\(shard)") }
    let merged = try record(["merge"] + (1...3).map { folder.file("\($0)").path }, folder, "merged", ordered: false)
    #expect(merged.differences(from: whole) == [])
  }

  @Test func `what is left out of a comparison is left out by name`() {
    let run: [String: Any] = [
      "provenance": ["started": "now", "command": ["assay"], "seed": 1],
      "verification": ["seconds": 2, "results": [["name": "/a", "seconds": 1, "status": "PASS"]]],
    ]
    #expect(
      RunRecord.normalised(run, ordered: true) == [
        "provenance/seed": "1", "verification/results#": "1", "verification/results[0]/name": "/a",
        "verification/results[0]/status": "PASS",
      ])
  }
}
