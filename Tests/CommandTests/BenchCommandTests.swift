import Foundation
import Reporting
import Results
import TestSupport
import Testing

/// The benchmark's commands as a person or a CI system runs them: one clear message and the right exit code.
@Suite struct BenchCommandTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func path(_ name: String) -> String { folder.file(name).path(percentEncoded: false) }

  private func run(_ words: [String]) throws -> (code: Int32, output: String, errors: String) {
    let found = try CommandRun(words)
    return (found.exitCode, found.output, found.errors)
  }

  /// The smallest benchmark: one tiny convolution, one engine.
  private func tiny(_ extra: [String]) throws -> [String] {
    let suite = path("tiny.toml")
    try """
    problems = ["conv2d n1c16h6w6 k16r3s3 stride1 pad1"]
    engines = ["direct"]
    blocks = 6
    slice_ms = 0.2
    """.write(toFile: suite, atomically: true, encoding: .utf8)
    return ["bench", "--suite", suite, "--quiet"] + extra
  }

  @Test func networksAreTimedWhole() throws {
    let words = ["bench", "--networks", "--depth", "cifar_resnet8", "--batch", "2", "--threads", "1", "--blocks", "6"]
    let out = path("whole")
    let found = try run(words + ["--slice-ms", "1", "--quiet", "--out", out])
    #expect(found.code == 0 || found.code == 2, "\(found.errors)")
    let file = try String(contentsOfFile: out + "/run.json", encoding: .utf8)
    #expect(file.contains("resnet n2c3h32w32 archcifar_resnet8 classes10 inference nchw t1"))
    #expect(file.contains("what was timed was right in each of 3 collected sets"))
    let section = try #require(try RunFile.read(out + "/run.json").benchmark)
    let contestant = try #require(section.workloads.first?.contestant("execution"))
    #if os(Linux)
      let memory = try #require(contestant.memory, "\(contestant.memoryMissing ?? "no reason")")
      #expect(memory.startBytes < memory.peakBytes && memory.workloadBytes < 1 << 30)
      #expect(found.output.contains("peak memory"))
    #endif
    let layers = try #require(contestant.layers)
    #expect(layers.count == 13 && layers.compactMap(\.limitNanoseconds).count == 11)
    for (more, reason) in [
      (["--pass", "forward"], "--pass"), (["--pass", "training_step,forward"], "--pass"),
      (["--layout", "native"], "--layout"),
    ] {
      let refused = try run(words + more)
      #expect(refused.code == 64 && refused.errors.contains(reason), "\(refused.errors)")
    }
  }

  /// A step of training, in this process and over the protocol: the same numbers, which the same run judges.
  @Test func stepsOfTrainingAreTimed() throws {
    let out = path("training")
    let served = "served=\(Repository.command.path(percentEncoded: false)) engine execution"
    let words = ["bench", "--networks", "--pass", "training_step", "--depth", "cifar_resnet8", "--batch", "2"]
    let more = [
      "--threads", "1", "--blocks", "2", "--quiet", "--engine", "execution", "--engine", served, "--out", out,
    ]
    let found = try run(words + more)
    #expect(found.code == 2, "two blocks decide nothing: \(found.errors)")
    let section = try #require(try RunFile.read(out + "/run.json").benchmark)
    let workload = try #require(section.workloads.first)
    #expect(workload.name == "resnet n2c3h32w32 target archcifar_resnet8 classes10 training training_step nchw t1")
    #expect(workload.contestants.map(\.status) == [.timed, .timed], "\(workload.contestants.map(\.message))")
    let ratios = workload.contestants.compactMap(\.worstRatio)
    #expect(ratios.count == 2 && ratios[0] == ratios[1])
    // Other commands time what has no steps.
    let suite = path("steps.toml")
    try "networks = [\"cifar_resnet8\"]\nwhole_networks = true\npasses = [\"training_step\"]\n".write(
      toFile: suite, atomically: true, encoding: .utf8)
    let duet = try run(["duet", "--base", "assay engine direct", "--head", "assay engine direct", "--suite", suite])
    #expect(duet.code == 64 && duet.errors.contains("`assay bench` alone"), "\(duet.errors)")
  }

  @Test func aNetworkIsTunedInPlace() throws {
    let plans = path("plans")
    let trace = path("trace.json")
    let words = ["tune", "--network", "cifar_resnet8", "--threads", "1,2", "--rounds", "2", "--trace", trace]
    let found = try CommandRun(words, environment: ["ASSAY_PLANS": plans])
    #expect(found.exitCode == 0, "\(found.errors)")
    let lines = try String(contentsOfFile: plans, encoding: .utf8).split(separator: "\n").dropFirst()
    #expect(lines.contains { $0.contains("(in a network, 1 thread, residual)") })
    #expect(lines.contains { $0.contains("(in a network, 2 threads)") })
    let data = try Data(contentsOf: URL(filePath: trace))
    let events = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [[String: Any]]])["traceEvents"]
    // Images, nine convolutions with two shortcuts among them, a mean, a classifier and the logits.
    #expect(try #require(events).count == 13)
    for more in [["--filter", "*"], ["--pass", "backward_data"]] { #expect(try run(words + more).code == 64) }
    #expect(try run(["tune", "--trace", trace]).code == 64)
  }

  @Test func tuningIsKeptForAuto() throws {
    let words = ["tune", "--depth", "18", "--filter", "*k512r1s1*", "--rounds", "1", "--pass", "forward,backward_data"]
    let plans = path("deep/plans")
    let found = try CommandRun(words, environment: ["ASSAY_PLANS": plans])
    #expect(found.exitCode == 0 && found.output.contains("kept in \(plans)"))
    let lines = try String(contentsOfFile: plans, encoding: .utf8).split(separator: "\n")
    // A heading, then direct and im2col in both passes.
    #expect(lines.count == 5 && lines.dropFirst().allSatisfy { $0.contains("n1c256h14w14 k512r1s1 stride2") })
    for (words, file, code) in [
      (["tune", "--filter", "nothing"], plans, 2), (["tune", "--depth", "19"], plans, 64),
      (["tune", "--pass", "sideways"], plans, 64), (["tune", "--rounds", "0"], plans, 64), (words, "", 64),
      (words, "/proc/plans", 74),
    ] as [([String], String, Int32)] {
      let failed = try CommandRun(words, environment: ["ASSAY_PLANS": file])
      #expect(failed.exitCode == code && !failed.errors.isEmpty, "\(words) \(file): \(failed.errors)")
    }
  }

  @Test func badInputHasItsExitCode() throws {
    try "colour = 1".write(toFile: path("bad.toml"), atomically: true, encoding: .utf8)
    try "{\"schema\":\"assay.run\",\"schema_version\":1,".write(
      toFile: path("cut.json"), atomically: true, encoding: .utf8)
    try "{\"schema\":\"assay.run\",\"schema_version\":99}".write(
      toFile: path("newer.json"), atomically: true, encoding: .utf8)
    let cases: [([String], Int32, String)] = [
      (["bench", "--suite", path("bad.toml")], 65, "'colour'"),
      (["bench", "--suite", path("none.toml")], 65, "none.toml"),
      (["bench", "--depth", "19", "--list"], 64, "resnet19"),
      (["bench", "--quick", "--filter", "nothing*"], 2, "no workload"),
      (try tiny(["--engine", "nobody"]), 64, "nobody"),
      (try tiny(["--engine", "bad=/nowhere/engine"]), 2, "command not found"),
      (["report", path("none")], 65, "expected a run"), (["report", path("cut.json")], 65, "cut short"),
      (["report", path("newer.json")], 65, "schema_version 2 at most, found 99"),
      (["history", path("none")], 65, "folder of runs"), (["bench", "--resume"], 64, "--out"),
      (["duet", "--base", " ", "--head", "x"], 64, "command"),
      (["overhead", "--engine", "nobody"], 64, "expected one of reference"),
      (["engine", "nobody"], 64, "expected one of reference"),
    ]
    for (words, code, message) in cases {
      let found = try run(words)
      #expect(found.code == code, "\(words): \(found)")
      #expect(found.errors.contains(message), "\(words): \(found.errors)")
    }
  }

  @Test func runIsWrittenResumedAndReportedAgain() throws {
    let out = path("run")
    let first = try run(tiny(["--out", out]))
    // A machine on which others work gives times that decide nothing, which is 2 and no fault of this test's.
    let isDoubtful = try record(out).isDoubtful
    #expect(first.code == (isDoubtful ? 2 : 0), "\(first)")
    let files = ["run.json", "report.html", "report.md", "benchmarks.json", "bmf.json", "benchmarks.csv"]
    let before = try files.map { try Data(contentsOf: URL(filePath: "\(out)/\($0)")) }
    // A second run into the same folder loses nothing that was measured.
    #expect(try run(tiny(["--out", out])).code == 64)
    #expect(try run(tiny(["--out", out, "--resume"])).code == first.code)
    #expect(try run(tiny(["--out", out, "--resume", "--seed", "2"])).code == 64)
    #expect(try run(["report", out]).code == first.code)
    let after = try files.map { try Data(contentsOf: URL(filePath: "\(out)/\($0)")) }
    #expect(before == after)
    // A run against itself: nothing changed.
    let compared = try run(["compare", out, out])
    #expect(compared.code == first.code, "\(compared)")
    #expect(isDoubtful || compared.output.contains("1 compared: 0 slower"), "\(compared)")
    #expect(try run(["merge", out, out, "--out", path("merged")]).code == 65)
  }

  // MARK: --resume goes on with its own run alone

  /// Three tiny convolutions.
  private func three(_ filter: String, _ out: String) throws -> [String] {
    let suite = path("three.toml")
    try """
    problems = [
      "conv2d n1c16h6w6 k16r3s3 stride1 pad1", "conv2d n1c16h6w6 k16r1s1 stride1 pad0",
      "conv2d n1c16h6w6 k16r2s2 stride1 pad0",
    ]
    engines = ["direct"]
    blocks = 6
    slice_ms = 0.2
    """.write(toFile: suite, atomically: true, encoding: .utf8)
    return ["bench", "--suite", suite, "--quiet", "--filter", filter, "--out", out]
  }

  private func record(_ out: String) throws -> BenchmarkSection {
    try #require(try RunFile.read("\(out)/run.json").benchmark)
  }

  @Test func doneIsDoneByNames() throws {
    let out = path("filtered")
    _ = try run(three("*r3s3*", out))
    _ = try run(three("*r1s1*", out) + ["--resume"])
    let both = try record(out)
    #expect(both.complete && both.workloads.count == 2 && both.planned?.count == 2)
  }

  /// A run that was interrupted after as many workloads as another filter has is not complete with that filter.
  @Test func interruptedAtTheRightNumberIsInterrupted() throws {
    let out = path("number")
    _ = try run(three("*r3s3*", out))
    var stored = try RunFile.read("\(out)/run.json")
    let done = try #require(stored.benchmark?.workloads.first?.name)
    let open = try run(three("*r2s2*", out) + ["--list"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
    stored.benchmark?.planned = [done, open]
    stored.benchmark?.complete = false
    try RunFile.data(stored).write(to: URL(filePath: "\(out)/run.json"))
    #expect(try run(three("*r3s3*", out) + ["--resume"]).code == 2)
    #expect(try run(three("*r1s1*", out) + ["--resume"]).code == 2)
    #expect(try record(out).complete == false)
    _ = try run(three("*r2s2*", out) + ["--resume"])
    #expect(try record(out).complete)
  }

  @Test func otherInstructionSetIsAnotherRun() throws {
    let out = path("portable")
    _ = try CommandRun(try three("*r3s3*", out), environment: ["ASSAY_ISA": "portable"])
    let found = try run(three("*r1s1*", out) + ["--resume"])
    #expect(found.code == 64 && found.errors.contains("instruction set: portable then, "), "\(found)")
    #expect(try record(out).workloads.count == 1)
  }

  @Test func otherCommitIsAnotherRun() throws {
    let words = try three("*r3s3*", path("committed"))
    func commit() throws {
      for arguments in [
        ["init", "-q", "."],
        ["-c", "user.email=a@b", "-c", "user.name=a", "commit", "-q", "--allow-empty", "-m", UUID().uuidString],
      ] {
        #expect(try CommandRun(arguments, of: "git", in: folder.url).exitCode == 0)
      }
    }
    try commit()
    _ = try CommandRun(words, in: folder.url)
    try commit()
    let found = try CommandRun(words + ["--resume"], in: folder.url)
    #expect(found.exitCode == 64 && found.errors.contains("commit: "), "\(found.errors)")
  }

  private func trial(_ name: String) -> String { Repository.root.appending(path: "Tests/Trials/\(name)").path }

  /// What one run has alone is a hole, and a record with figures that no clock gives is bad data: in either place.
  @Test(
    arguments: [
      ("M_old.json", 0, ""), ("M1_workload_gone.json", 2, "k64r3s3 stride1 pad1 forward native t1: in the"),
      ("M1_engine_gone.json", 2, "direct on conv2d n1c64h56w56"), ("M2_times_nan.json", 65, "direct on conv2d"),
      ("M2_times_zero.json", 65, "direct on conv2d"), ("M2_times_negative.json", 65, "direct on conv2d"),
      ("M2_times_infinite.json", 65, "direct on conv2d"),
    ] as [(String, Int32, String)])
  func comparisonsNameWhatIsMissingOrImpossible(name: String, code: Int32, message: String) throws {
    for words in [["compare", trial("M_old.json"), trial(name)], ["compare", trial(name), trial("M_old.json")]] {
      let found = try run(words)
      #expect(found.code == code && (message.isEmpty || found.errors.contains(message)), "\(found)")
      #expect(try run(words + ["--allow-missing"]).code == (code == 2 ? 0 : code))
    }
    if code == 65 { #expect(try run(["report", trial(name), "--out", path("again")]).code == 65) }
  }

  /// `5` would be 500 %: a gate that cannot fail.
  @Test(arguments: ["5", "3", "1", "101%", "-1%", "nan", "inf", "", "%", "5 %%"])
  func policiesArePercentages(policy: String) throws {
    let old = trial("M_old.json")
    #expect(try run(["compare", old, old, "--policy=\(policy)"]).code == 64)
    for option in ["--policy", "--margin", "--steal-limit"] {
      #expect(try run(["duet", "--base", "x", "--head", "x", "\(option)=\(policy)"]).code == 64)
    }
    for sound in ["5%", "0.05", "0%", "100%"] {
      #expect(try run(["compare", old, old, "--policy", sound]).code == 0, "\(sound)")
    }
  }

  /// Whole networks are benchmarks of a gate, too: the same engine on both sides is right on them, and does all of them. Engines
  /// of a gate go before what else runs, where the system lets them.
  @Test func gatesTakeWholeNetworks() throws {
    let suite = path("networks.toml")
    try """
    networks = ["cifar_resnet8"]
    whole_networks = true
    slice_ms = 0.2
    """.write(toFile: suite, atomically: true, encoding: .utf8)
    let engine = "\(Repository.command.path) engine execution"
    let (out, priorities) = (path("gate"), path("priorities"))
    // Beside other tests the noise asks for more blocks than a test has time for.
    let base = "nice >> '\(priorities)'; exec \(engine)"
    let found = try run([
      "duet", "--base", base, "--head", engine, "--suite", suite, "--quiet", "--out", out, "--deadline", "60",
    ])
    let gate = try #require(try RunFile.read(out + "/run.json").duet, "\(found)")
    #expect(gate.complete)
    #expect(gate.benchmarks.map(\.name) == ["resnet n1c3h32w32 archcifar_resnet8 classes10 inference nchw t1"])
    #expect(try #require(gate.benchmarks.first).screen.count >= 3, "\(found)")
    #if os(Linux)
      let least = try CommandRun(["-n", "-20", "nice"], of: "/usr/bin/nice").output
      #expect(gate.nice == (least == "-20\n" ? -20 : nil))
      // A process for each block, and those before the first.
      #expect(try String(contentsOfFile: priorities, encoding: .utf8).contains(least), "\(found)")
    #endif
  }

  /// An engine that is not there, or does not do a benchmark, is neither a regression nor a pass.
  @Test func gatesThatCannotBeHeldAreUndecided() throws {
    let assay = Repository.command.path
    let suite = path("grouped.toml")
    try """
    problems = ["conv2d n1c16h6w6 k16r3s3 stride2 pad1"]
    slice_ms = 0.2
    """.write(toFile: suite, atomically: true, encoding: .utf8)
    let absent = try run([
      "duet", "--base", "/nowhere/engine", "--head", "/nowhere/engine", "--suite", suite, "--quiet",
    ])
    #expect(absent.code == 2 && absent.errors.contains("the gate cannot begin: base: "), "\(absent)")
    let unable = try run([
      "duet", "--base", "\(assay) engine direct", "--head", "\(assay) engine winograd2", "--suite", suite, "--quiet",
    ])
    #expect(unable.code == 2 && unable.output.contains("head does not do conv2d"), "\(unable)")
  }

  @Test(arguments: [
    ["bench", "--quick", "--list"], ["verify"], ["machine"], ["tune"], ["golden", "list"], ["selftest"],
  ])
  func instructionSetsThatAreNoneAreUsage(words: [String]) throws {
    let found = try CommandRun(words, environment: ["ASSAY_ISA": "nosuch"])
    #expect(found.exitCode == 64 && found.errors.contains("ASSAY_ISA"), "\(found)")
    #expect(found.output.isEmpty)
    #expect(try CommandRun(["--help"], environment: ["ASSAY_ISA": "nosuch"]).exitCode == 0)
  }

  /// Too few blocks for an interval: said first, and nothing is compared.
  @Test func benchmarksThatDecideNothingAreInconclusive() throws {
    let out = path("few")
    let found = try run(tiny(["--engine", "direct", "--engine", "im2col", "--blocks", "3", "--out", out]))
    #expect(found.code == 2 && found.output.hasPrefix("inconclusive: too few blocks for an interval"), "\(found)")
    #expect(!found.output.contains("times as fast"))
    #expect(try run(["compare", out, out]).code == 2)
    let text = try String(contentsOfFile: "\(out)/report.md", encoding: .utf8)
    #expect(text.contains("expected 6 or more, found 3") && !text.contains("times as fast"))
  }

  /// Winograd's algorithm does no 1×1 convolution: a table with a hole is none that a script can rely on.
  @Test func strictBenchmarksHaveNoHoles() throws {
    let out = path("strict")
    let words = try three("*r1s1*", out) + ["--engine", "direct", "--engine", "winograd2"]
    let found = try run(words + ["--strict"])
    #expect(found.code == 2 && found.errors.contains("1 of 2 contestants unsupported (--strict)"), "\(found)")
    #expect(try run(["report", out]).code == 2)
    let lenient = try run(words + ["--resume"])
    #expect(try lenient.code == (record(out).isDoubtful ? 2 : 0), "\(lenient)")
    #expect(!lenient.errors.contains("unsupported (--strict)"))
  }

  /// As `make run` leaves it: the merged run beside its parts.
  @Test func historyCountsARunAndItsPartsOnce() throws {
    for name in ["a", "b"] {
      let part = path("Reports/\(name)/parts/bench")
      #expect([0, 2].contains(try run(tiny(["--out", part])).code))
      #expect([0, 2].contains(try run(["merge", part, "--out", path("Reports/\(name)")]).code))
    }
    let whole = try run(["history", path("Reports")])
    #expect(whole.code == 0 && whole.output.hasPrefix("2 runs, 1 series"), "\(whole)")
    #expect(try run(["history", path("Reports"), "--filter", "*k16r3s3*"]).code == 0)
    #expect(try run(["history", path("Reports"), "--filter", "nothing*"]).code == 2)
  }

  /// Digits do not depend on where the reader lives.
  @Test func figuresAreTheSameInEveryLocale() throws {
    let old = trial("M_old.json")
    for locale in ["de_DE.UTF-8", "fr_FR", "C"] {
      let found = try CommandRun(["compare", old, old], environment: ["LC_ALL": locale, "LANG": locale])
      #expect(found.exitCode == 0 && found.output.contains("calibration FMA peak t1: +0.0 %"), "\(found)")
    }
  }

  /// Ctrl-C keeps the record, says how to go on, and `--resume` finishes it.
  @Test func interruptedRunIsKeptAndGoesOn() throws {
    let out = path("interrupted")
    let words = try tiny(["--blocks", "400", "--slice-ms", "20", "--out", out])
    // Once its first record stands it is measuring.
    let stopped = try CommandRun(interrupting: words, by: SIGINT) { _ in
      FileManager.default.fileExists(atPath: "\(out)/run.json")
    }
    let said = stopped.errors
    #expect(stopped.exitCode == 2 && said.components(separatedBy: "--resume").count == 2, "\(said)")
    #expect(try run(["report", out]).code == 2)
  }

  @Test func folderThatCannotBeWrittenIsFoundOutFirst() throws {
    let found = try run(tiny(["--out", "/dev/null/run"]))
    #expect(found.code == 74 && found.errors.contains("cannot be written"), "\(found)")
  }

  /// An engine whose result is wrong is never given a time.
  @Test func wrongEngineIsNotTimed() throws {
    let hello =
      #"{"id":1,"result":{"name":"w","version":"1","operations":["conv2d"],"dtypes":["float32"],"passes":["forward"]}}"#
    let engine = "read l; echo '\(hello)'; read l; exit 3"
    let out = path("wrong")
    let found = try run(tiny(["--engine", "direct", "--engine", "w=\(engine)", "--out", out]))
    #expect(found.code == 1 && found.errors.contains("status 3"), "\(found)")
    let csv = try String(contentsOfFile: "\(out)/benchmarks.csv", encoding: .utf8)
    #expect(csv.contains(",direct,timed,") && csv.contains(",w,failed,,"))
  }
}
