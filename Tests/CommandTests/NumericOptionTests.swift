import Foundation
import TestSupport
import Testing

/// An option that takes a number, in a command that is complete but for it.
struct NumericOption: Sendable, CustomTestStringConvertible {
  /// What a number is, and so which ones are none.
  enum Kind: Sendable {
    /// From 1 to a limit, which is nowhere near what an integer holds.
    case count
    /// The same from 0.
    case amount
    /// Any integer of 64 bits without a sign.
    case seed
    /// From 1, as large as an integer can be, with a unit.
    case magnitude
    /// Above 0, with a limit.
    case span
    /// From 0, finite.
    case rate
    /// From nothing to the whole.
    case share
    /// Part i of n.
    case part

    var refused: [String] {
      let largest = "\(Int.max)"
      let always = ["9223372036854775808", "-1", "\(Int.min)", "nan", "inf", "-inf", "1e400", ""]
      return switch self {
      case .count: always + [largest, "0", "0.5"]
      case .amount: always + [largest, "0.5"]
      case .seed: always.dropFirst() + ["18446744073709551616", "0.5"]
      case .magnitude: always + ["0", "0.5"]
      case .span: always + [largest, "0"]
      case .rate: Array(always.dropFirst())
      case .share: always + [largest]
      case .part: always + [largest, "0", "0/4", "5/4", "\(Int.min)/4", "1/\(Int.min)", "1/0"]
      }
    }
  }

  let command: String
  /// Everything else that the command needs before it would begin.
  let words: [String]
  let name: String
  let kind: Kind
  /// What the message calls it.
  let subject: String

  var testDescription: String { "assay \(command) --\(name)" }

  private static func options(_ command: String, _ words: [String] = [], _ kinds: KeyValuePairs<String, Kind>) -> [Self]
  {
    kinds.map { name, kind in
      NumericOption(
        command: command, words: words, name: name, kind: kind, subject: name)
    }
  }

  private static let golden = "Tests/Trials/H3_stride_as_double.h5"
  private static let data = ["--data", "Fixtures/data/digits.h5"]

  static let all =
    options(
      "verify", ["--dry-run"],
      [
        "timeout": .span, "shard": .part, "jobs": .count, "threads": .count, "fresh": .amount, "seed": .seed,
        "max-memory": .magnitude, "max-work": .magnitude, "shards": .count, "deadline": .span,
      ])
    + options(
      "bound", ["relu n1c1h2w3"],
      ["seed": .seed, "timeout": .span, "max-memory": .magnitude, "max-work": .magnitude])
    + options(
      "gradcheck", ["--model", "simple_resnet", "--filter", "none"],
      [
        "size": .count, "batch": .count, "timeout": .span, "seed": .seed, "jobs": .count, "threads": .count,
        "max-memory": .magnitude, "max-work": .magnitude, "shard": .part, "shards": .count, "deadline": .span,
      ])
    + options("gradcheck", [], ["fuzz": .count])
    + options(
      "fuzz", ["--operation", "relu", "--cases", "1"],
      [
        "cases": .count, "timeout": .span, "shard": .part, "jobs": .count, "threads": .count, "seed": .seed,
        "shards": .count, "deadline": .span,
      ])
    + options(
      "selftest", [],
      ["seed": .seed, "jobs": .count, "shard": .part, "shards": .count, "deadline": .span])
    + options("golden show", [golden, "/conv2d/stride_as_double"], ["values": .amount])
    + options("golden validate", [golden], ["max-memory": .magnitude, "max-work": .magnitude])
    + options("engine", [], ["inject-slowdown": .share, "max-memory": .magnitude, "max-work": .magnitude])
    + options(
      "model", ["simple_resnet"], ["batch": .count, "image-size": .count, "classes": .count, "width": .count])
    + options(
      "train", data + ["--optimizer", "sgd"],
      [
        "width": .count, "classes": .count, "image-size": .count, "batch": .count, "lr": .rate, "momentum": .rate,
        "weight-decay": .rate,
        "schedule": .count, "warmup": .amount, "seed": .seed, "epochs": .count, "patience": .count, "threads": .count,
        "require-accuracy": .share,
      ])
    + options(
      "evaluate", data + ["--weights", "none.h5"],
      ["top": .count, "image-size": .count, "batch": .count, "threads": .count, "require-accuracy": .share])
    + options(
      "bench", ["--quick", "--dry-run"],
      [
        "depth": .count, "batch": .count, "threads": .count, "timeout": .span, "blocks": .count, "slice-ms": .span,
        "seed": .seed, "max-memory": .magnitude, "max-work": .magnitude, "shard": .part, "shards": .count,
        "deadline": .span,
      ])
    + options(
      "duet", ["--base", "false", "--head", "false"],
      [
        "policy": .share, "margin": .share, "steal-limit": .share, "timeout": .span, "seed": .seed, "deadline": .span,
      ])
    + options("compare", ["old", "new"], ["policy": .share])
    + options("tune", [], ["depth": .count, "batch": .count, "threads": .count, "rounds": .count])
    + options("simulate-gates", ["run"], ["benchmarks": .count, "gates": .count, "seed": .seed])
    + options("overhead", [], ["seed": .seed])

