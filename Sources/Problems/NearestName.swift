/// The name that a mistyped one was probably meant to be.
package enum NearestName {
  /// - Returns: the nearest of the names; `nil` where none is near, or one is the word itself.
  package static func of(_ word: String, among names: some Sequence<String>) -> String? {
    let word = Array(word.utf8)
    let near = Set(names).sorted().map { (name: $0, distance: distance(Array($0.utf8), word)) }
    guard let best = near.min(by: { $0.distance < $1.distance }), best.distance > 0 else { return nil }
    // Two letters of five: `benhc` is `bench`.
    if 5 * best.distance <= 2 * max(best.name.utf8.count, 3) { return best.name }
    // Or its beginning, where that is nobody else's.
    let longer = near.filter { word.count >= 3 && $0.name.utf8.starts(with: word) }
    return longer.count == 1 ? longer[0].name : nil
  }

  /// `; did you mean 'bench'?`, or nothing.
  package static func question(_ word: String, among names: some Sequence<String>) -> String {
    of(word, among: names).map { "; did you mean '\($0)'?" } ?? ""
  }

  /// Insertions, deletions, replacements and exchanges of neighbours that lead from one word to the other.
  package static func distance(_ from: [UInt8], _ to: [UInt8]) -> Int {
    // Nothing longer can be near.
    guard from.count <= 256, to.count <= 256 else { return .max / 8 }
    var before: [Int] = []
    var row = Array(0...to.count)
    for (i, a) in from.enumerated() {
      var next = [i + 1]
      for (j, b) in to.enumerated() {
        var least = min(row[j] + (a == b ? 0 : 1), next[j] + 1, row[j + 1] + 1)
        if i > 0, j > 0, a == to[j - 1], from[i - 1] == b { least = min(least, before[j - 1] + 1) }
        next.append(least)
      }
      (before, row) = (row, next)
    }
    return row[to.count]
  }
}
