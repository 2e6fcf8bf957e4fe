import Problems
import Tensors

extension BatchNorm2d {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { BatchNorm2dBounds(problem, given) }

  public var staysSingle: Set<String> { ["weight", "bias", "running_mean", "running_var"] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

/// Batch normalisation, forward and backward, from the statistics of ``BatchNorm2dChannel`` with uncertainties δμ, δσ² and
/// (relative) δs, s = 1/√(σ² + ε):
///
/// - y, in either arrangement `γ·(x − μ)·s + β` or `x·(γs) + (β − μ·γs)`:
///   `|γ|·s·δμ + |γ·(x − μ)|·s·δs + γ_8·(|γ·x|·s + |γ·μ|·s + |β|)`.
/// - running statistics: `m·δμ` (and `m·M/(M−1)·δσ²`), and the few roundings of the average.
/// - dβ = Σdy and dγ = Σdy·x̂: sums of M; x̂ inherits `s·δμ` in common, so `s·δμ·|Σdy|`, and δs.
/// - dx = γ·s·(dy − g₁ − x̂·g₂), g₁ = Σdy/M, g₂ = Σdy·x̂/M:
///   `|γ|·s·(δg₁ + |x̂|·δg₂ + |g₂|·(s·δμ + |x̂|·δs)) + (δs + γ_8)·|γ|·s·(|dy| + |g₁| + |x̂·g₂|)`.
///
/// Statistically the parts are independent, each already carrying λ: root of the sum of squares.
struct BatchNorm2dBounds: BoundModel {
  private let problem: BatchNorm2dProblem
  private let given: Given<Double>

  init(_ problem: BatchNorm2dProblem, _ given: Given<Double>) {
    self.problem = problem
    self.given = given
  }

  /// Evaluation with dyadic scales is; the batch's statistics involve a division by M.
  func isExact(_ path: String) -> Bool { !problem.usesBatchStatistics }

  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    case "buffers_after/num_batches_tracked": return .none(count: 1)
    case "buffers_after/running_mean", "buffers_after/running_var":
      guard problem.updatesRunningStatistics else { return .none(count: problem.channels) }
      return perChannel(rounding) { channel in
        runningStatistic(channel, isVariance: path.hasSuffix("var"), rounding)
      }
    case "gradients/weight": return perChannel(rounding) { Self.pair($0.weightGradient(rounding)) }
    case "gradients/bias": return perChannel(rounding) { Self.pair($0.biasGradient(rounding)) }
    case "outputs/y": return perElement(rounding) { $0.output(rounding) }
    case "gradients/x":
      return given.upstream["y"] == nil ? nil : perElement(rounding) { $0.inputGradient(rounding) }
    default: return nil
    }
  }

  private static func pair(_ bounds: ElementBounds) -> (statistical: Double, rigorous: Double) {
    (bounds.tightest[0], bounds.rigorous[0])
  }

  private func perChannel(
    _ rounding: Rounding, _ body: (BatchNorm2dChannelPass) -> (statistical: Double, rigorous: Double)
  ) -> ElementBounds {
    let pairs = (0..<problem.channels).map { body(pass($0, rounding)) }
    return ElementBounds(statistical: pairs.map(\.statistical), rigorous: pairs.map(\.rigorous))
  }

  private func perElement(_ rounding: Rounding, _ body: (BatchNorm2dChannelPass) -> ElementBounds) -> ElementBounds {
    var statistical = [Double](repeating: 0, count: problem.inputShape.count)
    var rigorous = statistical
    for channel in 0..<problem.channels {
      let bounds = body(pass(channel, rounding))
      for (position, offset) in offsets(channel).enumerated() {
        statistical[offset] = bounds.statistical?[position] ?? bounds.rigorous[position]
        rigorous[offset] = bounds.rigorous[position]
      }
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }

  private func offsets(_ channel: Int) -> [Int] {
    let plane = problem.inputShape[2] * problem.inputShape[3]
    return (0..<problem.inputShape[0]).flatMap { image in
      let first = (image * problem.channels + channel) * plane
      return first..<first + plane
    }
  }

  private func pass(_ channel: Int, _ rounding: Rounding) -> BatchNorm2dChannelPass {
    let offsets = offsets(channel)
    let x = offsets.map { given["x"].elements[$0] }
    let statistics =
      problem.usesBatchStatistics
      ? BatchNorm2dChannel(x, eps: problem.eps, rounding)
      : BatchNorm2dChannel(
        runningMean: given.operands["running_mean"]?.elements[channel] ?? 0,
        runningVariance: given.operands["running_var"]?.elements[channel] ?? 1, eps: problem.eps, count: x.count,
        rounding)
    return BatchNorm2dChannelPass(
      index: channel, x: x, dy: given.upstream["y"].map { dy in offsets.map { dy.elements[$0] } } ?? [],
      statistics: statistics, usesBatchStatistics: problem.usesBatchStatistics,
      weight: given.operands["weight"]?.elements[channel] ?? 1,
      bias: given.operands["bias"]?.elements[channel] ?? 0)
  }

  private func runningStatistic(
    _ pass: BatchNorm2dChannelPass, isVariance: Bool, _ rounding: Rounding
  ) -> (statistical: Double, rigorous: Double) {
    let batches = given.integers["num_batches_tracked"]?.elements.first ?? 0
    let rate: Double = problem.momentum ?? 1 / (Double(batches) + 1)
    let (momentum, kept): (Double, Double) = (abs(rate), abs(1 - rate))
    let statistics = pass.statistics
    let size = Double(statistics.count)
    let unbiased: Double = isVariance ? size / (size - 1) : 1
    let old: Double = given.operands[isVariance ? "running_var" : "running_mean"]?.elements[pass.index] ?? 0
    let value: Double = isVariance ? statistics.variance : abs(statistics.mean)
    let blended: Double = kept * abs(old) + momentum * unbiased * value
    let average: Double = rounding.gamma(6) * blended + 3 * rounding.underflow
    func bound(_ uncertainty: BatchNorm2dChannel.Uncertainty) -> Double {
      // A rate of 0 keeps the buffer as it is, bit for bit.
      if momentum == 0 { return 0 }
      return momentum * unbiased * (isVariance ? uncertainty.variance : uncertainty.mean) + average
    }
    return (bound(statistics.statistical), bound(statistics.rigorous))
  }
}
