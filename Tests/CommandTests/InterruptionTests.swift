import Foundation
import OperatingSystem
import Reporting
import Results
import TestSupport
import Testing

/// Signals mean the same to every command: it keeps what is done, ends with 2, and leaves nothing behind.
@Suite(.waiting) struct InterruptionTests {
  /// Commands that take minutes when nobody stops them.
  static let commands: [[String]] = [
    ["verify", "--tag", "slow", "--quiet"],
    ["verify", "--quiet", "--engine", "served='\(Repository.command.path(percentEncoded: false))' engine reference"],
    ["gradcheck", "--model", "resnet50", "--quiet"],
    ["gradcheck", "--golden", "Fixtures", "--quiet"],
    ["selftest", "--quiet"],
    ["fuzz", "--quiet", "--time", "1h"],
    ["tune", "--depth", "18,152", "--rounds", "1000", "--quiet"],
    ["overhead"],
    ["bench", "--quick", "--quiet", "--out", "FOLDER/bench"],
    ["train", "--data", "Fixtures/data/digits.h5", "--model", "resnet50", "--epochs", "9", "--out", "FOLDER/w.h5"],
    duet,
  ]
  static let duet = [
    "duet", "--base", "'\(Repository.command.path(percentEncoded: false))' engine direct", "--head",
    "'\(Repository.command.path(percentEncoded: false))' engine direct", "--quiet", "--out", "FOLDER/duet",
  ]

  @Test(arguments: commands, [SIGINT, SIGTERM, SIGHUP])
  func oneSignalEndsWithTwo(command: [String], signal: Int32) throws {
    let run = try InterruptedRun(command, signals: [signal])
    #expect(run.ending == .exited(2), "\(command): \(run.output)")
    #expect(run.leftovers.isEmpty, "\(command)")
  }

  @Test(arguments: commands)
  func aSecondSignalEndsAtOnce(command: [String]) throws {
    let run = try InterruptedRun(command, signals: [SIGTERM, SIGTERM])
    // Two may be one where the system joins them, or come when the command is ending already.
    #expect(run.ending == .exited(128 + SIGTERM) || run.ending == .exited(2), "\(command): \(run.output)")
    #expect(run.leftovers.isEmpty, "\(command)")
  }

  /// An engine that says hello, computes nothing and waits.
  private static let hanging =
    #"hang=read l; echo '{"id":1,"result":{"name":"sh","version":"1","operations":["relu"],"dtypes":["float32"],"#
    + #""passes":["forward","backward"]}}'; read l; echo $$ > FOLDER/pid; sleep 300 & echo $! > FOLDER/child; wait"#

  static let hangs: [(command: [String], isReported: Bool)] = [
    (
      [
        "verify", "--filter", "relu/*", "--dtype", "float32", "--engine", hanging, "--timeout", "250", "--quiet",
        "--jobs", "1", "--out", "FOLDER/out", "--json", "FOLDER/run.json", "--junit", "FOLDER/junit.xml",
      ], true
    ),
    // Already at its start.
    (
      [
        "verify", "--filter", "relu/*", "--engine",
        "hang=echo $$ > FOLDER/pid; sleep 300 & echo $! > FOLDER/child; wait",
        "--timeout", "250", "--quiet",
      ], false
    ),
    (
      ["gradcheck", "--operation", "relu shape2x3", "--engine", hanging, "--dtype", "float32", "--timeout", "250"],
      false
    ),
  ]

  @Test(arguments: hangs, [[SIGINT], [SIGTERM], [SIGTERM, SIGTERM], [SIGHUP, SIGINT]])
  func aHangingEngineEndsWithItsRun(run: (command: [String], isReported: Bool), signals: [Int32]) throws {
    let found = try InterruptedRun(run.command, ready: "child", signals: signals)
    let codes: [ChildProcess.Ending?] =
      signals.count == 1 ? [.exited(2)] : [.exited(2), .exited(128 + (signals.last ?? 0))]
    #expect(codes.contains(found.ending), "\(found.output)")
    #expect(found.leftovers.isEmpty)
    for name in ["pid", "child"] {
      let process = try #require(try found.process(name))
      #expect(!InterruptedRun.isRunning(process), "the engine's \(name) was left behind")
    }
    guard run.isReported, signals.count == 1 else { return }
    let record = try RunFile.read(found.folder.file("run.json").path)
    #expect(record.verification?.interrupted == true)
    #expect(record.conclusion.outcome == .inconclusive)
    for name in ["out/run.json", "out/report.md", "junit.xml"] {
      #expect(FileManager.default.fileExists(atPath: found.folder.file(name).path), "\(name)")
    }
  }

  /// What was known when the signal came is in the record.
  @Test func whatIsDoneIsKept() throws {
    let run = try InterruptedRun(
      [
        "verify", "--filter", "relu/*", "--filter", "conv2d/*", "--engine", "reference", "--engine", Self.hanging,
        "--dtype", "float32", "--timeout", "250", "--quiet", "--jobs", "1", "--json", "FOLDER/run.json",
      ], ready: "child", signals: [SIGINT])
    #expect(run.ending == .exited(2), "\(run.output)")
    let verification = try #require(try RunFile.read(run.folder.file("run.json").path).verification)
    // Convolutions come first; the engine has none, so they are done when it hangs in its first relu.
    #expect(verification.results.count { $0.status == .pass } > 100)
    #expect(verification.vacuity.isEmpty)
  }

  @Test func whatAKilledRunLeftGoesWithALaterOne() throws {
    let killed = try InterruptedRun(Self.hangs[0].command, ready: "child", signals: [SIGKILL])
    #expect(killed.ending == .signalled(SIGKILL))
    #expect(killed.leftovers.count == 1)
    // The engine itself ends with its input; the sleep that it left is this test's to end.
    for name in ["pid", "child"] { if let process = try killed.process(name) { kill(process, SIGKILL) } }
    let temporaries = killed.folder.file("tmp")
    for name in killed.leftovers {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -3_600)], ofItemAtPath: temporaries.appending(path: name).path)
    }
    let later = try CommandRun(
      ["verify", "--filter", "relu/*", "--engine", "sh=exit 1", "--quiet"],
      environment: ["TMPDIR": temporaries.path(percentEncoded: false)])
    #expect(later.exitCode == 2)
    #expect(killed.leftovers.isEmpty)
  }
}
