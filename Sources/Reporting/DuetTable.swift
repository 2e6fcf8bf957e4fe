import Results

/// A gate's benchmarks in words and cells: the same in every report and on a terminal.
public struct DuetTable: Sendable {
  package let headings: [String]
  /// Those of what decides; the verdict is the last of them.
  private static let verdicts = ["benchmark", "change", "interval", "p", "could see", "by", "blocks", "verdict"]
  /// The benchmarks, and after them the base against itself.
  package let rows: [[String]]

  /// - Parameter section: what the gate found.
  public init(_ section: DuetSection) {
    let counts = (section.benchmarks + section.againstItself).map { $0.counts ?? [] }
    let events = counts.max { $0.count < $1.count }?.map(\.event) ?? []
    headings = Self.verdicts + events
    rows =
      section.benchmarks.map { Self.cells($0, $0.name, events) }
      + section.againstItself.map { Self.cells($0, Self.againstItself($0.name), events) }
  }

  /// What is to be known of counts under the table; `nil` in runs of versions that had none.
  package static func note(on section: DuetSection) -> String? {
    if let reason = section.uncounted { return "Instructions and cycles were not counted: \(reason)." }
    guard section.benchmarks.contains(where: { $0.counts != nil }) else { return nil }
    return "Instructions and cycles are the median change of an iteration's, outside the kernel. They decide nothing: "
      + "more instructions may be the faster ones."
  }

  /// Aligned for a terminal, each line with its end.
  /// - Parameter paint: a row's number and its verdict as it is to be shown.
  public func text(painting paint: (_ row: Int, _ verdict: String) -> String) -> String {
    TextTable(headings, rows).text(painting: Self.verdicts.count - 1, paint)
  }

  /// How a benchmark of the base and its copy is called.
  static func againstItself(_ name: String) -> String { "base against itself: \(name)" }

  private static func cells(_ found: DuetBenchmark, _ name: String, _ events: [String]) -> [String] {
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
      + events.map { event in
        found.counts?.first { $0.event == event }.map { BenchmarkText.change($0.change) } ?? "not counted"
      }
  }
}
