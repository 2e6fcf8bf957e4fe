import Tensors

/// Says in words which elements of a tensor are wrong: a person who reads "all in channel 3" looks in the right place.
enum FailurePattern {
  /// - Parameter offsets: the failing elements, row-major, ascending; of `compared` that were looked at.
  static func describe(_ offsets: [Int], in shape: Shape, compared: Int) -> String {
    guard !offsets.isEmpty else { return "" }
    if offsets.count == compared { return compared == 1 ? "the only element" : "every element" }
    let indices = offsets.map { shape.index(ofOffset: $0) }
    if offsets.count == 1 { return one(indices[0], in: shape) }
    var traits: [String] = []
    for axis in 0..<shape.rank where shape[axis] > 1 {
      let name = AxisName.one(axis, ofRank: shape.rank)
      let values = Set(indices.map { $0[axis] })
      let last = shape[axis] - 1
      if values.count == 1, let value = values.first {
        traits.append(value == last ? "\(name) = \(value) (the last)" : "\(name) = \(value)")
      } else if last > 1, values.isSubset(of: [0, last]) {
        traits.append("\(name) at its border")
      } else if values.count < shape[axis], values.allSatisfy({ $0 % 2 == 1 }) {
        traits.append("odd \(name)")
      } else if let first = values.min(), let end = values.max(), values.count == end - first + 1,
        values.count * 2 <= shape[axis]
      {
        traits.append("\(name) \(first)…\(end)")
      }
    }
    let share = "\(offsets.count) of \(compared) elements"
    return traits.isEmpty ? "\(share), spread out" : "\(share), all with " + traits.joined(separator: ", ")
  }

  /// `one element, the last of every axis`: where a tail or a start was forgotten.
  private static func one(_ index: [Int], in shape: Shape) -> String {
    let axes = (0..<shape.rank).filter { shape[$0] > 1 }
    let place =
      if axes.allSatisfy({ index[$0] == shape[$0] - 1 }) {
        "the last"
      } else if axes.allSatisfy({ index[$0] == 0 }) {
        "the first"
      } else {
        ""
      }
    return place.isEmpty ? "one element" : "one element, \(place) of every axis"
  }
}
