import Foundation
import TestSupport
import Testing

/// What every command that judges ends with, event by event, and what it leaves on disk.
///
/// A cell is a line for the shell, run in the project's folder. `$A` is the command, `$T` the trial files, `$W` the suite's own
/// files, `$O` where a report is asked for, `$F` a folder on a full disk.
@Suite struct ExitCodeTableTests {
  enum Verb: String, CaseIterable, Sendable {
    case verify, gradcheck, selftest, bench, duet, merge, report, compare, train, evaluate
  }
  enum Event: String, CaseIterable, Sendable {
    case holds, failure, dyingEngine, interrupted, hole, badFile, fullDisk, closedStdout, fullStderr
  }
  /// What is left where the report was asked for.
  enum Left: Sendable {
    case report, file, nothing
  }
  enum Cell: Sendable {
    case ends(_ codes: Set<Int32>, Left, _ line: String)
    /// The event cannot happen to this command, and why.
    case cannot(_ because: String)
  }

  /// A cell's line with the outside that its event gives it.
  private static func cell(_ verb: Verb, _ event: Event) -> Cell {
    switch event {
    case .holds: plain(verb)
    case .closedStdout: redirected(plain(verb), "1>&-")
    case .fullStderr: redirected(plain(verb), "2>/dev/full")
    case .failure: failure(verb)
    case .dyingEngine: dyingEngine(verb)
    case .interrupted: interrupted(verb)
    case .hole: hole(verb)
    case .badFile: badFile(verb)
    case .fullDisk: fullDisk(verb)
    }
  }

  private static let tinyTraining =
    "$A train --data $T/X_sixteen_images.h5 --model cifar_resnet8 --width 1 --batch 4 --epochs 1"
  private static let judged = "$A evaluate --data $T/T8_ten_images.h5 --weights"

  private static func plain(_ verb: Verb) -> Cell {
    switch verb {
    case .verify: .ends([0], .report, "$A verify -q --golden $T/H14_old.h5 --out $O")
    case .gradcheck: .ends([0], .report, "$A gradcheck -q --operation 'relu n1c1h2w3' --out $O")
    case .selftest: .ends([0], .report, "$A selftest -q --smoke --out $O")
    // A busy machine measures nothing: 2.
    case .bench: .ends([0, 2], .report, "$A bench -q --suite $W/tiny.toml --out $O")
    case .duet: .cannot("a gate that passes takes 40 blocks of each engine: minutes")
    case .merge: .ends([0], .report, "$A merge $W/good --out $O")
    case .report: .ends([0], .report, "$A report $W/good --out $O")
    case .compare: .ends([0], .nothing, "$A compare $T/M_old.json $T/M_old.json")
    case .train: .ends([0], .file, "\(tinyTraining) --out $O")
    case .evaluate: .ends([0], .nothing, "\(judged) $T/weights_cifar8_w2.h5")
    }
  }

  /// The files asked for are written, so that the code stays what it was.
  private static func redirected(_ cell: Cell, _ redirection: String) -> Cell {
    guard case .ends(let codes, let left, let line) = cell else { return cell }
    return .ends(codes, left, "\(line) \(redirection)")
  }

  private static func failure(_ verb: Verb) -> Cell {
    switch verb {
    case .verify: .ends([1], .report, "$A verify -q --golden $T/H12_a_star_is_a_name.h5 --out $O")
    case .gradcheck:
      .ends(
        [1], .report,
        "$A gradcheck -q --operation 'conv2d n1c2h4w4 k2r3s3 stride1 pad1' --spoil 'weight[0,0,0,0]' --out $O")
    // A corpus of one case lets mutants live.
    case .selftest: .ends([1], .report, "$A selftest -q --smoke --golden $W/weak --out $O")
    case .bench: .cannot("a wrong engine needs a program of its own: BenchmarkingTests times one in this process")
    case .duet: .cannot("a regression takes 52 blocks of each engine to find: minutes")
    case .merge: .ends([1], .report, "$A merge $W/failed --out $O")
    case .report: .ends([1], .report, "$A report $W/failed --out $O")
    case .compare: .cannot("a slower run on the same machine is made by BenchmarkingTests, not by hand")
    case .train: .ends([1], .file, "\(tinyTraining) --require-accuracy 1 --out $O")
    case .evaluate: .ends([1, 65], .nothing, "\(judged) $T/T8_weights_nan_logits.h5")
    }
  }

