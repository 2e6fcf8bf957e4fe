import Problems
import Foundation

/// One channel's values, cotangents and parameters: what ``BatchNorm2dBounds`` derives, element by element.
struct BatchNorm2dChannelPass {
  let index: Int
  let x: [Double]
  let dy: [Double]
  let statistics: BatchNorm2dChannel
  let usesBatchStatistics: Bool
  let weight: Double
  let bias: Double

  private var scale: Double { statistics.scale }
  private func normalised(_ x: Double) -> Double { (x - statistics.mean) * scale }

  func output(_ rounding: Rounding) -> ElementBounds {
    let gain = abs(weight) * scale
    let gamma = rounding.gamma(8)
    var (statistical, rigorous) = ([Double](), [Double]())
    for x in x {
      let rounded =
        gamma * (gain * abs(x) + gain * abs(statistics.mean) + abs(bias))
        + rounding.underflow * (2 + abs(weight) + abs(x) + abs(statistics.mean))
      let distance = gain * abs(x - statistics.mean)
      func parts(_ uncertainty: BatchNorm2dChannel.Uncertainty) -> (Double, Double) {
        (gain * (1 + uncertainty.scale) * uncertainty.mean, distance * uncertainty.scale)
      }
      let (ofMean, ofScale) = parts(statistics.rigorous)
      rigorous.append(ofMean + ofScale + rounded)
      let (meanPart, scalePart) = parts(statistics.statistical)
      statistical.append((meanPart * meanPart + scalePart * scalePart + rounded * rounded).squareRoot())
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }

  func biasGradient(_ rounding: Rounding) -> ElementBounds {
    var sums = ProductSums(count: 1, termCount: dy.count)
    for value in dy { sums.add(value, to: 0) }
    return sums.bounds(in: rounding)
  }

  func weightGradient(_ rounding: Rounding) -> ElementBounds {
    var sums = ProductSums(count: 1, termCount: dy.count)
    for (value, x) in zip(dy, x) { sums.add(value * normalised(x), to: 0) }
    let own = sums.bounds(in: rounding, extraRoundings: 4)
    let total = abs(dy.reduce(0, +))
    func inherited(_ uncertainty: BatchNorm2dChannel.Uncertainty) -> Double {
      scale * uncertainty.mean * total + abs(sums.value[0]) * uncertainty.scale
    }
    let ownStatistical = own.tightest[0]
    let inheritedStatistical = inherited(statistics.statistical)
    return ElementBounds(
      statistical: [(ownStatistical * ownStatistical + inheritedStatistical * inheritedStatistical).squareRoot()],
      rigorous: [own.rigorous[0] + (1 + rounding.gamma(dy.count + 4)) * inherited(statistics.rigorous)])
  }

  func inputGradient(_ rounding: Rounding) -> ElementBounds {
    let gain = abs(weight) * scale
    guard usesBatchStatistics else {
      let gamma = rounding.gamma(7)
      return ElementBounds(
        rigorous: dy.map { gamma * gain * abs($0) + rounding.underflow * (2 + abs($0) + abs(weight)) })
    }
    let size = Double(dy.count)
    let first = dy.reduce(0, +) / size
    let second = zip(dy, x).reduce(0) { $0 + $1.0 * normalised($1.1) } / size
    let (biasBounds, weightBounds) = (biasGradient(rounding), weightGradient(rounding))
    let gamma = rounding.gamma(8)
    func bound(
      _ uncertainty: BatchNorm2dChannel.Uncertainty, _ deltaFirst: Double, _ deltaSecond: Double, _ dy: Double,
      _ x: Double
    ) -> (Double, Double, Double) {
      let normalised = abs(normalised(x))
      let sums = deltaFirst + normalised * deltaSecond
      let statistics = abs(second) * (scale * uncertainty.mean + normalised * uncertainty.scale)
      let roundings = (uncertainty.scale + gamma) * (abs(dy) + abs(first) + normalised * abs(second))
      return (gain * sums, gain * statistics, gain * roundings)
    }
    let underflow = rounding.underflow * (4 + 4 * gain + abs(weight))
    var (statistical, rigorous) = ([Double](), [Double]())
    for (dy, x) in zip(dy, x) {
      let parts = bound(statistics.rigorous, biasBounds.rigorous[0] / size, weightBounds.rigorous[0] / size, dy, x)
      rigorous.append((parts.0 + parts.1) * (1 + statistics.rigorous.scale) + parts.2 + underflow)
      let independent = bound(
        statistics.statistical, biasBounds.tightest[0] / size, weightBounds.tightest[0] / size, dy, x)
      statistical.append(
        (independent.0 * independent.0 + independent.1 * independent.1 + independent.2 * independent.2).squareRoot()
          + underflow)
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }
}
