import Tensors

/// What normalises one slice: μ, the biased σ², and 1/√(σ² + ε).
struct Moments<Scalar: RealScalar> {
  let mean: Scalar
  let variance: Scalar
  let inverseDeviation: Scalar

  init(mean: Scalar, variance: Scalar, eps: Scalar) {
    self.mean = mean
    self.variance = variance
    inverseDeviation = 1 / (variance + eps).squareRoot()
  }

  /// Those of the slice itself.
  ///
  /// Two passes, since E[x²] − E[x]² cancels when the mean is large beside the deviation; and the mean is corrected by
  /// the mean of what it leaves over (Chan, Golub and LeVeque 1983), since the rounding of a long sum of large values
  /// would otherwise shift every output.
  init(of x: Span<Scalar>, slice: Int, in slices: NormalisedSlices, eps: Scalar) {
    let count = Scalar(slices.size)
    var sum: Scalar = 0
    for run in 0..<slices.runCount {
      for i in slices.run(run, of: slice) { sum += x[i] }
    }
    var mean = sum / count
    var rest: Scalar = 0
    for run in 0..<slices.runCount {
      for i in slices.run(run, of: slice) { rest += x[i] - mean }
    }
    // Not finite where x is not: the mean is then what IEEE arithmetic says, ±∞ or NaN.
    if rest.isFinite { mean += rest / count }
    var squares: Scalar = 0
    for run in 0..<slices.runCount {
      for i in slices.run(run, of: slice) { squares += (x[i] - mean) * (x[i] - mean) }
    }
    self.init(mean: mean, variance: squares / count, eps: eps)
  }
}
