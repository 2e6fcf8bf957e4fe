import Foundation
import OperatingSystem
import Reporting
import Results
import TestSupport
import Testing

/// `assay fuzz` as a person and a CI meet it.
@Suite struct FuzzCommandTests {
  /// An engine that says hello and has no answer to anything.
  private static let failing =
    #"bad=n=1; read l; echo '{"id":1,"result":{"name":"sh","version":"1","operations":["relu"],"dtypes":["float32"],"#
    + #""passes":["forward"]}}'; while read l; do n=$((n+1)); "#
    + #"echo "{\"id\":$n,\"error\":{\"category\":\"failed\",\"message\":\"not today\"}}"; done"#

  @Test func `0: all hold, and the seed is said first`() throws {
    let run = try CommandRun(["fuzz", "--operation", "relu", "--cases", "40", "--seed", "5"])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    #expect(run.output.hasPrefix("seed 5\n") && run.output.contains("all hold"), "\(run.output)")
    #expect(run.output.contains("40 random problems"))
  }

  @Test func `time ends a run`() throws {
    let run = try CommandRun(["fuzz", "--operation", "add", "--time", "0.3s", "--verbose"])
    #expect(run.exitCode == 0 && run.output.contains("never drawn"), "\(run.output)\(run.errors)")
  }

  @Test func `1: an engine that fails, with a golden file and a command that repeat it`() throws {
    let folder = try TemporaryDirectory()
    let out = folder.file("out").path
    let run = try CommandRun([
      "fuzz", "--engine", Self.failing, "--cases", "6", "--out", out, "--junit", folder.file("junit.xml").path,
    ])
    #expect(run.exitCode == 1, "\(run.output)\(run.errors)")
    let record = try RunFile.read("\(out)/run.json")
    let section = try #require(record.fuzzing)
    #expect(section.failures.count == 1 && section.failures[0].count > 1 && section.next == 6)
    let failure = try #require(section.failures.first)
    #expect(failure.problem == "relu shape1", "\(failure.problem)")
    let file = try #require(failure.file)
    #expect(FileManager.default.fileExists(atPath: file))
    // The golden file is a corpus of one, and correct.
    #expect(try CommandRun(["verify", "--golden", file]).exitCode == 0)
    let command = failure.result.reproduce.replacing("assay", with: "'\(Repository.command.path)'", maxReplacements: 1)
    let repeated = try CommandRun(shell: command)
    #expect(repeated.exitCode == 1, "\(failure.result.reproduce): \(repeated.output)\(repeated.errors)")
    let schema = try JSONSchema(contentsOf: Repository.runSchema)
    #expect(try schema.errors(in: Data(contentsOf: folder.file("out/run.json"))) == [])
    for name in ["out/report.md", "out/report.html", "junit.xml"] {
      let text = try String(contentsOf: folder.file(name), encoding: .utf8)
      #expect(text.contains("relu shape1"), "\(name)")
    }
  }

  @Test func `one problem with its operands`() throws {
    let words = ["fuzz", "--problem", "relu shape17", "--data", "exact@1,x=ones"]
    let run = try CommandRun(words)
    #expect(run.exitCode == 0 && run.output.contains("1 random problems"), "\(run.output)\(run.errors)")
    let bad = try CommandRun(words + ["--engine", Self.failing])
    #expect(bad.exitCode == 1 && bad.output.contains("--problem 'relu shape17' --data exact@1,x=ones"), "\(bad.output)")
  }

  @Test func `a run goes on where it was`() throws {
    let folder = try TemporaryDirectory()
    let words = ["fuzz", "--operation", "flatten", "--out", folder.file("out").path]
    #expect(try CommandRun(words + ["--cases", "10"]).exitCode == 0)
    let run = try CommandRun(words + ["--cases", "25", "--resume"])
    #expect(run.exitCode == 0 && run.output.contains("25 random problems"), "\(run.output)\(run.errors)")
    #expect(try CommandRun(words + ["--cases", "25", "--resume", "--seed", "9"]).exitCode == 64)
  }

