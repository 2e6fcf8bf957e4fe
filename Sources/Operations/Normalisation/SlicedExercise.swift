import Problems
import Tensors

/// An exercise of a normalisation slice by slice, for defects that have to know what the statistics are.
struct SlicedExercise {
  let layout: NormalisedSlices
  let eps: Double
  let x: Tensor<Double>
  let dy: Tensor<Double>?
  let bias: [Double]?
  private let weight: [Double]?
  let mean: [Double]
  /// Biased.
  let variance: [Double]

  /// - Parameter given: mean and variance of each slice where they are not the slices' own.
  /// - Requires: operands that fit the layout.
  /// - Returns: `nil` where there are no elements.
  init?(
    _ exercise: Exercise, _ layout: NormalisedSlices, eps: Double, given: (mean: [Double], variance: [Double])? = nil
  ) {
    func parameter(_ name: String) -> [Double]? { exercise.parameters[name]?.doubles.elements }
    guard let x = exercise.inputs["x"]?.doubles, x.count > 0 else { return nil }
    self.layout = layout
    self.eps = eps
    self.x = x
    dy = exercise.upstream["y"]?.doubles
    (weight, bias) = (parameter("weight"), parameter("bias"))
    let mean = given?.mean ?? layout.means(x.elements)
    self.mean = mean
    variance =
      given?.variance
      ?? layout.means(
        x.elements.indices.map { i in
          let distance = x.elements[i] - mean[layout.slice(of: i)]
          return distance * distance
        })
  }

  func weight(of element: Int) -> Double { weight?[layout.parameter(of: element)] ?? 1 }
  func bias(of element: Int) -> Double { bias?[layout.parameter(of: element)] ?? 0 }

  /// 1/√(σ² + ε).
  func scale(of element: Int) -> Double { 1 / (variance[layout.slice(of: element)] + eps).squareRoot() }

  /// γ·dy/√(σ² + ε): the gradient as if μ and σ² were constants.
  var plainGradient: Tensor<Double>? {
    dy.map { dy in
      Tensor(shape: dy.shape, elements: dy.elements.indices.map { dy.elements[$0] * weight(of: $0) * scale(of: $0) })
    }
  }

  /// y as if another mean and another variance had normalised a slice.
  func renormalise(_ answer: inout Answer, by other: (_ slice: Int) -> (mean: Double, variance: Double)) {
    let others = (0..<layout.count).map(other)
    answer.outputs.edit("y") { y in
      for i in y.elements.indices {
        let slice = layout.slice(of: i)
        let scaled = (y.elements[i] - bias(of: i)) * (variance[slice] + eps).squareRoot()
        let shift = weight(of: i) * (mean[slice] - others[slice].mean)
        y.elements[i] = (scaled + shift) / (others[slice].variance + eps).squareRoot() + bias(of: i)
      }
    }
  }
}

extension NormalisedSlices {
  func parameter(of element: Int) -> Int {
    parameter(position(of: element) / elementsPerParameter, of: slice(of: element))
  }

  /// The mean of each slice.
  func means(_ values: [Double]) -> [Double] {
    var means = [Double](repeating: 0, count: count)
    for (i, value) in values.enumerated() { means[slice(of: i)] += value / Double(size) }
    return means
  }
}
