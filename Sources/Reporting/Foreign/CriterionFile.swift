import RunAnalysis

/// `raw.csv` of Criterion.rs, one benchmark a file: what a number of iterations took, sample by sample. Each sample is a block.
enum CriterionFile {
  /// How it begins.
  static let firstColumns = "group,function,value,"

  static func times(_ text: String) throws(ForeignFault) -> StoredTimes {
    let rows = try CSVText.rows(text)
    let headings = rows[0]
    func column(_ name: String) throws(ForeignFault) -> Int {
      guard let index = headings.firstIndex(of: name) else {
        throw ForeignFault("line 1", expected: "a column '\(name)'", found: headings.joined(separator: ","))
      }
      return index
    }
    let (value, unit) = (try column("sample_measured_value"), try column("unit"))
    let count = try column("iteration_count")
    let names = [try column("group"), try column("function"), try column("value")]
    var samples = ForeignSamples()
    for (index, row) in rows.enumerated().dropFirst() {
      let place = "line \(index + 1)"
      guard row.count == headings.count else {
        throw ForeignFault(place, expected: "\(headings.count) columns", found: "\(row.count)")
      }
      guard let factor = TimeUnit.nanoseconds[row[unit]] else {
        throw ForeignFault("\(place), unit", expected: "ns, us, ms or s", found: "'\(row[unit])'")
      }
      guard let iterations = Int(row[count]), iterations > 0 else {
        throw ForeignFault("\(place), iteration_count", expected: "a number above 0", found: "'\(row[count])'")
      }
      guard let measured = Double(row[value]) else {
        throw ForeignFault("\(place), sample_measured_value", expected: "a number", found: "'\(row[value])'")
      }
      let name = names.map { row[$0] }.filter { !$0.isEmpty }.joined(separator: "/")
      try samples.add(measured * factor / Double(iterations), to: name)
    }
    return StoredTimes(program: "Criterion", surroundings: [], entries: samples.entries)
  }
}

/// Comma-separated values of RFC 4180.
enum CSVText {
  /// - Returns: at least one row.
  static func rows(_ text: String) throws(ForeignFault) -> [[String]] {
    var rows: [[String]] = []
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
        if isBegun { rows.append(row + [end(&cell)]) }
        row = []
        isBegun = false
        continue
      default: cell.append(scalar)
      }
      isBegun = true
    }
    if isQuoted { throw ForeignFault("line \(rows.count + 1)", expected: "a quotation that ends", found: "the end") }
    if isBegun { rows.append(row + [end(&cell)]) }
    guard !rows.isEmpty else { throw ForeignFault("", expected: "a line of headings", found: "an empty file") }
    return rows
  }
}
