import Problems
import Tensors

/// The steps of SGD, Adam and AdamW by running error analysis: each quantity carries a bound on its error from step to step.
///
/// With e(·) for errors carried along and γ for the roundings of one line, in any usual arrangement of it:
///
/// - decay: `g' = g + λp`: `λ·e(p) + γ_2·(|g| + λ|p|)`; decoupled `p' = p·(1 − lr·λ)`: `e(p)·(1 − lr·λ) + γ_3·|p'|`.
/// - SGD: `b' = μb + (1 − τ)g`: `μ·e(b) + (1 − τ)·e(g) + γ_3·(μ|b| + (1 − τ)|g|)`; `p' = p − lr·d`: `e(p) + lr·e(d) + γ_3·lr·|d| + u·|p'|`.
/// - Adam: `m` and `v` as b (γ_4, γ_5); `√v` by `e(v)/(√v + √(v − e(v)))`, at most `√e(v)`; the step `lr/c₁·m/(√v/√c₂ + ε)` by the quotient rule with γ_8;
///   with d for the divisor, what underflows in lr/c₁·m is η/d behind the division, and in m/d it is η·lr/c₁ behind the product.
///   The corrections c are taken as computed in double precision, as PyTorch does; in float32, 1 − β₂ alone would lose
///   twelve bits.
struct OptimizerBounds: BoundModel {
  private let problem: any OptimizerStepProblem
  private let given: Given<Double>

  init(_ problem: any OptimizerStepProblem, _ given: Given<Double>) {
    self.problem = problem
    self.given = given
  }

  /// A number with a bound on its error.
  private struct Bounded {
    var value: Double
    var error: Double = 0
    var magnitude: Double { abs(value) }
  }

  /// The quantities of one element.
  private struct Element {
    var p: Bounded
    var momentum: Bounded?
    var first = Bounded(value: 0)
    var second = Bounded(value: 0)
    var largest = Bounded(value: 0)
  }

  func isExact(_ path: String) -> Bool { false }

