import Foundation
import Reporting
import Results
import TestSupport
import Testing

/// How stored runs are read, joined and reported: every exit code is the run's outcome.
@Suite struct OutcomeCommandTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func path(_ name: String) -> String { folder.file(name).path(percentEncoded: false) }

  /// A run of version 1 with one part, written as it would be today.
  private func write(_ part: RunPart, to name: String, change: (inout Run) -> Void = { _ in }) throws -> String {
    let whole = try RunFile.read(Repository.versionOneRun.path)
    var run = Run(provenance: whole.provenance)
    switch part {
    case .verification: run.verification = whole.verification
    case .gradients: run.gradients = whole.gradients
    case .selfTest: run.selfTest = whole.selfTest
    case .benchmark: run.benchmark = whole.benchmark
    case .fuzzing, .training, .duet, .history: Issue.record("the sample has no \(part)")
    }
    change(&run)
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    try RunFile.data(run).write(to: URL(fileURLWithPath: path(name) + "/run.json"))
    return path(name)
  }

  @Test func `merge ends by the worst of all parts`() throws {
    let verify = try write(.verification, to: "verify")
    let gradients = try write(.gradients, to: "gradients") { $0.gradients?.records[0].verdict = .fail }
    let selfTest = try write(.selfTest, to: "selftest") { $0.selfTest?.interrupted = true }
    for (parts, code) in [
      ([verify], 0), ([verify, gradients], 1), ([gradients, verify], 1), ([verify, selfTest], 2),
      ([selfTest, verify], 2),
      ([selfTest, gradients, verify], 1),
    ] as [([String], Int32)] {
      let out = path("whole \(parts.count) \(code)")
      let run = try CommandRun(["merge"] + parts + ["--out", out])
      #expect(run.exitCode == code, "\(parts): \(run.output)\(run.errors)")
      #expect(try RunFile.read(out + "/run.json").conclusion.outcome.exitCode == code)
      // The report of it says and does the same.
      let report = try CommandRun(["report", out])
      #expect(report.exitCode == code && report.output.contains("outcome: "), "\(report.output)")
    }
  }

  @Test(arguments: [
    (["verify", "--engine", "nosuch"], "engine 'nosuch'"), (["verify", "--shard", "9"], "shard '9'"),
    (["gradcheck", "--operation", "conv2d"], "problem text of conv2d"), (["gradcheck", "--jobs", "0"], "--jobs"),
    (["golden list", "--operation"], "--operation"),
  ])
  func `a refusal shows the usage of its own command`(words: [String], reason: String) throws {
    let command = words[0]
    let run = try CommandRun(command.split(separator: " ").map(String.init) + words.dropFirst())
    #expect(run.exitCode == 64 && run.output.isEmpty, "\(run.exitCode) \(run.output)")
    #expect(run.errors.contains(reason) && run.errors.contains("Usage: assay \(command) "), "\(run.errors)")
  }

  @Test func `expected parts are missed`() throws {
    let verify = try write(.verification, to: "verify")
    for (words, code) in [
      (["--expect", "verification=0"], 0), (["--expect", "benchmark"], 2), (["--expect", "benchmark=139"], 70),
      (["--expect", "benchmark=1"], 1), (["--expect", "verification=74"], 74), (["--expect", "everything"], 64),
      (["--expect", "benchmark=x"], 64),
    ] as [([String], Int32)] {
      let run = try CommandRun(["merge", verify, "--out", path("whole")] + words)
      #expect(run.exitCode == code, "\(words): \(run.output)\(run.errors)")
    }
  }

  @Test func `merge never writes over what it reads`() throws {
    let verify = try write(.verification, to: "verify")
    let before = try Data(contentsOf: URL(fileURLWithPath: verify + "/run.json"))
    for words in [[verify, "--out", verify], [verify + "/run.json", "--out", verify + "/../verify/"]] {
      #expect(try CommandRun(["merge"] + words).exitCode == 64)
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: verify + "/run.json")) == before)
  }

  @Test func `version 1 is read by every command, and a newer version by none`() throws {
    let old = path("old.json")
    try FileManager.default.copyItem(atPath: Repository.versionOneRun.path, toPath: old)
    let newer = path("newer.json")
    try "{\"schema\":\"assay.run\",\"schema_version\":3}".write(toFile: newer, atomically: true, encoding: .utf8)
    #expect(try CommandRun(["merge", old, "--out", path("merged")]).exitCode == 0)
    #expect(try CommandRun(["report", old, "--out", path("report")]).exitCode == 0)
    #expect(try CommandRun(["merge", newer, "--out", path("merged")]).exitCode == 65)
    #expect(try CommandRun(["report", newer]).exitCode == 65)
    for words in [[old, newer], [newer, old]] { #expect(try CommandRun(["compare"] + words).exitCode == 65) }
    let compared = try CommandRun(["compare", old, old])
    #expect(compared.output.contains("compared"), "\(compared.output)\(compared.errors)")
    let history = try CommandRun(["history", path("merged")])
    #expect(history.output.contains("1 runs"), "\(history.output)\(history.errors)")
  }

  // MARK: Outputs that cannot be written

  @Test(arguments: [
    ["verify", "--tag", "smoke", "--filter", "relu/*", "--junit", "/dev/null/x.xml"],
    ["verify", "--tag", "smoke", "--filter", "relu/*", "--json", "/proc/x.json"],
    ["verify", "--tag", "smoke", "--filter", "relu/*", "--out", "/proc/x"],
    ["gradcheck", "--operation", "relu n1c1h2w2", "--json", "/dev/null/x.jsonl"],
    ["gradcheck", "--operation", "relu n1c1h2w2", "--out", "/dev/null/x"], ["selftest", "--smoke", "--out", "/proc/x"],
    ["merge", Repository.versionOneRun.path, "--out", "/proc/x"],
    ["report", Repository.versionOneRun.path, "--out", "/proc/x"],
  ])
  func `74: found out before any work`(_ words: [String]) throws {
    let run = try CommandRun(words)
    #expect(run.exitCode == 74, "\(run.output)\(run.errors)")
    #expect(run.output.isEmpty, "\(run.output)")
    #expect(run.errors.contains("cannot be written"), "\(run.errors)")
  }

  /// A closed stdout changes nothing, a full one is an output that could not be written; a bad file is worse than that.
  @Test(
    arguments: [
      ("verify --list --filter 'relu/*' >/dev/full", 74), ("verify --list --filter 'relu/*' >&-", 0),
      ("verify --list --filter 'relu/*' | true", 0), ("verify --tag smoke --filter 'relu/*' 2>/dev/full", 0),
      ("verify --golden Package.swift >/dev/full", 65), ("verify --filter nothing >/dev/full", 74),
      ("verify --nonsense >/dev/full", 64),
    ] as [(String, Int32)])
  func `printing that fails`(_ line: String, _ code: Int32) throws {
    #expect(try CommandRun(shell: "set -o pipefail; \(Repository.command.path) \(line)").exitCode == code)
  }

  /// The page is handed to the desktop's own program, which outlives this one; a machine without one is told.
  @Test func `a page is opened`() throws {
    let opened = path("opened")
    #if os(macOS)
      let opener = folder.file("open")
    #else
      let opener = folder.file("xdg-open")
    #endif
    try "#!/bin/sh\nsleep 0.5\necho \"$1\" >'\(opened).new'\nmv '\(opened).new' '\(opened)'\n".write(
      to: opener, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: opener.path)
    let words = ["report", Repository.versionOneRun.path, "--out", path("page"), "--open"]
    let run = try CommandRun(words, environment: ["PATH": "\(folder.url.path):/usr/bin:/bin"])
    #expect(!run.errors.contains("cannot be opened"), "\(run.errors)")
    for _ in 0..<400 where !FileManager.default.fileExists(atPath: opened) { Thread.sleep(forTimeInterval: 0.05) }
    #expect(try String(contentsOfFile: opened, encoding: .utf8) == path("page/report.html") + "\n")
    let without = try CommandRun(words, environment: ["PATH": "/nowhere"])
    #expect(without.exitCode == run.exitCode)
    #expect(without.errors.contains("page/report.html cannot be opened: there is no "), "\(without.errors)")
  }

  /// What could be written is kept, and said.
  @Test func `a report that cannot be written keeps no other back`() throws {
    let out = path("out")
    // A folder stands in the place of one of the folder's files, which no check before the work looks for.
    try FileManager.default.createDirectory(atPath: out + "/report.md/x", withIntermediateDirectories: true)
    let run = try CommandRun(["verify", "--tag", "smoke", "--filter", "relu/*", "--out", out])
    #expect(run.exitCode == 74, "\(run.output)\(run.errors)")
    #expect(run.errors.contains("report.md: cannot be written"))
    for name in ["run.json", "report.html", "junit.xml"] {
      #expect(FileManager.default.fileExists(atPath: "\(out)/\(name)"), "\(name)")
    }
  }

  // MARK: make run

  struct Part: Sendable, CustomTestStringConvertible {
    var record: Bool
    var code: Int
    var testDescription: String { "\(record ? "a record" : "nothing"), \(code)" }
  }

  /// The verb with a command in the place of `assay` that leaves what the test says; make itself ends with 2 whatever its
  /// recipe ended with, and prints that.
  @Test(
    arguments: [
      ([:], 0), (["verify": Part(record: true, code: 1), "gradcheck": Part(record: true, code: 2)], 1),
      (["selftest": Part(record: false, code: 139)], 70), (["bench": Part(record: false, code: 2)], 2),
      (["gradcheck": Part(record: false, code: 0)], 2), (["verify": Part(record: true, code: 74)], 74),
      (["bench": Part(record: false, code: 65), "verify": Part(record: true, code: 1)], 65),
    ] as [([String: Part], Int)])
  func `make run ends by what all parts amount to`(_ parts: [String: Part], _ code: Int) throws {
    let sections: [(String, RunPart)] = [
      ("verify", .verification), ("gradcheck", .gradients), ("selftest", .selfTest), ("bench", .benchmark),
    ]
    for (word, section) in sections {
      let part = parts[word] ?? Part(record: true, code: 0)
      try "\(part.code)".write(toFile: path("\(word).code"), atomically: true, encoding: .utf8)
      guard part.record else { continue }
      let written = try write(section, to: word) { run in
        if part.code == 1 { run.verification?.results[0].status = .fail }
        if part.code == 2 { run.gradients?.interrupted = true }
      }
      try FileManager.default.moveItem(atPath: written + "/run.json", toPath: path("\(word).json"))
    }
    let stub = path("stub")
    try """
    #!/bin/bash
    word=$1
    [ "$word" = merge ] && exec '\(Repository.command.path)' "$@"
    while [ "$1" != --out ]; do shift; done
    if [ -e "$STUB/$word.json" ]; then mkdir -p "$2"; cp "$STUB/$word.json" "$2/run.json"; fi
    exit "$(cat "$STUB/$word.code")"
    """.write(toFile: stub, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: stub)
    let makefile = Repository.root.appending(path: "Makefile").path
    let made = try CommandRun(
      ["-f", makefile, "run", "BIN=\(stub)", "SWIFT=true", "RUN=whole"], of: "make", in: folder.url,
      environment: ["STUB": folder.url.path])
    #expect(made.exitCode == (code == 0 ? 0 : 2), "\(made.errors)")
    #expect(code == 0 || made.errors.contains("Error \(code)"), "\(made.errors)")
    let merged = try RunFile.read(path("Reports/whole/run.json"))
    #expect(merged.conclusion.outcome.exitCode == Int32(code), "\(merged.conclusion)")
  }
}
