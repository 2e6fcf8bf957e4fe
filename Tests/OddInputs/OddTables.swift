import Benchmarking
import Engines
import Foundation
import TOMLFiles
import TestSupport
import Verification

/// Suites, engine declarations and known failures: tables in TOML, and what becomes of a suite.
struct OddTables: OddInput {
  static let name = "TOML table"
  static let share = 12
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  mutating func describe(_ random: inout OddRandom) -> String { Self.text(&random) }

  mutating func react(to random: inout OddRandom) throws -> Reaction {
    let file = folder.file("odd.toml")
    try Self.text(&random).write(to: file, atomically: false, encoding: .utf8)
    do {
      switch random.below(4) {
      case 0: _ = try KnownFailures(contentsOf: file.path)
      case 1: _ = try EngineCatalog.declarations(at: file)
      default: _ = try BenchmarkPlan(BenchmarkSuite.read(file))
      }
      return .accepted
    } catch is BenchmarkSuite.Invalid { return .badData } catch is EngineCatalog.Failure {
      return .badData
    } catch is KnownFailures.Malformed { return .badData }
  }

  static func text(_ random: inout OddRandom) -> String {
    let keys = [
      "description", "networks", "problems", "batches", "threads", "image_size", "passes", "layouts", "engines",
      "blocks",
      "slice_ms", "cold", "command", "library", "timeout", "odd", "reason", "until", "case", "engine",
    ]
    var lines: [String] = []
    if random.chance(30) { lines.append(random.pick(["[mine]", "[[known_failure]]", "[", "[[", "[a.b]"])) }
    for _ in 0..<random.below(6) {
      let key = random.pick(keys)
      let value: String =
        switch random.below(9) {
        case 0: "\(random.integer())"
        case 1: "\(random.real())"
        case 2: "\"\(OddProblems.text(&random).filter { $0 != "\"" && $0 != "\\" })\""
        case 3: "[\"\(OddProblems.text(&random).filter { $0 != "\"" && $0 != "\\" })\"]"
        case 4: "[\(random.integer()), \(random.integer())]"
        case 5: "[\"resnet\(random.pick([18, 50, 152]))\"]"
        case 6: String(repeating: "[", count: random.below(200)) + String(repeating: "]", count: random.below(200))
        case 7:
          random.pick(["true", "false", "nan", "-inf", "1979-05-27", "2027-99-99", "{}", "{a={b={}}}", "\"\\uD800\""])
        default: "[\"conv2d n\(random.integer())c4h\(random.integer())w9 k4r3s3 stride1 pad1\"]"
        }
      lines.append("\(key) = \(value)")
    }
    if random.chance(5) { lines.append(random.word()) }
    return lines.joined(separator: "\n")
  }
}