  /// What may not go on: another plan, another program, shards that were merged.
  @Test func `64: a run goes on as it was, or not at all`() throws {
    let folder = try TemporaryDirectory()
    let out = folder.file("out").path
    let words = ["fuzz", "--operation", "flatten", "--cases", "10", "--out", out]
    #expect(try CommandRun(words).exitCode == 0)
    func refusal(_ words: [String]) throws -> String {
      let run = try CommandRun(words + ["--resume"])
      #expect(run.exitCode == 64, "\(run.output)\(run.errors)")
      return run.errors
    }
    #expect(try refusal(words + ["--operation", "relu"]).contains("another choice of operations"))
    #expect(try refusal(words + ["--dtype", "float64"]).contains("another --dtype"))
    #expect(try refusal(["fuzz", "--out", out, "--operation", "flatten", "--only", "3"]).contains("one case"))
    #expect(try refusal(["fuzz", "--out", out, "--problem", "relu shape3"]).contains("one case"))
    let file = "\(out)/run.json"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try text.replacing(#/"assay_version"\s*:\s*"[^"]*"/#, with: #""assay_version": "0.0""#)
      .write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try refusal(words).contains("another Assay's version"))
  }

  @Test func `64: shards that were merged do not go on as one run`() throws {
    let folder = try TemporaryDirectory()
    let parts = ["1", "2"].map { folder.file($0).path }
    for (number, part) in parts.enumerated() {
      let words = ["fuzz", "--operation", "flatten", "--time", "0.2s", "--shard", "\(number + 1)/2", "--out", part]
      #expect(try CommandRun(words).exitCode == 0)
    }
    let whole = folder.file("whole").path
    #expect(try CommandRun(["merge"] + parts + ["--out", whole]).exitCode == 0)
    let run = try CommandRun(["fuzz", "--operation", "flatten", "--time", "1s", "--out", whole, "--resume"])
    #expect(run.exitCode == 64 && run.errors.contains("found 2 shards that were merged"), "\(run.errors)")
  }

  @Test func `2: operations without a turn, and cases that are not done, are named`() throws {
    let run = try CommandRun(["fuzz", "--cases", "1000", "--time", "0.001s", "--jobs", "1"])
    #expect(run.exitCode == 2, "\(run.output)\(run.errors)")
    #expect(run.output.contains("not done: time was over") && run.output.contains("without a turn: "), "\(run.output)")
    #expect(run.output.contains("no time was left for"), "\(run.output)")
  }

  @Test func `files of an earlier run's failures are not left beside new ones`() throws {
    let folder = try TemporaryDirectory()
    let out = folder.file("out").path
    var files: [Set<String>] = []
    for seed in ["1", "2"] {
      let words = ["fuzz", "--engine", Self.failing, "--cases", "6", "--out", out, "--seed", seed]
      #expect(try CommandRun(words).exitCode == 1)
      files.append(Set(try FileManager.default.contentsOfDirectory(atPath: "\(out)/failures")))
      let section = try #require(try RunFile.read("\(out)/run.json").fuzzing)
      #expect(files.last == Set(section.failures.compactMap(\.file).map { URL(fileURLWithPath: $0).lastPathComponent }))
    }
    #expect(!files[1].isEmpty)
  }

  @Test func `2: nothing to ask`() throws {
    let run = try CommandRun(["fuzz", "--cases", "1", "--operation", "relu", "--shard", "2/2"])
    #expect(run.exitCode == 2, "\(run.output)\(run.errors)")
    let unstarted = try CommandRun(["fuzz", "--cases", "1", "--engine", "mine=false"])
    #expect(unstarted.exitCode == 2, "\(unstarted.output)\(unstarted.errors)")
  }

  @Test(arguments: [
    ["--operation", "rely"], ["--cases", "0"], ["--time", "soon"], ["--time", "-1s"], ["--only", "3"],
    ["--problem", "relu"], ["--problem", "relu shape3", "--data", "odd@1"], ["--data", "exact@1"], ["--resume"],
    ["--problem", "relu shape3", "--cases", "9"], ["--operation", "relu", "--only", "3", "--time", "1s"],
    ["--dtype", "int64"], ["--operation", "resnet"], ["--shard", "0/2"], ["--jobs", "0"],
  ])
  func `64: words that mean nothing`(words: [String]) throws {
    let run = try CommandRun(["fuzz"] + words)
    #expect(run.exitCode == 64, "\(run.output)\(run.errors)")
    #expect(!run.errors.isEmpty)
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `what is done when a signal comes is kept`(signal: Int32) throws {
    let run = try InterruptedRun(["fuzz", "--quiet", "--time", "1h", "--out", "FOLDER/out"], signals: [signal])
    #expect(run.ending == .exited(2), "\(run.output)")
    #expect(run.leftovers.isEmpty)
    let section = try #require(try RunFile.read(run.folder.file("out/run.json").path).fuzzing)
    #expect(section.interrupted && section.caseCount == section.next)
  }
}
