/// What an axis is called where its elements are spoken of.
enum AxisName {
  private static let known: [Int: [(one: String, all: String)]] = [
    4: [("n", "n"), ("c", "c"), ("h", "h"), ("w", "w")], 2: [("row", "rows"), ("column", "columns")],
    1: [("element", "the elements")],
  ]

  /// As `row` in `row = 3`.
  static func one(_ axis: Int, ofRank rank: Int) -> String { known[rank]?[axis].one ?? "axis \(axis)" }

  /// As `rows` in `reversed along rows`.
  static func all(_ axis: Int, ofRank rank: Int) -> String { known[rank]?[axis].all ?? "axis \(axis)" }
}
