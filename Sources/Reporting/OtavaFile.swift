import Foundation
import Results

/// A history for Apache Otava: `otava.yaml`, and beside it the tables that it names. In their folder,
/// `OTAVA_CONFIG=otava.yaml otava analyze history-1` looks for change points over the same runs.
///
/// Otava wants a figure in every cell, so series that have the same runs share a table.
enum OtavaFile {
  private struct Table {
    var series: [HistorySection.Series]
    var name: String
  }

  static func files(_ history: HistorySection) -> [ReportFolder.File] {
    let tables = tables(history)
    guard !tables.isEmpty else { return [] }
    return [.init("otava.yaml", Data(configuration(tables).utf8))]
      + tables.map { .init("\($0.name).csv", Data(csv($0).utf8)) }
  }

  /// Without a date Otava cannot place a row.
  private static func tables(_ history: HistorySection) -> [Table] {
    var groups: [[String]: [HistorySection.Series]] = [:]
    for series in history.series where series.points.allSatisfy({ !$0.started.isEmpty }) {
      groups[[series.key] + series.points.map(\.run), default: []].append(series)
    }
    let ordered = groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    return ordered.enumerated().map { Table(series: $0.element.value, name: "history-\($0.offset + 1)") }
  }

  private static func csv(_ table: Table) -> String {
    // As the columns are named in the configuration.
    let headings = ["time", "commit", "run"] + table.series.map(\.label.printable)
    var rows = [headings]
    for (index, point) in (table.series.first?.points ?? []).enumerated() {
      rows.append(
        [point.started, point.commit ?? "", point.run] + table.series.map { "\($0.points[index].nanoseconds)" })
    }
    return rows.map { $0.map(BenchmarkTable.quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  private static func configuration(_ tables: [Table]) -> String {
    var lines = ["tests:"]
    for table in tables {
      lines += [
        "  \(table.name):  # \(table.series.first?.key.printable ?? "")", "    type: csv",
        "    file: \(table.name).csv",
        "    time_column: time", "    attributes: [commit, run]", "    metrics:",
      ]
      for (index, series) in table.series.enumerated() {
        // Names of metrics are words of a command line; a benchmark's own name is its column.
        lines.append("      b\(index + 1): {column: \(quoted(series.label)), direction: -1, scale: 1}")
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// A text of YAML that is one of JSON, too.
  private static func quoted(_ text: String) -> String {
    "\"" + text.printable.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
