import Foundation

/// Central differences on steps h₀·2⁻ᵏ with two Richardson levels, and an error estimate for each element.
///
///     D_k = vᵀ(f(x + h_k) − f(x − h_k)) / 2h_k,   R_k = (4D_{k+1} − D_k)/3,   Q_k = (16R_{k+1} − R_k)/15
///
/// The estimate of Q's truncation is |Q_k − R_{k+1}|: what the last level still changed, which in the asymptotic range is
/// many times the error that is left. A level counts only when D's own changes shrink as in that range.
///
/// - Source: Ridders, "Accurate computation of F′(x) and F′(x)F″(x)", Adv. Eng. Software 4 (1982); the bound and its
///   acceptance are derived in METHODOLOGY.md.
struct StepLadder: Sendable {
  /// Falling, each half of the one before.
  let steps: [Double]

  /// Steps that would underflow are left out, as x + h could not be told from x − h.
  init(first: Double, levels: Int) {
    steps = (0..<levels).map { first * scalbn(1, -$0) }.filter { $0 >= .leastNormalMagnitude }
  }

  /// A power of two near the root mean square of the elements; 1 where they are all zero.
  static func scale(of elements: [Double]) -> Double {
    let largest = elements.reduce(0) { max($0, abs($1)) }
    guard largest > 0, largest.isFinite else { return 1 }
    // Relative to the largest, so that neither squares overflow nor vanish.
    let mean = elements.reduce(0) { $0 + ($1 / largest) * ($1 / largest) } / Double(elements.count)
    return scalbn(1, Int((largest * mean.squareRoot()).exponent))
  }

  /// One element's sums over the outputs that it reaches, at one step.
  struct Level: Sendable {
    /// Σ vᵢ·(yᵢ⁺ − yᵢ⁻)/2h.
    var derivative = CompensatedSum()
    /// The same in magnitudes.
    var scale = 0.0
    /// Σ |vᵢ|·|yᵢ⁺ − 2yᵢ + yᵢ⁻|: grows as h² where f is smooth, as h at a kink, not at all at a jump.
    var secondDifference = 0.0
    /// Sums of the smaller and of the larger one-sided term.
    var low = CompensatedSum()
    var high = CompensatedSum()
    /// How far the step was from h as it was taken, relative to h.
    var stepError = 0.0
    var isFinite = true
  }

  /// - Parameters:
  ///   - levels: one for each step.
  ///   - noise: Σ|vᵢ|·ρᵢ over the outputs reached.
  func derivative(from levels: [Level], noise: Double) -> NumericDerivative {
    if let broken = levels.firstIndex(where: { !$0.isFinite }) {
      return .undetermined("the forward pass is not finite at a step of \(steps[broken])")
    }
    if let vanished = levels.firstIndex(where: { $0.stepError >= 0.5 }) {
      return .undetermined("a step of \(steps[vanished]) vanishes beside the element")
    }
    var best: NumericDerivative?
    var finest: NumericDerivative?
    var before: Double?
    for k in 0..<max(levels.count - 2, 0) {
      let (d0, d1, d2) = (
        levels[k].derivative.value, levels[k + 1].derivative.value, levels[k + 2].derivative.value
      )
      let (r0, r1) = ((4 * d1 - d0) / 3, (4 * d2 - d1) / 3)
      let value = (16 * r1 - r0) / 15
      let last = steps[k + 2]
      let scale = levels[k + 2].scale
      // Q = (64·D₂ − 20·D₁ + D₀)/45, and D at step h carries noise/h.
      let blurred = noise * (64 + 10 + 0.25) / (45 * last)
      let contracted = 4 * Double.unitRoundoff * scale + levels[k + 2].stepError * scale
      // Of many levels the one with the least |Q − R| can be one that agrees by accident; but what the level before was off
      // by shows in its distance from this one, of which an eighth is still many times this one's error.
      let stride = before.map { abs(value - $0) / 8 } ?? 0
      before = value
      let candidate = NumericDerivative(
        value: value, truncation: max(abs(value - r1), stride), rounding: blurred + contracted, scale: scale,
        step: last,
        kind: .smooth)
      finest = candidate
      let quiet = 2 * noise / last + 8 * Double.unitRoundoff * scale
      guard abs(d1 - d2) <= abs(d0 - d1) / 2 + quiet else { continue }
      if best.map({ candidate.bound < $0.bound }) ?? true { best = candidate }
    }
    guard let finest else {
      return .undetermined("the step underflows: only \(levels.count) are large enough to differ from 0")
    }
    switch roughness(of: levels, noise: noise) {
    case .jump: return .undetermined("the function jumps: its second difference does not shrink with the step")
    case .kink(let level): return kink(levels, noise: noise, at: level, scale: finest.scale)
    case .none: break
    }
    return best ?? .undetermined("no step down to \(steps[steps.count - 1]) is in the asymptotic range")
  }

  private enum Roughness {
    case none, jump
    /// Seen best at this level.
    case kink(Int)
  }

  /// Second differences shrink by 4 from step to step where f is smooth, by 2 at a kink, not at all at a jump. They are
  /// looked at where they are finest and still stand out of the noise. (Of a kink that is near but not met, the last one that
  /// stands out is less than a third of the one before.)
  private func roughness(of levels: [Level], noise: Double) -> Roughness {
    let visible = levels.indices.last { level in
      let contracted = 64 * Double.unitRoundoff * levels[level].scale * steps[level]
      return levels[level].secondDifference > 16 * noise + contracted
    }
    guard let visible, visible >= 2 else { return .none }
    let last = levels[visible - 2...visible].map(\.secondDifference)
    if last[2] >= 0.75 * last[1], last[1] >= 0.75 * last[0] { return .jump }
    return last[2] >= 0.375 * last[1] && last[1] >= 0.375 * last[0] ? .kink(visible) : .none
  }

  /// One-sided derivatives, extrapolated once: their errors shrink as h.
  private func kink(_ levels: [Level], noise: Double, at level: Int, scale: Double) -> NumericDerivative {
    let (coarse, fine) = (levels[level - 1], levels[level])
    let low = 2 * fine.low.value - coarse.low.value
    let high = 2 * fine.high.value - coarse.high.value
    return NumericDerivative(
      value: (low + high) / 2, truncation: max(abs(fine.low.value - low), abs(fine.high.value - high)),
      rounding: 6 * noise / steps[level] + 8 * Double.unitRoundoff * scale, scale: scale, step: steps[level],
      kind: .kink(low: min(low, high), high: max(low, high)))
  }
}
