import Results

/// Columns of text: words to the left, figures to the right. Aligned for a terminal, or as Markdown.
///
/// Cells may be foreign text: control characters in them are escaped, and they stay cells.
public struct TextTable: Sendable {
  private let headings: [String]
  private var rows: [[String]] = []
  /// Columns that hold figures.
  private let figures: Set<Int>

  /// - Parameters:
  ///   - headings: none for a table without them.
  ///   - figures: the columns that are aligned to the right.
  public init(_ headings: [String], figures: Set<Int>) {
    self.headings = headings.map(\.printable)
    self.figures = figures
  }

  /// - Parameters:
  ///   - headings: one for each column.
  ///   - rows: cells, as many as there are headings.
  ///   - words: so many columns hold words, and those after them figures.
  public init(_ headings: [String], _ rows: [[String]] = [], words: Int = 1) {
    self.init(headings, figures: Set(headings.indices.dropFirst(words)))
    for row in rows { add(row) }
  }

  /// - Parameter row: may have fewer cells than there are columns, and more than there are headings.
  public mutating func add(_ row: [String]) { rows.append(row.map(\.printable)) }

  public var isEmpty: Bool { rows.isEmpty }

  /// Columns as wide as their widest cell, two blanks apart, and none at the end of a line.
  public var lines: [String] { lines { _, _, cell in cell } }

  private func lines(_ shown: (_ row: Int, _ column: Int, _ cell: String) -> String) -> [String] {
    let all: [[String]] = (headings.isEmpty ? [] : [headings]) + rows
    var widths: [Int] = []
    for row in all {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return all.enumerated().map { number, row -> String in
      var line = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        let cell = shown(number - (all.count - rows.count), column, row[column])
        return figures.contains(column) ? padding + cell : cell + padding
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// The lines, each with its end.
  public var text: String { lines.map { $0 + "\n" }.joined() }

  /// The text with one column's cells as a terminal is to show them. Escape sequences that they get take no room, so that the
  /// columns stay where they are.
  /// - Parameters:
  ///   - column: the first is 0. Its heading stays as it is, and so do empty cells.
  ///   - paint: a row's number and its cell as it is to be shown.
  public func text(painting column: Int, _ paint: (_ row: Int, _ cell: String) -> String) -> String {
    lines { $0 >= 0 && $1 == column && !$2.isEmpty ? paint($0, $2) : $2 }.map { $0 + "\n" }.joined()
  }

  /// A table in Markdown and the blank line after it. What is Markdown in a foreign cell is for `MarkdownText`.
  public var markdown: [String] {
    func line(_ cells: [String]) -> String {
      "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    let rule = headings.indices.map { figures.contains($0) ? "---:" : "---" }
    return [line(headings), line(rule)] + rows.map(line) + [""]
  }
}
