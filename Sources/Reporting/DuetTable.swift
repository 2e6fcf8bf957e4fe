import Results

/// A gate's benchmarks in words and cells: the same in every report and on a terminal.
public struct DuetTable: Sendable {
  static let headings = ["benchmark", "change", "interval", "p", "could see", "by", "blocks", "verdict"]
  /// The benchmarks, and after them the base against itself.
  let rows: [[String]]

  /// - Parameter section: what the gate found.
  public init(_ section: DuetSection) {
    rows =
      section.benchmarks.map { Self.cells($0, $0.name) }
      + section.againstItself.map { Self.cells($0, Self.againstItself($0.name)) }
  }

  /// Aligned for a terminal, each line with its end.
  /// - Parameter paint: a row's number and its verdict as it is to be shown.
  public func text(painting paint: (_ row: Int, _ verdict: String) -> String) -> String {
    TextTable(Self.headings, rows).text(painting: Self.headings.count - 1, paint)
  }

  /// How a benchmark of the base and its copy is called.
  static func againstItself(_ name: String) -> String { "base against itself: \(name)" }

  private static func cells(_ found: DuetBenchmark, _ name: String) -> [String] {
    let interval = found.changeLower.flatMap { low in
      found.changeUpper.map { "\(BenchmarkText.change(low)) to \(BenchmarkText.change($0))" }
    }
    return [
      name, BenchmarkText.change(found.change), interval ?? "too few blocks",
      found.pValue < 1 ? NumberText.short(found.adjustedPValue) : "not tested",
      // The base against itself has too few blocks to have seen anything.
      found.smallestDetectableChange.isFinite ? BenchmarkText.change(found.smallestDetectableChange) : "none",
      // The clock whose word the record is.
      found.clock == "cpu" ? "CPU time" : "wall clock", "\(found.screen.count) + \(found.decision.count)",
      found.verdict,
    ]
  }
}
