import Foundation
import TestSupport
import Testing

/// Where progress is shown, and where it is not.
@Suite(.waiting) struct ProgressTests {
  /// Commands that draw at their first step, each in its own way of counting.
  static let commands = [
    "verify --golden Fixtures/relu.h5 --dtype float32", "gradcheck --golden Fixtures/relu.h5 --filter '*random*'",
    "fuzz --operation relu --cases 40 --jobs 1",
    "evaluate --data Tests/Trials/T8_ten_images.h5 --weights Tests/Trials/weights_cifar8_w2.h5 --batch 1",
    "tune --depth 18 --filter '*k512r1s1*' --rounds 1",
  ]

  /// What a command writes to a terminal on its stderr.
  private func drawn(_ line: String, environment: [String: String] = [:]) throws -> String {
    let terminal = try PseudoTerminal()
    let folder = try TemporaryDirectory()
    let variables = ["TERM": "xterm", "ASSAY_PLANS": folder.file("plans").path].merging(environment) { $1 }
    let command = try RunningCommand(
      shell: "'\(Repository.command.path)' \(line) 2>'\(terminal.path)'", environment: variables)
    var text = ""
    command.wait {
      text += terminal.read()
      return false
    }
    #expect(command.ending() == .exited(0), "\(command.output)")
    return text + terminal.read()
  }

  @Test(arguments: commands) func aTerminalIsShownOneLineThatGoesAgain(line: String) throws {
    let lines = try drawn(line).components(separatedBy: "\r\u{1B}[K")
    // Before the first of them a command may have a note, as it has without a terminal.
    #expect(lines.count > 2 && lines.last == "", "\(lines)")
    for text in lines.dropFirst().dropLast() {
      #expect(text.contains(/^[0-9]+\/[0-9]+(, [0-9 mins]+ left)?  ./) && !text.contains("\n"), "\(text)")
    }
  }

  @Test(arguments: commands) func aPipeIsShownNothing(line: String) throws {
    let folder = try TemporaryDirectory()
    let run = try CommandRun(
      shell: "'\(Repository.command.path)' \(line)", environment: ["ASSAY_PLANS": folder.file("plans").path])
    #expect(run.exitCode == 0 && !run.errors.contains("left") && !run.errors.contains("\u{1B}"), "\(run.errors)")
  }

  @Test func aTerminalThatCannotRedrawIsShownNothing() throws {
    #expect(try drawn(Self.commands[0], environment: ["TERM": "dumb"]) == "")
    #expect(try drawn(Self.commands[0] + " --quiet") == "")
  }
}
