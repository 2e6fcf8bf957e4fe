import Engines
import Foundation
import TestSupport
import Testing

@Suite struct ProcessEngineTests {
  /// What an engine may do instead of answering, and what the error must say.
  static let misbehaviours: [(String, [String])] = [
    ("exit 3", ["exited with status 3"]),
    ("kill -SEGV $$", ["signal 11", "SIGSEGV"]),
    ("kill -KILL $$", ["signal 9", "SIGKILL"]),
    ("echo garbage; sleep 5", ["no reply", "garbage"]),
    (#"echo '{"id":9,"result":{}}'; sleep 5"#, ["out of order", "request 2, reply 9"]),
    (#"echo '{"result":{}}'; sleep 5"#, ["out of order", "without id"]),
    (#"echo '{"id":2}'; sleep 5"#, ["neither result, unsupported nor error"]),
    (#"echo '{"id":2,"result":7}'; sleep 5"#, ["not as the protocol says"]),
    (#"printf '{"id":2,"res'"#, ["in the middle of a line"]),
    (#"echo '{"id":2,"result":{}}'; sleep 5"#, ["without writing its output"]),
    ("echo last words >&2; exit 1", ["status 1", "last words"]),
    (#"exec 1>&-; sleep 30"#, ["closed its output"]),
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
    ("/nowhere/engine", "command not found"), ("exit 0", "exited with status 0"), ("echo hi", "no reply"),
    (#"read l; echo '{"id":1,"result":{"name":"x"}}'; sleep 5"#, "not as the protocol says"),
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
