/// Comma-separated values of RFC 4180.
enum CSVText {
  /// - Returns: at least one row, each with the line on which it begins; blank lines are none.
  static func rows(_ text: String) throws(ForeignFault) -> [(line: Int, cells: [String])] {
    var rows: [(line: Int, cells: [String])] = []
    var (line, start) = (1, 1)
    var row: [String] = []
    var cell = String.UnicodeScalarView()
    var isQuoted = false
    var isBegun = false
    var scalars = text.unicodeScalars.makeIterator()
    var pending: Unicode.Scalar?
    func end(_ cell: inout String.UnicodeScalarView) -> String {
      defer { cell.removeAll() }
      return String(cell)
    }
    while let scalar = pending ?? scalars.next() {
      pending = nil
      // A line may end within quotation marks, too.
      if scalar == "\n" { line += 1 }
      if isQuoted {
        guard scalar == "\"" else {
          cell.append(scalar)
          continue
        }
        pending = scalars.next()
        if pending == "\"" {
          cell.append("\"")
          pending = nil
        } else {
          isQuoted = false
        }
        continue
      }
      switch scalar {
      case "\"" where cell.isEmpty: isQuoted = true
      case ",": row.append(end(&cell))
      case "\r": continue
      case "\n":
        if isBegun { rows.append((start, row + [end(&cell)])) }
        row = []
        isBegun = false
        start = line
        continue
      default: cell.append(scalar)
      }
      isBegun = true
    }
    if isQuoted { throw ForeignFault("line \(start)", expected: "a quotation that ends", found: "the end") }
    if isBegun { rows.append((start, row + [end(&cell)])) }
    guard !rows.isEmpty else { throw ForeignFault("", expected: "a line of headings", found: "an empty file") }
    return rows
  }
}
