import Tensors

/// Φ, the distribution function of a normal variable.
enum NormalGate {
  static func value<Scalar: RealScalar>(_ x: Scalar) -> Scalar {
    // √½; erfc rather than 1 + erf, which cancels where x is negative.
    Scalar(0.5) * .erfc(-x * Scalar(0.707_106_781_186_547_524_4))
  }

  /// x·φ(x), φ being the density.
  static func product<Scalar: RealScalar>(_ x: Scalar) -> Scalar {
    // 1/√(2π)
    x * (Scalar(0.398_942_280_401_432_677_9) * .exp(-x * x * Scalar(0.5)))
  }
}

/// Φ's approximation σ(2s), s = √(2/π)·(x + 0.044715·x³).
enum CubicGate {
  /// √(2/π)
  private static let scale = 0.797_884_560_802_865_355_9
  private static let cubic = 0.044_715

  static func value<Scalar: RealScalar>(_ x: Scalar) -> Scalar { Logistic.value(2 * argument(x)) }

  /// x·dσ(2s)/dx.
  static func product<Scalar: RealScalar>(_ x: Scalar) -> Scalar {
    let slope = Logistic.slope(2 * argument(x))
    // Of a large x the square in s′ overflows, where nothing of the slope is left; ±∞ is NaN, as ∞·0 is.
    if slope == 0, x.isFinite { return 0 }
    return x * slope * (2 * argumentSlope(x))
  }

  static func argument<Scalar: RealScalar>(_ x: Scalar) -> Scalar {
    Scalar(scale) * x * (1 + Scalar(cubic) * (x * x))
  }

  static func argumentSlope<Scalar: RealScalar>(_ x: Scalar) -> Scalar {
    Scalar(scale) * (1 + Scalar(3 * cubic) * (x * x))
  }
}
