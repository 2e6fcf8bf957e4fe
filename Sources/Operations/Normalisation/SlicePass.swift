import Problems

/// One slice's values, cotangents and parameters: what ``NormalisationBounds`` derives, element by element.
struct SlicePass {
  let x: [Double]
  /// Empty where there are none.
  let dy: [Double]
  let statistics: SliceStatistics
  /// Whether μ and σ² are the slice's own, so that they follow x.
  let followsInput: Bool
  /// γ and β, each for ``elementsPerParameter`` elements in a row.
  let weights: [Double]
  let biases: [Double]
  let elementsPerParameter: Int
  /// Whether the backward pass too may take x̂ apart, as x·s − μ·s.
  let expandsBackward: Bool

  private var scale: Double { statistics.scale }

  func normalised(_ position: Int) -> Double { (x[position] - statistics.mean) * scale }

  /// What an implementation rounds when it works with x̂ in the backward pass.
  func magnitude(_ position: Int) -> Double {
    expandsBackward ? (abs(x[position]) + abs(statistics.mean)) * scale : abs(normalised(position))
  }

  private func weight(_ position: Int) -> Double { weights[position / elementsPerParameter] }

  func output(_ rounding: Rounding) -> ElementBounds {
    let gamma = rounding.gamma(8)
    let mean = abs(statistics.mean)
    var (statistical, rigorous) = ([Double](), [Double]())
    for (position, x) in x.enumerated() {
      let parameter = position / elementsPerParameter
      let weight = abs(weights[parameter])
      let gain = weight * scale
      let rounded =
        gamma * (gain * abs(x) + gain * mean + abs(biases[parameter]))
        + rounding.underflow * (2 + weight + abs(x) + mean)
      let distance = gain * abs(x - statistics.mean)
      func parts(_ uncertainty: SliceStatistics.Uncertainty) -> (Double, Double) {
        (gain * (1 + uncertainty.scale) * uncertainty.mean, distance * uncertainty.scale)
      }
      let (ofMean, ofScale) = parts(statistics.rigorous)
      rigorous.append(ofMean + ofScale + rounded)
      let (meanPart, scalePart) = parts(statistics.statistical)
      statistical.append((meanPart * meanPart + scalePart * scalePart + rounded * rounded).squareRoot())
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }

  /// Of ``output(_:)``, what δμ and δs do to all elements together: as 1 and as x̂.
  func sharedOfOutput(isRigorous: Bool) -> [[Double]] {
    let uncertainty = isRigorous ? statistics.rigorous : statistics.statistical
    return [
      x.indices.map { abs(weight($0)) * scale * uncertainty.mean },
      x.indices.map { weight($0) * normalised($0) * uncertainty.scale },
    ]
  }

  /// Of ``inputGradient(_:)``, what δg₁, δg₂, δμ and δs do to all elements together: as 1 and as x̂.
  func sharedOfInputGradient(_ rounding: Rounding, isRigorous: Bool) -> [[Double]] {
    guard followsInput, !dy.isEmpty else { return [] }
    let size = Double(dy.count)
    var sums = NormalisedSums(count: 1, termCount: dy.count)
    sums.add(dy.indices.map { weight($0) * dy[$0] }, at: dy.indices, of: self, to: 0)
    func bound(_ bounds: ElementBounds) -> Double { (isRigorous ? bounds.rigorous[0] : bounds.tightest[0]) / size }
    let uncertainty = isRigorous ? statistics.rigorous : statistics.statistical
    let second = abs(sums.normalised.value[0]) / size
    let level = bound(sums.plain.bounds(in: rounding, extraRoundings: 1)) + second * scale * uncertainty.mean
    let slope = bound(sums.normalisedBounds(in: rounding, extraRoundings: 5)) + second * uncertainty.scale
    return [x.map { _ in scale * level }, x.indices.map { scale * slope * normalised($0) }]
  }

  func inputGradient(_ rounding: Rounding) -> ElementBounds {
    guard followsInput else {
      let gamma = rounding.gamma(7)
      return ElementBounds(
        rigorous: dy.enumerated().map { position, dy in
          let weight = abs(weight(position))
          return gamma * weight * scale * abs(dy) + rounding.underflow * (2 + abs(dy) + weight)
        })
    }
    let size = Double(dy.count)
    let weighted = dy.indices.map { weight($0) * dy[$0] }
    var sums = NormalisedSums(count: 1, termCount: dy.count)
    sums.add(weighted, at: weighted.indices, of: self, to: 0)
    let (first, second) = (sums.plain.value[0] / size, sums.normalised.value[0] / size)
    let plain = sums.plain.bounds(in: rounding, extraRoundings: 1)
    let normalised = sums.normalisedBounds(in: rounding, extraRoundings: 5)
    let gamma = rounding.gamma(expandsBackward ? 10 : 8)
    let largest = weights.reduce(1) { max($0, abs($1)) }
    let underflow = rounding.underflow * (4 + 4 * largest * scale + largest)
    var (statistical, rigorous) = ([Double](), [Double]())
    for position in x.indices {
      let (value, magnitude) = (abs(self.normalised(position)), magnitude(position))
      func parts(
        _ uncertainty: SliceStatistics.Uncertainty, _ deltaFirst: Double, _ deltaSecond: Double
      ) -> (Double, Double, Double) {
        // What the second sum is multiplied by: x̂ with its own error, which is all there is of it where the slice is constant.
        let factor = value + scale * uncertainty.mean + gamma * magnitude
        let ofSums = (deltaFirst + factor * deltaSecond) / size
        let ofStatistics = abs(second) * (scale * uncertainty.mean + value * uncertainty.scale)
        let terms = abs(weighted[position]) + abs(first)
        let ofScale = uncertainty.scale * (terms + value * abs(second))
        let rounded = ofScale + gamma * (terms + magnitude * abs(second))
        return (scale * ofSums, scale * ofStatistics, scale * rounded)
      }
      let worst = parts(statistics.rigorous, plain.rigorous[0], normalised.rigorous[0])
      rigorous.append((worst.0 + worst.1) * (1 + statistics.rigorous.scale) + worst.2 + underflow)
      let usual = parts(statistics.statistical, plain.tightest[0], normalised.tightest[0])
      statistical.append((usual.0 * usual.0 + usual.1 * usual.1 + usual.2 * usual.2).squareRoot() + underflow)
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }
}