  func spread(of path: String) -> ErrorSpread? { nil }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    let count = problem.parameterShape.count
    let gradients = given.operands["gradients"]?.elements ?? []
    let p = given.operands["p"]?.elements ?? []
    func before(_ name: String, _ i: Int) -> Bounded { Bounded(value: given.operands[name]?.elements[i] ?? 0) }
    var trajectory = [Double](repeating: 0, count: gradients.count)
    var last: [Double] = []
    last.reserveCapacity(count)
    for i in 0..<count {
      var element = Element(p: Bounded(value: p[i]))
      element.first = before("exp_avg", i)
      element.second = before("exp_avg_sq", i)
      element.largest = before("max_exp_avg_sq", i)
      for step in 0..<problem.stepCount {
        let gradient = Bounded(value: gradients[step * count + i])
        switch problem.options {
        case .sgd(let options): Self.sgd(options, gradient, &element, rounding)
        case .adam(let options): Self.adam(options, gradient, problem.firstStep + step, &element, rounding)
        }
        trajectory[step * count + i] = element.p.error
      }
      switch path {
      case "outputs/momentum_buffer": last.append(element.momentum?.error ?? 0)
      case "outputs/exp_avg": last.append(element.first.error)
      case "outputs/exp_avg_sq": last.append(element.second.error)
      case "outputs/max_exp_avg_sq": last.append(element.largest.error)
      default: break
      }
    }
    if path == "outputs/trajectory" { return ElementBounds(rigorous: trajectory) }
    return last.count == count ? ElementBounds(rigorous: last) : nil
  }

  private static func sgd(_ options: SGDOptions, _ gradient: Bounded, _ element: inout Element, _ rounding: Rounding) {
    var g = decayed(gradient, options.weightDecay, element.p, rounding)
    if options.momentum != 0 {
      var buffer = g
      if let old = element.momentum {
        buffer = blend(options.momentum, old, 1 - options.dampening, g, rounding.gamma(3), rounding)
      }
      element.momentum = buffer
      g = options.nesterov ? blend(1, g, options.momentum, buffer, rounding.gamma(2), rounding) : buffer
    }
    subtract(
      Bounded(
        value: options.learningRate * g.value,
        error: options.learningRate * (g.error + rounding.gamma(3) * g.magnitude) + rounding.underflow),
      from: &element.p, rounding)
  }

  private static func adam(
    _ options: AdamOptions, _ gradient: Bounded, _ step: Int, _ element: inout Element, _ rounding: Rounding
  ) {
    var g = gradient
    if options.decouplesWeightDecay {
      let shrink = 1 - options.learningRate * options.weightDecay
      let value = element.p.value * shrink
      element.p = Bounded(
        value: value,
        error: options.weightDecay == 0
          ? element.p.error
          : element.p.error * abs(shrink) + rounding.gamma(3) * abs(value) + rounding.underflow)
    } else {
      g = decayed(g, options.weightDecay, element.p, rounding)
    }
    let square = Bounded(value: g.value * g.value, error: (2 * g.magnitude + g.error) * g.error)
    // m + (1 − β₁)(g − m), PyTorch's arrangement, rounds the difference.
    let difference = (1 - options.beta1) * (element.first.magnitude + element.first.error)
    element.first = blend(options.beta1, element.first, 1 - options.beta1, g, rounding.gamma(4), rounding)
    element.first.error += rounding.gamma(4) * difference
    element.second = blend(options.beta2, element.second, 1 - options.beta2, square, rounding.gamma(5), rounding)
    // (1 − β₂)·g·g has a product more than a sum of two products: in either order.
    element.second.error += rounding.underflow * max(1, g.magnitude + g.error)
    var second = element.second
    if options.amsgrad {
      let error = max(element.largest.error, second.error)
      second = Bounded(value: max(element.largest.value, second.value), error: error)
      element.largest = second
    }
    let (correction1, correction2) = (1 - power(options.beta1, step), 1 - power(options.beta2, step))
    let root = second.value.squareRoot()
    let lowest = max(second.value - second.error, 0).squareRoot()
    // |√a − √b| is at most √|a − b|, too: the less where v is nearly 0.
    let rootError = second.error == 0 ? 0 : min(second.error / (root + lowest), second.error.squareRoot())
    let divisor = root / correction2.squareRoot() + options.eps
    let divisorError = rootError / correction2.squareRoot() + rounding.gamma(5) * divisor
    let m = element.first
    let rate = options.learningRate / correction1
    let quotient = rate * m.value / divisor
    // No root is negative, whatever its error. Without ε the divisor may be 0: there is no bound, and the same value is asked for.
    let leastDivisor = max(divisor - divisorError, options.eps * (1 - rounding.gamma(5)))
    let inherited = (rate * m.error + abs(quotient) * divisorError) / leastDivisor
    // The rate comes before the division, where what underflows is divided too, or after it.
    let underflow = rounding.underflow * (2 + 1 / leastDivisor + rate)
    let rounded = rounding.gamma(8) * (abs(quotient) + inherited) + underflow
    subtract(Bounded(value: quotient, error: inherited + rounded), from: &element.p, rounding)
  }

  private static func decayed(_ g: Bounded, _ decay: Double, _ p: Bounded, _ rounding: Rounding) -> Bounded {
    decay == 0 ? g : blend(1, g, decay, p, rounding.gamma(2), rounding)
  }

  /// a·x + b·y.
  private static func blend(
    _ a: Double, _ x: Bounded, _ b: Double, _ y: Bounded, _ gamma: Double, _ rounding: Rounding
  ) -> Bounded {
    let error = abs(a) * x.error + abs(b) * y.error
    let magnitude = abs(a) * (x.magnitude + x.error) + abs(b) * (y.magnitude + y.error)
    return Bounded(value: a * x.value + b * y.value, error: error + gamma * magnitude + 2 * rounding.underflow)
  }

  private static func subtract(_ step: Bounded, from p: inout Bounded, _ rounding: Rounding) {
    let value = p.value - step.value
    let inherited = p.error + step.error
    p = Bounded(value: value, error: inherited + rounding.unit * (abs(value) + inherited))
  }

  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}
