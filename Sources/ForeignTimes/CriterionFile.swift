import RunAnalysis

/// `raw.csv` of Criterion.rs, one benchmark a file: what a number of iterations took, sample by sample. Each sample is a block.
enum CriterionFile {
  /// How it begins.
  static let firstColumns = "group,function,value,"

  static func times(_ text: String) throws(ForeignFault) -> StoredTimes {
    let rows = try CSVText.rows(text)
    let headings = rows[0].cells
    func column(_ name: String) throws(ForeignFault) -> Int {
      guard let index = headings.firstIndex(of: name) else {
        throw ForeignFault(
          "line \(rows[0].line)", expected: "a column '\(name)'", found: headings.joined(separator: ","))
      }
      return index
    }
    let (value, unit) = (try column("sample_measured_value"), try column("unit"))
    let count = try column("iteration_count")
    let names = [try column("group"), try column("function"), try column("value")]
    var samples = ForeignSamples()
    for (line, row) in rows.dropFirst() {
      let place = "line \(line)"
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
