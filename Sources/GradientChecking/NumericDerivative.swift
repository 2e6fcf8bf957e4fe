import Problems

/// The derivative of vᵀf with respect to one element, as determined without the backward pass under test.
struct NumericDerivative: Sendable {
  enum Kind: Sendable {
    case smooth
    /// The one-sided derivatives differ: any value between them is a subgradient.
    case kink(low: Double, high: Double)
    case undetermined(String)
  }

  var value: Double
  /// What the ladder has not converged yet; 0 for methods without a step.
  var truncation: Double
  /// What rounding in the function makes of it.
  var rounding: Double
  /// Σ|vᵢ·Jᵢⱼ|: the terms that the derivative is a sum of.
  var scale: Double
  /// The finest step used.
  var step: Double
  var kind: Kind

  var bound: Double { truncation + rounding }

  static func undetermined(_ reason: String) -> Self {
    Self(value: .nan, truncation: .infinity, rounding: 0, scale: 0, step: 0, kind: .undetermined(reason))
  }
}

/// Every derivative of one operand by one method.
struct NumericGradient: Sendable {
  /// `nil` where an element was not looked at.
  var elements: [NumericDerivative?]
  /// Outputs that changed although no perturbed element reaches them; a message for the first.
  var localityViolation: String?
}

/// Neumaier's compensated sum: the rounding of a contraction must not drown what it contracts.
struct CompensatedSum: Sendable {
  private(set) var high = 0.0
  private(set) var low = 0.0

  mutating func add(_ term: Double) {
    let total = high + term
    low += abs(high) >= abs(term) ? (high - total) + term : (term - total) + high
    high = total
  }

  var value: Double { high + low }
}

/// For one colour: which of its elements, by position in `elements`, each output belongs to.
struct OwnerMap: Sendable {
  /// −1 where no element of the colour reaches the output.
  let owner: [Int32]

  init(elements: [Int], footprint: Footprint, outputs: Int) {
    var owner = [Int32](repeating: -1, count: outputs)
    for (position, element) in elements.enumerated() {
      footprint.forEachOutput(element) { owner[$0] = Int32(truncatingIfNeeded: position) }
    }
    self.owner = owner
  }
}
