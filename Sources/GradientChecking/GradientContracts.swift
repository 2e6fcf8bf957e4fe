import Problems
import Results
import Tensors

/// Properties that every backward pass has: it is linear in the cotangent, repeats itself, leaves its operands alone, and
/// sums to zero where a shift changes nothing.
struct GradientContracts: Sendable {
  let evaluator: Evaluator
  let cotangent: [Double]
  let gradients: NamedTensors
  let rounding: AnalyticRounding
  /// How near the values come to numbers that round otherwise than by a relative u.
  let range: NormalRange.Distance

  func run() throws -> [GradientContractRecord] {
    let function = evaluator.function
    var records = [
      try compare("backward twice gives the same bits", cotangent) { _, _, before, after in
        before.bitPattern == after.bitPattern
      }
    ]
    if let homogeneity = try homogeneityRecord() { records.append(homogeneity) }
    records.append(try compare("backward(0) = 0", cotangent.map { _ in 0 }) { _, _, _, found in found == 0 })
    let kept = function.point.mapValues { tensor in
      Tensor(shape: tensor.shape, elements: tensor.elements.map { $0 })
    }
    _ = try evaluator.backward(function.point, cotangent)
    try Evaluator.requireUnchanged(function.point, kept)
    if let invariance = function.subject.shiftInvariance, let record = shiftRecord(invariance) {
      records.append(record)
    }
    return records
  }

  /// backward(2v) = 2·backward(v): bit for bit where every intermediate result is a normal number, since powers of two
  /// change exponents alone.
  ///
  /// Elsewhere what underflow rounds off is not proportional to v, and an algorithm may do otherwise where its own
  /// intermediate results overflow. Each side is then off by its own bound at most, and bounds grow no faster than v. Where
  /// 2v might overflow, v/2 is taken.
  /// - Returns: `nil` where nothing follows: values near the ends of the range, and no bound that is derived.
  private func homogeneityRecord() throws -> GradientContractRecord? {
    let factor = range.mayOverflow ? 0.5 : 2
    let name = range.mayOverflow ? "backward(v/2) = backward(v)/2" : "backward(2v) = 2·backward(v)"
    let scaled = cotangent.map { factor * $0 }
    if range.isCalm {
      return try compare(name, scaled) { _, _, before, after in (factor * before).bitPattern == after.bitPattern }
    }
    guard rounding.isDerived else { return nil }
    let limit = NormalRange(unitRoundoff: evaluator.function.implementation.unitRoundoff)
    return try compare(name + ", within the bounds of both", scaled) { operand, element, before, after in
      let bound = (factor + max(factor, 1)) * rounding.bound(operand, element: element, scale: 0)
      return abs(after - factor * before) <= bound || limit.mayOverflow(factor * abs(before) + bound)
    }
  }

  private func compare(
    _ name: String, _ upstream: [Double],
    _ holds: (_ operand: String, _ element: Int, _ before: Double, _ after: Double) -> Bool
  ) throws -> GradientContractRecord {
    let found = try evaluator.backward(evaluator.function.point, upstream)
    for operand in evaluator.function.checked {
      guard let before = gradients[operand], let after = found[operand] else { continue }
      // A gradient that is not finite is the judge's to report; here it would only repeat it.
      if let element = before.elements.indices.first(where: {
        before.elements[$0].isFinite && !holds(operand, $0, before.elements[$0], after.elements[$0])
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
