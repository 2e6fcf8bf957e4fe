import Results
import Tensors

/// Properties that every backward pass has, whatever the numbers: it is linear in the cotangent, repeats itself, leaves
/// its operands alone, and sums to zero where a shift changes nothing.
struct GradientContracts: Sendable {
  let evaluator: Evaluator
  let cotangent: [Double]
  let gradients: NamedTensors
  let rounding: AnalyticRounding

  func run() throws -> [GradientContractRecord] {
    let function = evaluator.function
    var records = [
      try compare("backward twice gives the same bits", cotangent) {
        $0.bitPattern == $1.bitPattern
      },
      try compare("backward(2v) = 2·backward(v)", cotangent.map { 2 * $0 }) {
        (2 * $0).bitPattern == $1.bitPattern
      },
      try compare("backward(0) = 0", cotangent.map { _ in 0 }) { _, found in found == 0 },
    ]
    let kept = function.point.mapValues { tensor in
      Tensor(shape: tensor.shape, elements: tensor.elements.map { $0 })
    }
    _ = try evaluator.backward(function.point, cotangent)
    try Evaluator.requireUnchanged(function.point, kept)
    if let invariance = function.shiftInvariance, let record = shiftRecord(invariance) {
      records.append(record)
    }
    return records
  }

  private func compare(
    _ name: String, _ upstream: [Double], _ holds: (_ expected: Double, _ found: Double) -> Bool
  ) throws -> GradientContractRecord {
    let found = try evaluator.backward(evaluator.function.point, upstream)
    for operand in evaluator.function.checked {
      guard let before = gradients[operand], let after = found[operand] else { continue }
      // A gradient that is not finite is the judge's to report; here it would only repeat it.
      if let element = before.elements.indices.first(where: {
        before.elements[$0].isFinite && !holds(before.elements[$0], after.elements[$0])
      }) {
        let index = before.shape.index(ofOffset: element)
        return GradientContractRecord(
          name: name, verdict: .fail,
          detail: "\(operand)\(index): \(before.elements[element]), then \(after.elements[element])"
        )
      }
    }
    return GradientContractRecord(name: name, verdict: .pass)
  }

  private func shiftRecord(_ invariance: ShiftInvariance) -> GradientContractRecord? {
    guard let gradient = gradients[invariance.operand] else { return nil }
    var sums = [CompensatedSum](repeating: CompensatedSum(), count: invariance.setCount)
    var bounds = [Double](repeating: 0, count: invariance.setCount)
    for (element, value) in gradient.elements.enumerated() {
      let set = invariance.set(element)
      sums[set].add(value)
      // The sum's own rounding is compensated; what is left is each element's.
      bounds[set] +=
        rounding.bound(invariance.operand, element: element, scale: abs(value)) + 4
        * Double.unitRoundoff * abs(value)
    }
    let name = "Σ of the gradient of \(invariance.operand) is 0 in each \(invariance.unit)"
    guard let set = sums.indices.first(where: { !(abs(sums[$0].value) <= bounds[$0]) }) else {
      return GradientContractRecord(name: name, verdict: .pass)
    }
    return GradientContractRecord(
      name: name, verdict: .fail,
      detail: "\(invariance.unit) \(set): the sum is \(sums[set].value), its bound \(bounds[set])")
  }
}