  /// Options of every command whose values are words.
  static let textual: Set<String> = [
    "accumulate", "against", "algorithm",
    "base", "best", "color", "data", "dtype", "engine", "exclude", "expect", "filter", "freeze", "golden", "head",
    "init", "json",
    "junit",
    "known-failures", "layout", "library", "logits", "mean", "method", "model", "name", "network", "only", "operation",
    "optimizer", "out",
    "pass",
    "pass-env", "problem", "report", "resume", "slowed", "spoil", "std",
    "suite", "symbol", "tag", "time", "trace", "weights",
  ]
}

@Suite("Numbers on the command line", .waiting)
struct NumericOptionTests {
  @Test("A value that an option does not take is a usage error that names the option", arguments: NumericOption.all)
  func refused(option: NumericOption) throws {
    for value in option.kind.refused {
      let words = option.command.split(separator: " ").map(String.init) + option.words
      let run = try CommandRun(words + ["--\(option.name)=\(value)"], environment: ["ASSAY_PLANS": "/dev/null"])
      #expect(run.exitCode == 64, "--\(option.name)='\(value)': \(run.errors)")
      let message = run.errors.split(separator: "\n").first { $0.lowercased().hasPrefix("error:") } ?? ""
      #expect(
        message.replacing("_", with: "-").contains(option.subject)
          || option.name == "depth" && message.contains("architecture"),
        "--\(option.name)='\(value)': \(run.errors)")
    }
  }

  @Test("The largest limits are limits", arguments: ["--max-memory", "--max-work"])
  func largest(option: String) throws {
    for words in [["verify", "--dry-run", "--golden"], ["golden", "validate"]] {
      let run = try CommandRun(words + ["Tests/Trials/H3_stride_as_double.h5", "\(option)=\(Int.max)"])
      #expect(run.exitCode == 0, "\(words[0]): \(run.errors)")
    }
  }

  @Test("Every option that takes a value is tried with numbers, or takes words")
  func complete() throws {
    var found: Set<String> = []
    try CommandTree.whole().visit { command in
      let path = command.path.dropFirst().joined(separator: " ")
      let numeric = Set(NumericOption.all.filter { $0.command == path }.map(\.name))
      found.formUnion(numeric)
      #expect(numeric.isSubset(of: command.valued), "\(path): \(numeric.subtracting(command.valued))")
      let unknown = command.valued.subtracting(numeric).subtracting(NumericOption.textual)
      #expect(unknown.isEmpty, "assay \(path): \(unknown.sorted())")
    }
    #expect(found == Set(NumericOption.all.map(\.name)))
  }
}
