/// Each engine's look, which its name alone decides: the same in every picture and in every report.
///
/// Only where two names of one run would look alike does the later one, by the alphabet, take the next look that is free.
struct EngineStyles {
  private let styles: [String: SeriesStyle]

  /// The tool's own strategies, whose looks no other name takes.
  private static let known = [
    "direct", "im2col", "winograd2", "winograd4", "winograd6", "im2col-materialised", "gemm", "reference", "auto",
    "execution", "strassen",
  ]

  init(_ names: [String]) {
    var taken = Set(names.compactMap { Self.known.firstIndex(of: $0) })
    var found: [String: SeriesStyle] = [:]
    for name in Set(names).sorted() {
      if let place = Self.known.firstIndex(of: name) {
        found[name] = SeriesStyle(index: place)
        continue
      }
      var place = Self.preferred(name)
      for _ in 0..<SeriesStyle.count where taken.contains(place) {
        place = Self.known.count + (place + 1 - Self.known.count) % (SeriesStyle.count - Self.known.count)
      }
      taken.insert(place)
      found[name] = SeriesStyle(index: place)
    }
    styles = found
  }

  subscript(name: String) -> SeriesStyle { styles[name] ?? SeriesStyle(index: Self.preferred(name)) }

  /// FNV-1a of the name, over the looks that are nobody's.
  private static func preferred(_ name: String) -> Int {
    let hash = name.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return known.count + Int(hash % UInt64(SeriesStyle.count - known.count))
  }
}
