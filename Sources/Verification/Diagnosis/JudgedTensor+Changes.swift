import Results
import Tensors

/// Changes of the expected result that give the wrong one: what can be said without knowing how it was computed.
extension JudgedTensor {
  private static let mostBits = 24

  /// What gives a wrong tensor.
  struct Change: Sendable {
    let name: String
    let kind: CauseKind
    let agreement: Agreement
    /// Whether its name says what a number stands for, which may stand for something else.
    var isGuess = false
  }

  /// - Parameter extents: numbers that a factor may be, with their names: how many images there are, and the like.
  /// - Returns: what explains each wrong element, with how it agrees.
  func changes(_ extents: [(name: String, value: Double)]) -> [Change] {
    var found: [Change] = []
    func tried(_ name: String, _ values: [Double?], scale: Double = 1, isGuess: Bool = false) {
      guard let agreement = agreement(with: values, scale: scale) else { return }
      found.append(Change(name: name, kind: .result, agreement: agreement, isGuess: isGuess))
    }
    for format in Hypothesis.formats {
      guard let agreement = stored(inBits: format.bits, around: expected) else { continue }
      found.append(
        Change(
          name: "results rounded to \(format.bits) bits: \(format.name)", kind: .rounding, agreement: agreement))
    }
    if let factor {
      let names = factor.names(extents)
      let isGuess = !names.isEmpty
      for (name, value) in isGuess ? names : [factor.plain] {
        tried(name, expected.map { value * $0 }, scale: max(1, abs(value)), isGuess: isGuess)
      }
    }
    for (name, values) in added { tried(name, values) }
    tried("negative results set to 0", expected.map { max($0, 0) })
    tried("signs lost", expected.map { abs($0) })
    if failing.count < got.count {
      tried("wrong elements left at 0", zip(got, expected).map { got, expected in got == 0 ? 0 : expected })
    } else {
      tried("0 everywhere", expected.map { _ in 0 })
    }
    if failing == [got.count - 1], got[failing[0]].isNaN {
      tried("an operand read past its end", expected.indices.map { failing[0] == $0 ? Double.nan : expected[$0] })
    }
    for (name, values) in moved { tried(name, values) }
    return found
  }

  /// Whether each element has few bits and is the nearest of those to a value.
  func stored(inBits bits: Int, around values: [Double]) -> Agreement? {
    guard !failing.isEmpty, values.count == got.count, (dtype.format?.fractionBits ?? 0) + 1 > bits,
      got.allSatisfy({ !$0.isFinite || $0.rounded(toBits: bits) == $0 })
    else { return nil }
    // Halfway between two the bound decides for either.
    let half: Double = Self.power(-bits)
    let halves: [Double] = values.map { $0.isFinite ? abs($0) * half : 0 }
    for i in got.indices where got[i].isFinite {
      let allowed: Double = 2 * bounds[i] + 2 * halves[i]
      guard abs(got[i] - values[i]) <= allowed else { return nil }
    }
    let nearest: [Double] = values.map { $0.rounded(toBits: bits) }
    return agreement(with: nearest, slack: halves.map { 2 * $0 })
  }

  private static func power(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }

  /// One number more, everywhere or in the last element alone.
  private var added: [(String, [Double?])] {
    guard let first = failing.first, got[first].isFinite, expected[first].isFinite else { return [] }
    let difference = got[first] - expected[first]
    var found: [(String, [Double?])] = []
    if failing.count == got.count {
      found.append(("\(Self.number(difference)) added", expected.map { $0 + difference }))
    }
    if failing == [got.count - 1] {
      var changed = expected
      changed[first] += difference
      found.append(("\(Self.number(difference)) added to the last element", changed))
    }
    return found
  }

  /// A factor within what the bounds leave open.
  private struct Factor {
    let value: Double
    let tolerance: Double

    func isNear(_ other: Double) -> Bool { abs(value / other - 1) <= tolerance }

    /// In words, with the number that is meant.
    var plain: (name: String, value: Double) {
      if isNear(-1) { return ("the other sign", -1) }
      if isNear(2) { return ("twice what is right", 2) }
      if isNear(0.5) { return ("half of what is right", 0.5) }
      return ("multiplied by \(JudgedTensor.number(value))", value)
    }

    private var isPlain: Bool { isNear(-1) || isNear(2) || isNear(0.5) }

    /// What else it may be.
    func names(_ extents: [(name: String, value: Double)]) -> [(name: String, value: Double)] {
      guard !isPlain else { return [] }
      var found: [(name: String, value: Double)] = []
      for (name, extent) in extents where extent > 1 {
        let (multiple, part): (Double, Double) = (extent / (extent - 1), (extent - 1) / extent)
        let factors: [(name: String, value: Double)] = [
          ("multiplied by \(name)", extent), ("divided by \(name)", 1 / extent),
          ("multiplied by n/(n − 1), n = \(name)", multiple), ("multiplied by (n − 1)/n, n = \(name)", part),
        ]
        found += factors.filter { isNear($0.value) }
      }
      return found
    }
  }

  /// What all elements were multiplied by.
  private var factor: Factor? {
    let finite = failing.filter { got[$0].isFinite && expected[$0].isFinite && expected[$0] != 0 }
    guard let largest = finite.max(by: { abs(expected[$0]) < abs(expected[$1]) }) else { return nil }
    let factor = got[largest] / expected[largest]
    guard factor.isFinite, factor != 0, factor != 1 else { return nil }
    let uncertain = 4 * (bounds[largest].isFinite ? bounds[largest] : 0) / abs(expected[largest])
    return Factor(value: factor, tolerance: max(uncertain / abs(factor), 8 * dtype.unitRoundoff))
  }

  private static func number(_ value: Double) -> String {
    let short = value.rounded(toBits: mostBits)
    let thousandths = (short * 1e4).rounded() / 1e4
    return abs(thousandths - short) <= 1e-6 * abs(short) ? "\(thousandths)" : "\(Float(short))"
  }

  /// The expected elements at other places.
  private var moved: [(String, [Double?])] {
    func name(_ axis: Int) -> String { AxisName.all(axis, ofRank: shape.rank) }
    var found: [(String, [Double?])] = []
    for axis in 0..<shape.rank where shape[axis] > 1 {
      found.append(
        (
          "reversed along \(name(axis))",
          taken { index in
            var place = index
            place[axis] = shape[axis] - 1 - index[axis]
            return place
          }
        ))
      for step in [-1, 1] where shape[axis] > 2 {
        found.append(
          (
            "\(name(axis)) one too \(step < 0 ? "late" : "early")",
            taken { index in
              var place = index
              place[axis] += step
              return place
            }
          ))
      }
    }
    for axis in 0..<max(shape.rank - 1, 0) where shape[axis] > 1 && shape[axis] == shape[axis + 1] {
      found.append(
        (
          "\(name(axis)) and \(name(axis + 1)) exchanged",
          taken { index in
            var place = index
            place.swapAt(axis, axis + 1)
            return place
          }
        ))
    }
    return found
  }

  /// The expected element of another place; nothing where there is none.
  private func taken(_ place: (_ index: [Int]) -> [Int]) -> [Double?] {
    let strides = shape.strides
    return expected.indices.map { offset in
      let source = place(shape.index(ofOffset: offset))
      guard zip(source, shape.dimensions).allSatisfy({ $0 >= 0 && $0 < $1 }) else { return nil }
      return expected[zip(source, strides).reduce(0) { $0 + $1.0 * $1.1 }]
    }
  }
}
