import Problems
import Operations
import Tensors

/// The gradients of Σ y·cotangent by every element of every argument, from forward passes over dual numbers: no step, and
/// nothing of the hand-written backward passes.
func dualGradients(
  of arguments: [Tensor<Double>], cotangent: Tensor<Double>,
  _ forward: ([Tensor<Dual<Double>>]) throws -> Tensor<Dual<Double>>
) rethrows -> [Tensor<Double>] {
  var gradients = arguments.map { Tensor<Double>(zeros: $0.shape) }
  for (position, argument) in arguments.enumerated() {
    for first in stride(from: 0, to: argument.count, by: Dual<Double>.directionCount) {
      var duals = arguments.map { $0.map { Dual(constant: $0) } }
      let lanes = min(Dual<Double>.directionCount, argument.count - first)
      for lane in 0..<lanes { duals[position].elements[first + lane].tangent[lane] = 1 }
      let y = try forward(duals)
      for (element, weight) in zip(y.elements, cotangent.elements) {
        for lane in 0..<lanes { gradients[position].elements[first + lane] += element.tangent[lane] * weight }
      }
    }
  }
  return gradients
}

/// Random values in [−1, 1], the same for the same seed.
func random(_ shape: Shape, seed: UInt64) -> Tensor<Double> {
  Tensor(splitMix64Uniform: shape, seed: seed, low: -1, high: 1).map { Double($0) }
}

/// The largest difference, infinite where shapes differ or something is not finite.
///
/// The cases of these tests have sums of fewer than 2¹⁰ terms below 2³, so two correct results differ by less than
/// 2 · 2¹⁰ · 2³ · 2⁻⁵³ < ``allowedDifference``.
func difference(_ a: Tensor<Double>, _ b: Tensor<Double>) -> Double {
  guard a.shape == b.shape else { return .infinity }
  return zip(a.elements, b.elements).reduce(0) { worst, pair in
    let distance = abs(pair.0 - pair.1)
    return distance.isFinite ? max(worst, distance) : .infinity
  }
}

let allowedDifference = 0x1p-38