  /// One that answered, and then died: an error (1), not one that could not be started (2).
  private static func dyingEngine(_ verb: Verb) -> Cell {
    switch verb {
    case .verify: .ends([1], .report, "$A verify -q --golden $T/H14_old.h5 --engine \"dies=sh $W/dies.sh\" --out $O")
    case .gradcheck:
      .ends([1], .report, "$A gradcheck -q --operation 'relu n1c1h2w3' --engine \"dies=sh $W/dies.sh\" --out $O")
    case .bench:
      .ends(
        [1], .report, "$A bench -q --suite $W/tiny.toml --engine direct --engine \"dies=sh $W/dies.sh\" --out $O")
    case .duet: .ends([1], .nothing, "$A duet -q --base \"$A engine direct\" --head \"sh $W/dies.sh\" --out $O")
    case .selftest, .merge, .report, .compare, .train, .evaluate: .cannot("it starts no engine")
    }
  }

  private static func interrupted(_ verb: Verb) -> Cell {
    let stop = "timeout --foreground --preserve-status -s INT 2"
    return switch verb {
    case .verify:
      .ends([2], .report, "\(stop) $A verify -q --golden $T/H14_old.h5 --engine \"hangs=sh $W/hangs.sh\" --out $O")
    case .gradcheck: .ends([2], .report, "\(stop) $A gradcheck -q --model resnet50 --size 64 --out $O")
    // What is done of it says nothing.
    case .selftest: .ends([2], .nothing, "\(stop) $A selftest -q --out $O")
    case .bench: .ends([2], .report, "\(stop) $A bench -q --suite $W/long.toml --out $O")
    case .duet:
      .ends([2], .report, "\(stop) $A duet -q --base \"$A engine direct\" --head \"$A engine direct\" --out $O")
    case .train:
      .ends(
        [2], .file,
        "\(stop) $A train --data $T/X_sixteen_images.h5 --model cifar_resnet8 --width 8 --batch 4 --epochs 100000 "
          + "--out $O")
    case .merge, .report, .compare, .evaluate: .cannot("it ends within a second on what a test can hold")
    }
  }

  private static func hole(_ verb: Verb) -> Cell {
    switch verb {
    case .verify: .ends([2], .report, "$A verify -q --golden $T/H14_old.h5 --filter 'nothing*' --out $O")
    case .gradcheck: .ends([2], .report, "$A gradcheck -q --filter 'nothing*' --out $O")
    case .bench: .ends([2], .nothing, "$A bench -q --suite $W/tiny.toml --filter 'nothing*' --out $O")
    case .merge: .ends([2], .report, "$A merge $W/shard1 --out $O")
    case .report: .ends([2], .report, "$A merge $W/shard1 --out $O; $A report $O")
    case .compare: .ends([2], .nothing, "$A compare $T/M_old.json $T/M1_workload_gone.json")
    case .duet:
      .ends(
        [2], .nothing,
        "$A duet -q --base \"$A engine direct\" --head \"$A engine direct\" --filter 'nothing*' --out $O")
    case .selftest, .train, .evaluate: .cannot("it has one list, which nothing can leave out of")
    }
  }

  private static func badFile(_ verb: Verb) -> Cell {
    switch verb {
    case .verify: .ends([65], .report, "$A verify -q --golden $W/bad.h5 $T/H14_old.h5 --out $O")
    case .gradcheck: .ends([65], .report, "$A gradcheck -q --golden $W/bad.h5 --out $O")
    case .selftest: .ends([65], .nothing, "$A selftest -q --smoke --golden $W/bad --out $O")
    case .bench: .ends([65], .nothing, "$A bench -q --suite $W/bad.h5 --out $O")
    case .duet:
      .ends(
        [65], .nothing,
        "$A duet -q --suite $W/bad.h5 --base \"$A engine direct\" --head \"$A engine direct\" --out $O")
    case .merge: .ends([65], .nothing, "$A merge $W/cut --out $O")
    case .report: .ends([65], .nothing, "$A report $W/cut --out $O")
    case .compare: .ends([65], .nothing, "$A compare $T/M_old.json $T/M2_times_nan.json")
    case .train: .ends([65], .nothing, "$A train --data $W/bad.h5 --model cifar_resnet8 --epochs 1 --out $O")
    case .evaluate: .ends([65], .nothing, "$A evaluate --data $W/bad.h5 --weights $T/weights_cifar8_w2.h5")
    }
  }

  private static func fullDisk(_ verb: Verb) -> Cell {
    switch verb {
    case .duet:
      .ends([74], .nothing, "$A duet -q --base \"$A engine direct\" --head \"$A engine direct\" --out $F/out")
    case .compare: .cannot("it writes no file")
    case .evaluate: .ends([74], .nothing, "\(judged) $T/weights_cifar8_w2.h5 --logits $F/out")
    default:
      if case .ends(_, _, let line) = plain(verb) {
        .ends([74], .nothing, line.replacingOccurrences(of: "$O", with: "$F/out"))
      } else {
        .cannot("it writes no file")
      }
    }
  }

