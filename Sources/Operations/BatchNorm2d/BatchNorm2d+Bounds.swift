import Problems
import Tensors

extension BatchNorm2d {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { BatchNorm2dBounds(self, given) }

  public var staysSingle: Set<String> { ["weight", "bias", "running_mean", "running_var"] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

/// A normalisation of channels (``NormalisationBounds``), and beside it the running statistics: `m·δμ` (and `m·M/(M−1)·δσ²`), and the
/// few roundings of the average.
struct BatchNorm2dBounds: ErrorSharing {
  private let problem: BatchNorm2dProblem
  private let given: Given<Double>
  private let normalisation: NormalisationBounds

  init(_ layer: BatchNorm2d, _ given: Given<Double>) {
    problem = layer.problem
    self.given = given
    func running(_ name: String, otherwise value: Double) -> [Double] {
      given.operands[name]?.elements ?? Array(repeating: value, count: layer.problem.channels)
    }
    normalisation = NormalisationBounds(
      layout: layer.layout, eps: problem.eps, given: given,
      fixed: problem.usesBatchStatistics
        ? nil : (running("running_mean", otherwise: 0), running("running_var", otherwise: 1)),
      // Its sums are long and its channels far from zero: kernels subtract the mean before they sum, and are held to it.
      expandsBackward: false)
  }

  /// Evaluation with dyadic scales is; the batch's statistics involve a division by M.
  func isExact(_ path: String) -> Bool { !problem.usesBatchStatistics }

  func spread(of path: String) -> ErrorSpread? { normalisation.spread(of: path) }

  func sharedErrors(of path: String, in rounding: Rounding, isRigorous: Bool) -> [SharedErrors] {
    normalisation.sharedErrors(of: path, in: rounding, isRigorous: isRigorous)
  }

  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    case "buffers_after/num_batches_tracked": return .none(count: 1)
    case "buffers_after/running_mean", "buffers_after/running_var":
      guard problem.updatesRunningStatistics else { return .none(count: problem.channels) }
      let pairs = (0..<problem.channels).map {
        runningStatistic($0, isVariance: path.hasSuffix("var"), rounding)
      }
      return ElementBounds(statistical: pairs.map(\.statistical), rigorous: pairs.map(\.rigorous))
    default: return normalisation.bounds(of: path, in: rounding)
    }
  }

  private func runningStatistic(
    _ channel: Int, isVariance: Bool, _ rounding: Rounding
  ) -> (statistical: Double, rigorous: Double) {
    let batches = given.integers["num_batches_tracked"]?.elements.first ?? 0
    let rate: Double = problem.momentum ?? 1 / (Double(batches) + 1)
    let (momentum, kept): (Double, Double) = (abs(rate), abs(1 - rate))
    let statistics = normalisation.statistics(of: channel, rounding)
    let size = Double(statistics.count)
    let unbiased: Double = isVariance ? size / (size - 1) : 1
    let old: Double = given.operands[isVariance ? "running_var" : "running_mean"]?.elements[channel] ?? 0
    let value: Double = isVariance ? statistics.variance : abs(statistics.mean)
    let blended: Double = kept * abs(old) + momentum * unbiased * value
    let average: Double = rounding.gamma(6) * blended + 3 * rounding.underflow
    func bound(_ uncertainty: SliceStatistics.Uncertainty) -> Double {
      // A rate of 0 keeps the buffer as it is, bit for bit.
      if momentum == 0 { return 0 }
      return momentum * unbiased * (isVariance ? uncertainty.variance : uncertainty.mean) + average
    }
    return (bound(statistics.statistical), bound(statistics.rigorous))
  }
}
