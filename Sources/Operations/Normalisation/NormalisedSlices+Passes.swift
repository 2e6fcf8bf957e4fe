import Tensors

// The two passes of a normalisation whose slices lie in one piece each, by their own statistics: group and layer normalisation.

extension NormalisedSlices {
  /// y = γ·x̂ + β, x̂ = (x − μ)/√(σ² + ε) with the slice's μ and σ².
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, weight: Tensor<Scalar>?, bias: Tensor<Scalar>?, eps: Double
  ) -> Tensor<Scalar> {
    var output = x
    let x = x.elements.span
    var y = output.elements.mutableSpan
    for slice in 0..<count {
      let moments = Moments(of: x, slice: slice, in: self, eps: Scalar(eps))
      for local in 0..<parametersPerSlice {
        let parameter = parameter(local, of: slice)
        let (gamma, beta) = (weight?.elements[parameter] ?? 1, bias?.elements[parameter] ?? 0)
        for i in elements(of: slice, sharing: local) {
          y[i] = (x[i] - moments.mean) * moments.inverseDeviation * gamma + beta
        }
      }
    }
    return output
  }

  /// With g = γ·dy, and sums and means over a slice for dx, over all elements that share the parameter for dγ and dβ:
  ///
  ///     dγ = Σ dy·x̂,   dβ = Σ dy
  ///     dx = (g − mean(g) − x̂·mean(g·x̂)) / √(σ² + ε)
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, x: Tensor<Scalar>, weight: Tensor<Scalar>?, eps: Double
  ) -> (dInput: Tensor<Scalar>, dWeight: [Scalar], dBias: [Scalar]) {
    var dInput = Tensor<Scalar>(zeros: x.shape)
    var dWeight = [Scalar](repeating: 0, count: parameterCount)
    var dBias = dWeight
    let (dy, x) = (dOutput.elements.span, x.elements.span)
    var dx = dInput.elements.mutableSpan
    let count = Scalar(size)
    for slice in 0..<self.count {
      let moments = Moments(of: x, slice: slice, in: self, eps: Scalar(eps))
      var (sumG, sumGX): (Scalar, Scalar) = (0, 0)
      for local in 0..<parametersPerSlice {
        let parameter = parameter(local, of: slice)
        let gamma = weight?.elements[parameter] ?? 1
        var (sumDy, sumDyX): (Scalar, Scalar) = (0, 0)
        for i in elements(of: slice, sharing: local) {
          sumDy += dy[i]
          sumDyX += dy[i] * ((x[i] - moments.mean) * moments.inverseDeviation)
        }
        dBias[parameter] += sumDy
        dWeight[parameter] += sumDyX
        sumG += gamma * sumDy
        sumGX += gamma * sumDyX
      }
      let (meanG, meanGX) = (sumG / count, sumGX / count)
      for local in 0..<parametersPerSlice {
        let gamma = weight?.elements[parameter(local, of: slice)] ?? 1
        for i in elements(of: slice, sharing: local) {
          let normalised = (x[i] - moments.mean) * moments.inverseDeviation
          dx[i] = moments.inverseDeviation * (gamma * dy[i] - meanG - normalised * meanGX)
        }
      }
    }
    return (dInput, dWeight, dBias)
  }

  /// - Requires: slices that lie in one piece each.
  private func elements(of slice: Int, sharing local: Int) -> Range<Int> {
    let start = slice * size + local * elementsPerParameter
    return start..<start + elementsPerParameter
  }
}
