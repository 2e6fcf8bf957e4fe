import Foundation
import TestSupport
import Testing

import OperatingSystem

@Suite struct ChildProcessTests {
  private func text(_ child: ChildProcess) -> String {
    var bytes: [UInt8] = []
    while let chunk = child.output?.read(), !chunk.isEmpty { bytes += chunk }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func shell(_ command: String) throws -> ChildProcess { try ChildProcess("/bin/sh", ["-c", command]) }

  @Test func inputOutputAndStatus() throws {
    let child = try ChildProcess("/bin/sh", ["-c", "read l; echo got $l; exit 3"], input: .pipe)
    child.input?.write(Array("a line\n".utf8))
    #expect(text(child) == "got a line\n")
    #expect(child.wait() == .exited(3))
  }

  @Test func aSignalIsNoStatus() throws { #expect(try shell("kill -SEGV $$").wait() == .signalled(SIGSEGV)) }

  @Test func whatDoesNotExistDoesNotStart() {
    #expect(throws: ChildProcess.Failure.self) { try ChildProcess("/nowhere/at/all", []) }
  }

  @Test func environmentAndDirectory() throws {
    let child = try ChildProcess("/bin/sh", ["-c", "pwd; echo $X"], environment: ["X": "7"], directory: "/")
    #expect(text(child) == "/\n7\n")
  }

  /// In a program that does nothing about SIGPIPE itself, too.
  @Test func writingToAnEndedChildIsAnError() throws {
    let child = try ChildProcess("/bin/sh", ["-c", "exec <&-; sleep 60"], input: .pipe)
    defer { child.killGroup() }
    let input = try #require(child.input)
    var reason: Int32?
    // Until the shell has closed its end.
    while reason == nil { reason = input.write([UInt8](repeating: 0, count: 1 << 16)) }
    #expect(reason == EPIPE)
  }

  /// Its children do not inherit the signals that this process ignores or blocks: Python's workers and a shell's
  /// pipelines rely on it.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/status")))
  func signalsAreAtTheirDefaults() throws {
    let lines = text(try shell("grep -E '^Sig(Blk|Ign)' /proc/self/status")).split(separator: "\n")
    #expect(lines.count == 2)
    for line in lines {
      let mask = try #require(line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
      // The C library keeps signals 32 and 33 to itself.
      #expect(mask & 0x7FFF_FFFF == 0, "\(line)")
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/fd")))
  func noOtherDescriptorIsInherited() throws {
    let file = open("/dev/null", O_RDONLY)
    defer { close(file) }
    // 3 is the shell's own reading of the folder.
    #expect(Set(text(try shell("ls /proc/self/fd")).split(separator: "\n")) == ["0", "1", "2", "3"])
  }

  @Test func itsEndIsSeenAlthoughItsOwnChildHoldsThePipe() throws {
    let child = try shell("sleep 100 & exit 5")
    #expect(child.wait(seconds: 20) == .exited(5))
    #expect(child.endSignal.isReadable(within: 20_000))
    // What it left of its group is killed, so the pipe ends too.
    #expect(text(child).isEmpty)
  }

  /// Out of its group and its session, but not out of sight.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/stat")))
  func whatItLeavesInAnotherSessionEndsWithItAndIsNamed() throws {
    let other = try shell("setsid sleep 103 & read l")
    defer { other.killGroup() }
    let child = try shell("setsid sh -c 'sleep 101 & setsid sleep 102' & sleep 0.3; exit 5")
    #expect(child.wait(seconds: 20) == .exited(5))
    let left = child.leftBehind
    #expect(
      left.contains { $0.hasPrefix("sleep 101 (process ") } && left.contains { $0.hasPrefix("sleep 102 (process ") })
    for text in left {
      let process = try #require(text.split(separator: " ").last.flatMap { pid_t($0.dropLast()) })
      #expect(!isRunning(process), "\(text)")
    }
    // What another child started is that one's.
    #expect(!left.contains { $0.contains("sleep 103") } && other.leftBehind.isEmpty)
  }

  /// It goes on, and can be told apart from a name that nothing has.
  @Test func whatIsLaunchedIsOnItsOwn() throws {
    let folder = try TemporaryDirectory()
    let file = folder.file("written").path(percentEncoded: false)
    try ChildProcess.launch("sh", ["-c", "echo $1 >$0.new; mv $0.new $0", file, "a b"])
    for _ in 0..<400 where !FileManager.default.fileExists(atPath: file) { Thread.sleep(forTimeInterval: 0.05) }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "a b\n")
    let error = #expect(throws: ChildProcess.Failure.self) { try ChildProcess.launch("no-such-program", []) }
    #expect(error?.description == "there is no no-such-program on the path")
  }

  @Test func killEndsTheGroup() throws {
    let child = try shell("sleep 100 & echo $!; wait")
    let line = try #require(child.output?.read().map { String(decoding: $0, as: UTF8.self) })
    let grandchild = try #require(pid_t(line.dropLast()))
    child.killGroup()
    #expect(child.ending == .signalled(SIGKILL))
    for _ in 0..<100 where isRunning(grandchild) { Thread.sleep(forTimeInterval: 0.05) }
    #expect(!isRunning(grandchild))
  }

  /// Signal 0 asks whether a process is there; a zombie that nobody has reaped yet does not run.
  private func isRunning(_ process: pid_t) -> Bool {
    guard kill(process, 0) == 0 else { return false }
    let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    return !status.contains(") Z ")
  }
}