  /// The suite's own files, made once.
  private static let files = Result { try makeFiles() }

  private static func makeFiles() throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    let answersOnce = "read line\nprintf '%s\\n' \"$line\" | '\(Repository.command.path)' engine reference\n"
    let suite = "problems = [\"conv2d n1c16h6w6 k16r3s3 stride1 pad1\"]\nengines = [\"direct\"]\n"
    for (name, text) in [
      ("bad.h5", "nonsense"), ("bad/bad.h5", "nonsense"), ("cut/run.json", "{\"schema\":\"assay.run\","),
      ("dies.sh", answersOnce + "read line\nexit 3\n"), ("hangs.sh", answersOnce + "exec sleep 60\n"),
      ("tiny.toml", suite + "blocks = 6\nslice_ms = 0.2\n"), ("long.toml", suite + "blocks = 60\nslice_ms = 200\n"),
    ] {
      let file = folder.file(name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let trials = Repository.root.appending(path: "Tests/Trials")
    try FileManager.default.createDirectory(at: folder.file("weak"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: trials.appending(path: "H14_old.h5"), to: folder.file("weak").appending(path: "one.h5"))
    for (name, words, code) in [
      ("good", ["--golden", trials.appending(path: "H14_old.h5").path], 0),
      ("failed", ["--golden", trials.appending(path: "H12_a_star_is_a_name.h5").path], 1),
      ("shard1", ["--tag", "smoke", "--filter", "relu/*", "--shard", "1/2"], 0),
    ] as [(String, [String], Int32)] {
      let run = try CommandRun(["verify", "--quiet"] + words + ["--out", folder.file(name).path])
      #expect(run.exitCode == code, "\(name): \(run.output)\(run.errors)")
    }
    return folder
  }

  @Test(arguments: Verb.allCases, Event.allCases)
  func `ends as it should, and leaves what it should`(verb: Verb, event: Event) throws {
    guard case .ends(let codes, let left, let line) = Self.cell(verb, event) else { return }
    let files = try Self.files.get()
    let folder = try TemporaryDirectory()
    for name in ["tmp", "full"] {
      try FileManager.default.createDirectory(at: folder.file(name), withIntermediateDirectories: true)
    }
    // A file system of one page, in a mount namespace that goes with the shell; without the right to mount, /proc takes no file.
    let onFullDisk =
      "mount -t tmpfs -o size=4k none \"$F\" 2>/dev/null && head -c 4096 /dev/zero >\"$F/filler\" || export F=/proc; "
    let isFullDisk = event == .fullDisk
    let shell =
      isFullDisk && geteuid() == 0 ? ["unshare", "--mount", "bash", "-c", onFullDisk + line] : ["bash", "-c", line]
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = shell
    process.currentDirectoryURL = Repository.root
    process.environment = ProcessInfo.processInfo.environment.merging([
      "A": Repository.command.path, "T": "Tests/Trials", "W": files.url.path, "O": folder.file("out").path,
      "F": isFullDisk && geteuid() != 0 ? "/proc" : folder.file("full").path, "TMPDIR": folder.file("tmp").path,
    ]) { _, new in new }
    for name in ["stdout", "stderr"] {
      _ = FileManager.default.createFile(atPath: folder.file(name).path, contents: nil)
    }
    process.standardOutput = try FileHandle(forWritingTo: folder.file("stdout"))
    process.standardError = try FileHandle(forWritingTo: folder.file("stderr"))
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    let said = try String(contentsOf: folder.file("stderr"), encoding: .utf8)
    #expect(process.terminationReason == .exit, "\(line): ended by a signal")
    #expect(codes.contains(process.terminationStatus), "\(line): \(process.terminationStatus), \(said)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("tmp").path) == [], "temporaries: \(line)")
    let out = folder.file("out").path
    switch left {
    case .report:
      let names = try FileManager.default.contentsOfDirectory(atPath: out)
      #expect(names.contains("run.json") && names.contains("report.md"), "\(line): \(names)")
      #expect(!names.contains { $0.hasPrefix(".") || $0.hasSuffix(".tmp") }, "\(line): \(names)")
    case .file: #expect(FileManager.default.fileExists(atPath: out), "\(line)")
    case .nothing:
      let names = (try? FileManager.default.contentsOfDirectory(atPath: out)) ?? []
      #expect(names.isEmpty, "\(line): \(names)")
    }
  }

  @Test(arguments: Verb.allCases)
  func `a cell that is left out says why`(verb: Verb) {
    for event in Event.allCases {
      if case .cannot(let reason) = Self.cell(verb, event) { #expect(!reason.isEmpty) }
    }
  }
}
