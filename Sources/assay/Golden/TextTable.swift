import Results

/// Columns of text, aligned: numbers to the right, the rest to the left. Cells may be foreign text: they are escaped.
struct TextTable {
  private var rows: [[String]]
  private let rightAligned: Set<Int>

  init(_ headings: [String], rightAligned: Set<Int> = []) {
    rows = [headings]
    self.rightAligned = rightAligned
  }

  mutating func add(_ row: [String]) { rows.append(row.map(\.printable)) }

  var isEmpty: Bool { rows.count == 1 }

  var text: String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += rightAligned.contains(column) ? padding + cell : cell + padding
        if column < row.count - 1 { line += "  " }
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
