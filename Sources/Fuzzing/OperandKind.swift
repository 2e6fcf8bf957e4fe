import Problems

/// What kind of values the operands of a case have. Each shows what the others hide.
public enum OperandKind: String, Hashable, Sendable, CaseIterable {
  /// Small integers, whose sums are exact where the operation is.
  case exact
  /// Independent values in [−1, 1].
  case random
  /// The same without negative ones, as behind a ReLU.
  case positive
  /// Many equal values and zeros.
  case ties
  /// Mean 1000, deviation 1.
  case shifted
  /// Up to ±15: exponentials saturate.
  case saturated
  /// Deviation 1/100.
  case narrow
  /// Denormal in single precision.
  case denormal
  /// Random, and here and there NaN, an infinity or −0.
  case nonfinite
  /// ``Problems/OperandPattern/zerosMixedIn``. This and the next three are for sums of products.
  case sparse
  /// ``Problems/OperandPattern/largeExponents``.
  case large
  /// ``Problems/OperandPattern/smallOntoLarge``.
  case swamped
  /// ``Problems/OperandPattern/wideRange``.
  case wide

  /// How often each is drawn, of ``total``.
  private static let weights: [(kind: OperandKind, weight: Int)] = [
    (.exact, 4), (.random, 5), (.positive, 1), (.ties, 1), (.shifted, 1), (.saturated, 1), (.narrow, 1), (.denormal, 1),
    (.nonfinite, 1), (.sparse, 1), (.large, 1), (.swamped, 1), (.wide, 1),
  ]
  static let total = weights.reduce(0) { $0 + $1.weight }

  /// - Parameter number: from 0 to below ``total``.
  init(_ number: Int) {
    var rest = number
    for (kind, weight) in Self.weights {
      if rest < weight {
        self = kind
        return
      }
      rest -= weight
    }
    self = .random
  }

  /// Which bound holds.
  var fill: Fill {
    switch self {
    case .exact: .exact
    case .random, .positive: .random
    case .ties, .shifted, .saturated, .narrow, .denormal, .nonfinite: .adversarial
    case .sparse, .large, .swamped, .wide: .adversarial
    }
  }

  /// Where all operands together have a pattern.
  var pattern: OperandPattern? {
    switch self {
    case .sparse: .zerosMixedIn
    case .large: .largeExponents
    case .swamped: .smallOntoLarge
    case .wide: .wideRange
    default: nil
    }
  }

  /// How inputs are made of uniform numbers.
  var values: GradientCase.Fill {
    switch self {
    case .exact, .random, .positive, .nonfinite, .sparse, .large, .swamped, .wide: .random
    case .ties: .ties
    case .shifted: .shifted
    case .saturated: .saturated
    case .narrow: .narrow
    case .denormal: .denormal
    }
  }

  /// Where the uniform numbers lie.
  var range: OperandDraw.Range {
    switch self {
    case .positive: OperandDraw.Range(0, 1)
    case .ties: OperandDraw.Range(-2, 2)
    default: .unit
    }
  }
}
