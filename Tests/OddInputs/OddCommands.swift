import Foundation
import OperatingSystem
import Results
import TestSupport

/// Command lines, each run by the command itself up to where work would begin.
struct OddCommands: OddInput {
  static let name = "command line"
  static let share = 9

  struct Signalled: Error { let signal: Int32 }
  struct Undocumented: Error { let code: Int32 }
  struct TooSlow: Error {}

  /// The command that was built with this program.
  private let command = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "assay")
    .path

  init() {}

  mutating func describe(_ random: inout OddRandom) -> String {
    let variables = shard(&random).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value) " }.joined()
    return variables + ShellCommand(["assay"] + words(&random)).description
  }

  /// What a scheduler may say, in one input of five.
  private func shard(_ random: inout OddRandom) -> [String: String] {
    guard random.chance(20) else { return [:] }
    var variables: [String: String] = [:]
    for name in ["ID", "COUNT", "MIN", "STEP"] { variables["SLURM_ARRAY_TASK_\(name)"] = "\(random.integer())" }
    return variables
  }

  mutating func react(to random: inout OddRandom) throws -> Reaction {
    var environment = ProcessInfo.processInfo.environment
    environment["SWIFT_BACKTRACE"] = "enable=no"
    environment.merge(shard(&random)) { $1 }
    let child = try ChildProcess(
      command, words(&random), environment: environment, directory: Repository.root.path, output: .null)
    switch child.wait(seconds: OddRun.slowest) {
    case .exited(let code):
      guard let reaction = Reaction(rawValue: Int(code)) else { throw Undocumented(code: code) }
      return reaction
    case .signalled(let signal): throw Signalled(signal: signal)
    case nil:
      child.killGroup()
      throw TooSlow()
    }
  }

  private func words(_ random: inout OddRandom) -> [String] {
    func number() -> String { random.chance(25) ? "\(random.real())" : "\(random.integer())" }
    func argument(_ value: String) -> String { String(value.prefix(4_000).filter { $0 != "\0" }) }
    /// Each option with something to say to it.
    func options(_ names: [String], _ usual: [String]) -> [String] {
      var words: [String] = []
      for _ in 0..<1 + random.below(3) {
        words.append(random.pick(names) + "=" + argument(random.chance(70) ? number() : random.word()))
      }
      return usual + words
    }
    let text = OddProblems.text(&random)
    switch random.below(8) {
    case 0, 1:
      return ["verify"]
        + options(
          ["--timeout", "--jobs", "--shard", "--dtype", "--tag", "--filter", "--max-memory", "--max-work"],
          [random.pick(["--list", "--dry-run"]), "--golden", "Tests/Trials/H3_stride_as_double.h5"])
    case 2:
      return ["bench"]
        + options(
          [
            "--batch", "--threads", "--blocks", "--slice-ms", "--depth", "--pass", "--layout", "--timeout", "--seed",
            "--max-memory", "--max-work",
          ], [random.pick(["--list", "--dry-run"]), "--quick"])
    case 3:
      return ["model", random.pick(["resnet50", "cifar_resnet8", "simple_resnet", argument(random.word())])]
        + options(["--batch", "--image-size", "--classes", "--width"], [])
    case 4:
      // A filter that matches nothing: what was typed is read and measured, and nothing is computed.
      return ["gradcheck", "--operation", argument(text), "--filter", "none", "--quiet"]
        + options(["--seed", "--jobs", "--timeout", "--size", "--batch", "--max-memory", "--max-work"], [])
    case 5:
      return [
        "golden", "show", "Tests/Trials/H3_stride_as_double.h5", "/conv2d/stride_as_double", "--values=" + number(),
      ]
    case 6:
      return ["golden", random.pick(["list", "validate", "diff", argument(random.word())]), argument(random.word())]
    default:
      return [
        random.pick([
          "verify", "gradcheck", "bench", "duet", "compare", "merge", "report", "history", "train", "evaluate",
          "selftest",
          "tune", argument(random.word()),
        ]), "--" + argument(random.word()), number(),
      ]
    }
  }
}
