import Problems
import Tensors

extension GELU {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? {
    switch problem.approximation {
    case .none: SelfGateBounds(given, gate: SelfGate.normal)
    case .tanh: SelfGateBounds(given, gate: SelfGate.cubic)
    }
  }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

extension SelfGate {
  /// Φ(x), as `½·(1 + erf t)` or `½·erfc(−t)`, t = x/√2.
  ///
  /// - δΦ: an erf within sixteen units of 1 (the polynomial that PyTorch's and OpenVINO's kernels take is off by ten) gives 8u; the constant's
  ///   and the product's rounding of t give `½·2u·|t·erf′(t)| = 2u·|q|`, the sum uΦ.
  /// - q = x·φ(x): −x²/2 rounds up to five times as t², which e to that power amplifies by x²/2; exp is off by 4u, and there are
  ///   three products. Where q is added to erf before the 1 is, that sum rounds by u/2 more, and nothing is left of Φ + q
  ///   unless one of the two is.
  static func normal(_ x: Double, _ unit: Double) -> SelfGate {
    let (value, product) = (NormalGate.value(x), NormalGate.product(x))
    let tail = NormalGate.value(-abs(x))
    if isSaturated(distance: 2 * (tail + abs(product)), unit: unit) {
      return SelfGate(value: value, valueError: tail, product: product, productError: abs(product))
    }
    return SelfGate(
      value: value, valueError: (8 + 2 * abs(product) + value) * unit,
      product: product, productError: (abs(product) * (7 + 2.5 * x * x) + 0.5) * unit)
  }

  /// σ(2s), as `½·(1 + tanh s)` or `1/(1 + e^(−2s))`.
  ///
  /// - s is a product of three factors and a sum of terms of one sign, off by a relative 7u however it is arranged. With r = |s|·sech² s
  ///   a tanh within eight units of 1 gives `δΦ = 4u + 3½u·r + 2uΦ`.
  /// - `q = ½·x·s′·sech² s`: 1 − tanh² doubles the error of tanh and rounds twice, `18u + 14u·r`; the other factors and
  ///   products round nine times.
  static func cubic(_ x: Double, _ unit: Double) -> SelfGate {
    let (value, product) = (CubicGate.value(x), CubicGate.product(x))
    let tail = CubicGate.value(-abs(x))
    if isSaturated(distance: 2 * tail, unit: unit) {
      return SelfGate(value: value, valueError: tail, product: product, productError: abs(product))
    }
    let argument = abs(CubicGate.argument(x))
    let amplification = 4 * argument * Logistic.slope(2 * argument)
    let factor = 0.5 * abs(x) * CubicGate.argumentSlope(x)
    return SelfGate(
      value: value, valueError: (4 + 3.5 * amplification + 2 * value) * unit,
      product: product, productError: (factor * (18 + 14 * amplification) + 9 * abs(product)) * unit)
  }
}
