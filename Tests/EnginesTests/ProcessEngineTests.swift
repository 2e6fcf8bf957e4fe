import Engines
import Foundation
import GoldenFiles
import OperatingSystem
import Problems
import Tensors
import TestSupport
import Testing

@Suite struct ProcessEngineTests {
  /// What an engine may do instead of answering, and what the error must say.
  static let misbehaviours: [(String, [String])] = [
    ("exit 3", ["exited with status 3"]),
    ("kill -SEGV $$", ["signal 11", "SIGSEGV"]),
    ("kill -KILL $$", ["signal 9", "SIGKILL"]),
    ("echo garbage; sleep 5", ["expected a reply", "garbage"]),
    (#"echo '{"id":9,"result":{}}'; sleep 5"#, ["out of order", "request 2, reply 9"]),
    (#"echo '{"result":{}}'; sleep 5"#, ["out of order", "without id"]),
    (#"echo '{"id":2}'; sleep 5"#, ["neither result, unsupported nor error"]),
    (#"echo '{"id":2,"result":7}'; sleep 5"#, ["does not follow the protocol"]),
    (#"printf '{"id":2,"res'"#, ["in the middle of a line"]),
    (#"echo '{"id":2,"result":{}}'; sleep 5"#, ["without writing its output"]),
    ("echo last words >&2; exit 1", ["status 1", "last words"]),
    (#"exec 1>&-; sleep 30"#, ["closed its output"]),
    // The end is seen although a child of its own keeps the pipe open; the time-out is 20 s.
    ("sleep 100 & exit 6", ["exited with status 6"]),
    (
      #"setsid sleep 15 & exit 6"#,
      ["exited with status 6", "it left running, and these were ended: sleep 15 (process "]
    ),
    (#"echo '{"id":1,"result":{}}'; sleep 5"#, ["answered request 1 twice"]),
    (#"head -c 1100000 /dev/zero | tr '\0' a; sleep 5"#, ["1 MiB without an end of line"]),
    (#"printf '\033[31m::error::x\n'; sleep 5"#, ["expected a reply", #"\u{1B}[31m::error::x"#]),
    (#"printf '\033[2J\n' >&2; exit 1"#, [#"\u{1B}[2J"#]),
  ]

  @Test(arguments: misbehaviours)
  func failureIsNamedAndCarriesTheRequest(behaviour: String, expected: [String]) throws {
    let engine = try MisbehavingEngine.engine(behaviour)
    let found = MisbehavingEngine.failure(of: engine)
    for word in expected { #expect(found.contains(word), "\(found)") }
    // The next case starts the engine again, and fails for its own reason.
    #expect(MisbehavingEngine.failure(of: engine).contains(expected[0]))
  }

  @Test func hangIsKilledInTimeAndItsChildrenWithIt() throws {
    let directory = try TemporaryDirectory()
    let pid = directory.file("pid").path(percentEncoded: false)
    let engine = try MisbehavingEngine.engine("sleep 60 & echo $! > \(pid); wait", timeout: 0.5)
    let start = ContinuousClock.now
    #expect(MisbehavingEngine.failure(of: engine).contains("did not reply within 0.5 s"))
    #expect(ContinuousClock.now - start < .seconds(10))
    let child = try #require(Int32(try String(contentsOfFile: pid, encoding: .utf8).dropLast()))
    for _ in 0..<50 where isRunning(child) { Thread.sleep(forTimeInterval: 0.1) }
    #expect(!isRunning(child), "the engine's own child was left behind")
  }

  /// Signal 0 asks whether a process is there; a zombie that nobody has reaped yet does not run.
  private func isRunning(_ process: Int32) -> Bool {
    guard kill(process, 0) == 0 else { return false }
    let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    return !status.contains(") Z ")
  }

  @Test func floodOfStderrBlocksNothing() throws {
    let flood =
      "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123 >&2;"
      + " i=$((i+1)); done; echo the end >&2"
    let engine = try MisbehavingEngine.engine("\(flood); exit 4")
    let found = MisbehavingEngine.failure(of: engine)
    #expect(found.contains("status 4") && found.contains("the end"), "\(found.suffix(300))")
    #expect(found.count < 4_000, "the tail of the log, not all of it")
  }

  /// Only the categories of `expect_error` are refusals of an input; anything else is the engine's own failure.
  @Test(arguments: ["internal", "tired", ""]) func anotherCategoryIsAFailure(category: String) throws {
    let engine = try MisbehavingEngine.engine(
      #"echo '{"id":2,"error":{"category":"\#(category)","message":"out of memory"}}'; sleep 5"#)
    #expect(MisbehavingEngine.failure(of: engine).contains("bad: the engine failed: \(category): out of memory"))
  }

  /// A hang costs three time-outs, and not one for every case.
  @Test func anEngineThatAlwaysHangsIsGivenUp() throws {
    let engine = try MisbehavingEngine.engine("sleep 100", timeout: 0.3)
    for _ in 0..<3 { #expect(MisbehavingEngine.failure(of: engine).contains("did not reply within 0.3 s")) }
    #expect(MisbehavingEngine.failure(of: engine).contains("given up after 3 time-outs in a row"))
  }

  /// An engine that computes relu of the exercise, by copying an answer that was made beforehand.
  private func copying(
    _ directory: TemporaryDirectory, first: String = ":", then behaviour: String = ":"
  ) throws -> ProcessEngine {
    let answer = directory.file("answer.h5").path(percentEncoded: false)
    let y = Tensor<Float>(shape: [1, 1, 2, 2], elements: [0, 2, 0, 4])
    try ExchangeFile.writeAnswer(
      .init(outputs: ["y": .float32(y)]), case: Exercise.neutralName, dtype: .float32, to: answer)
    let command =
      #"while read l; do id=${l#*\"id\":}; id=${id%%,*}; case $l in *hello*) echo '\#(MisbehavingEngine.hello)';;"#
      + #" *) o=${l#*\"output\":\"}; o=${o%%\"*}; cp \#(answer) "$o"; \#(first); echo "{\"id\":$id,\"result\":{}}"; "#
      + "\(behaviour);; esac; done"
    return try ProcessEngine(.init(name: "copying", command: command, timeout: 20))
  }

  @Test func anEngineThatEndsAfterEachAnswerIsStartedAgain() throws {
    let directory = try TemporaryDirectory()
    let engine = try copying(directory, then: "exit 0")
    for pause in [0, 0, 0.2, 0] {
      #expect(try engine.compute(MisbehavingEngine.exercise).outputs["y"] != nil)
      Thread.sleep(forTimeInterval: pause)
    }
    // One that ends so without an answer, or as if something had gone wrong, is not asked again.
    #expect(MisbehavingEngine.failure(of: try MisbehavingEngine.engine("exit 0")).contains("exited with status 0"))
    let dying = try copying(directory, then: "sleep 0.2; exit 9")
    #expect(try dying.compute(MisbehavingEngine.exercise).outputs["y"] != nil)
    #expect(MisbehavingEngine.failure(of: dying).contains("exited with status 9"))
  }

  @Test func aFolderThatTheEngineRemovesIsMadeAgain() throws {
    let directory = try TemporaryDirectory()
    let engine = try copying(directory, first: #"rm -rf "${o%/*}""#)
    // What it removes with the answer in it is its own case; the next one is asked as if nothing had been.
    for _ in 0..<2 { #expect(MisbehavingEngine.failure(of: engine).contains("without writing its output")) }
  }

  @Test func anAnswerTooManyCostsNoOtherCase() throws {
    let directory = try TemporaryDirectory()
    // Both in one write, so that the second is there when the first is read.
    let line = #"{"id":%s,"result":{}}\n"#
    let twice = try copying(directory, first: "printf '\(line)\(line)' $id $id")
    #expect(MisbehavingEngine.failure(of: twice).contains("answered twice"))
    let late = try copying(directory, then: #"sleep 0.3; echo "{\"id\":$id,\"result\":{}}""#)
    for _ in 0..<3 {
      #expect(try late.compute(MisbehavingEngine.exercise).outputs["y"] != nil)
      Thread.sleep(forTimeInterval: 0.6)
    }
  }

  @Test(arguments: ["{}", #"{"threads":4,"flags":["-O3",null],"nested":{"x":1.5}}"#, "[1,2]", "7", "null", #""text""#])
  func infoIsAnyJSON(info: String) throws {
    let hello = MisbehavingEngine.hello.replacingOccurrences(of: #""version""#, with: #""info":\#(info),"version""#)
    let engine = try ProcessEngine(.init(name: "talks", command: "read l; echo '\(hello)'; read l", timeout: 20))
    #expect(engine.description.info["engine"] == "sh")
    if info.contains("threads") { #expect(engine.description.info["flags"] == #"["-O3",null]"#) }
  }

  /// A Python engine's workers, and a shell's pipelines, rely on signals that end them.
  @Test func engineStartsWithDefaultSignals() throws {
    let engine = try MisbehavingEngine.engine("yes | head -1 >&2; kill -TERM $$")
    #expect(MisbehavingEngine.failure(of: engine).contains("SIGTERM"))
  }

  @Test func nothingIsLeftInTheTemporaryFolder() throws {
    let prefix = "\(Leftovers.exchangePrefix)-\(getpid())-"
    func folders() throws -> Set<String> {
      Set(
        try FileManager.default.contentsOfDirectory(atPath: FileManager.default.temporaryDirectory.path)
          .filter { $0.hasPrefix(prefix) })
    }
    // Other tests' engines come and go at the same time: only this one's folder is looked for.
    let directory = try TemporaryDirectory()
    let place = directory.file("place").path(percentEncoded: false)
    do {
      let engine = try copying(directory, then: #"echo "${o%/*}" > \#(place)"#)
      _ = try engine.compute(MisbehavingEngine.exercise)
      Thread.sleep(forTimeInterval: 0.2)
    }
    let folder = try String(contentsOfFile: place, encoding: .utf8).dropLast()
    #expect(folder.contains(prefix))
    #expect(try !folders().contains(String(folder.split(separator: "/").last ?? "")))
  }

  @Test func unsupportedAndRefusalsAreNoFailures() throws {
    let unsupported = try MisbehavingEngine.engine(#"echo '{"id":2,"unsupported":"not today"}'; sleep 5"#)
    #expect(throws: EngineError.unsupported("not today")) { try unsupported.compute(MisbehavingEngine.exercise) }
    let refused = try MisbehavingEngine.engine(
      #"echo '{"id":2,"error":{"category":"shape_mismatch","message":"m"}}'; sleep 5"#)
    #expect(throws: EngineError.refused(category: "shape_mismatch", message: "m")) {
      try refused.compute(MisbehavingEngine.exercise)
    }
  }

  @Test func undeclaredOperationAndTypeAreNeverAsked() throws {
    let engine = try MisbehavingEngine.engine("exit 9")
    var exercise = MisbehavingEngine.exercise
    exercise.dtype = .float64
    #expect(throws: EngineError.unsupported("bad does not offer float64")) { try engine.compute(exercise) }
    exercise.operation = "conv2d"
    #expect(throws: EngineError.unsupported("bad does not offer conv2d")) { try engine.compute(exercise) }
  }

  @Test(arguments: [
    ("/nowhere/engine", "command not found"), ("exit 0", "exited with status 0"), ("echo hi", "expected a reply"),
    (#"read l; echo '{"id":1,"result":{"name":"x"}}'; sleep 5"#, "does not follow the protocol"),
    (
      #"read l; echo '{"id":1,"error":{"category":"invalid_argument","message":"protocol 2 only"}}'"#, "protocol 2 only"
    ),
  ])
  func brokenStartIsOneClearError(command: String, expected: String) {
    do throws(EngineError) {
      _ = try ProcessEngine(.init(name: "bad", command: command, timeout: 20))
      Issue.record("started")
    } catch { #expect("\(error)".contains(expected), "\(error)") }
  }

  @Test func pinnedNameAndVersionAreHeld() {
    let declaration = ProcessEngine.Declaration(
      name: "bad", command: MisbehavingEngine.command("exit 0"), expectedVersion: "2")
    do throws(EngineError) {
      _ = try ProcessEngine(declaration)
      Issue.record("started")
    } catch { #expect("\(error)".contains("expected 2, found 1"), "\(error)") }
  }

  @Test func anotherIdentityAfterARestartIsAnError() throws {
    let directory = try TemporaryDirectory()
    let count = directory.file("count").path(percentEncoded: false)
    let second = MisbehavingEngine.hello.replacingOccurrences(of: #""version":"1""#, with: #""version":"2""#)
    let engine = try ProcessEngine(
      .init(
        name: "liar",
        command:
          "read l; if [ -e \(count) ]; then echo '\(second)'; else : > \(count); echo '\(MisbehavingEngine.hello)'; fi;"
          + " read l; exit 1", timeout: 20))
    _ = MisbehavingEngine.failure(of: engine)
    #expect(MisbehavingEngine.failure(of: engine).contains("another identity after a restart"))
  }

  /// Durations that cannot be true are not taken.
  @Test(arguments: [
    ("[5]", "expected 2 durations, found 1"), ("[0,5]", "impossible"), ("[-1,5]", "impossible"),
    ("[1e18,5]", "impossible"),
  ])
  func impossibleDurationsAreRefused(times: String, expected: String) throws {
    let engine = try MisbehavingEngine.engine(
      #"echo '{"id":2,"result":{"handle":"1"}}'; read l; echo '{"id":3,"result":{"nanoseconds":\#(times)}}'; sleep 5"#)
    let operation = try engine.prepare(
      MisbehavingEngine.exercise, for: .init(pass: .forward, layout: .nchw, threads: 1))
    do throws(EngineError) {
      _ = try operation.time(iterations: 2, cold: false)
      Issue.record("taken")
    } catch { #expect("\(error)".contains(expected), "\(error)") }
  }
}
