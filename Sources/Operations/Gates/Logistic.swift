import Tensors

/// The logistic function σ(t) = 1/(1 + e⁻ᵗ), with no overflow on either side and no cancellation where it is small.
enum Logistic {
  static func value<Scalar: RealScalar>(_ t: Scalar) -> Scalar {
    // Powers of e below 1 alone: e⁻ᵗ is infinite long before σ(t) is denormal.
    guard t < 0 else { return 1 / (1 + .exp(-t)) }
    let power = Scalar.exp(t)
    return power / (1 + power)
  }

  /// σ′(t) = σ(t)·(1 − σ(t)), of which 1 − σ is taken as σ(−t).
  static func slope<Scalar: RealScalar>(_ t: Scalar) -> Scalar {
    let power = t < 0 ? Scalar.exp(t) : .exp(-t)
    return power / ((1 + power) * (1 + power))
  }
}
