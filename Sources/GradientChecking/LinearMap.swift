import Tensors

/// A function that is affine in one operand, on integers: everything is exact, so one wrong unit in the last place shows.
///
/// Operands are drawn anew from {±1 … ±q}; the derivative of an affine function does not depend on where it is taken, and
/// with Σ|terms| below the limit of the arithmetic no operation rounds.
struct LinearMap: Sendable {
  let evaluator: Evaluator
  let operand: String
  let footprint: Footprint
  let threads: Int
  /// All operands, integers.
  let point: NamedTensors
  /// The outputs there.
  let base: [Double]
  /// Integer cotangent.
  let cotangent: [Double]
  /// Integer direction.
  let direction: [Double]
  /// The gradient under test.
  let analytic: [Double]

  static let largestInteger = 3

  init(evaluator: Evaluator, operand: String, footprint: Footprint, seed: UInt64, threads: Int) throws {
    self.evaluator = evaluator
    self.operand = operand
    self.footprint = footprint
    self.threads = threads
    var random = SplitMix64(seed: seed)
    var point: NamedTensors = [:]
    for name in evaluator.function.point.keys.sorted() {
      point[name] = evaluator.function.point[name]?.map { _ in Self.integer(&random) }
    }
    self.point = point
    base = try evaluator.forward(point)
    cotangent = base.map { _ in Self.integer(&random) }
    direction = (0..<(point[operand]?.count ?? 0)).map { _ in Self.integer(&random) }
    analytic = try evaluator.backward(point, cotangent)[operand]?.elements ?? []
  }

  private static func integer(_ random: inout SplitMix64) -> Double {
    let bits = random.next()
    let size = Double(1 + Int(bits >> 1) % largestInteger)
    return bits & 1 == 0 ? size : -size
  }

  /// Jᵀv along the direction restricted to `elements`, by the forward pass, one sum for each of them, in one evaluation.
  /// - Requires: the elements are all of one colour.
  func column(_ elements: [Int]) throws -> (derivatives: [Double], violation: String?) {
    let outputs = try evaluator.forward(displaced(elements))
    let owners = OwnerMap(elements: elements, footprint: footprint, outputs: outputs.count)
    var sums = [Double](repeating: 0, count: elements.count)
    var violation: String?
    for (output, owner) in owners.owner.enumerated() {
      let change = outputs[output] - base[output]
      if owner >= 0 {
        sums[Int(owner)] += cotangent[output] * change
      } else if change != 0, violation == nil {
        let shape = point[operand]?.shape ?? Shape()
        let first = elements.first.map { "\(operand)\(shape.index(ofOffset: $0))" } ?? operand
        violation =
          "LOCALITY: perturbing \(first) or another element of its colour changed "
          + "\(evaluator.layout.label(output)), which none of them reaches"
      }
    }
    return (zip(sums, elements).map { $0 / direction[$1] }, violation)
  }

  /// vᵀ(Ju) − (Jᵀv)ᵀu with u restricted to `elements`: 0 unless one of them is wrong.
  func mismatch(_ elements: [Int]) throws -> Double {
    let outputs = try evaluator.forward(displaced(elements))
    var forward = 0.0
    for output in outputs.indices { forward += cotangent[output] * (outputs[output] - base[output]) }
    var backward = 0.0
    for element in elements { backward += analytic[element] * direction[element] }
    return forward - backward
  }

  private func displaced(_ elements: [Int]) -> NamedTensors {
    point.replacing(operand) { values in for element in elements { values[element] += direction[element] } }
  }

  /// Every derivative, one evaluation a colour.
  func allColumns(of classes: [[Int]]) throws -> NumericGradient {
    let busy = classes.filter { !$0.isEmpty }
    let results = try parallelMap(busy.count, threads: threads) { try column(busy[$0]) }
    var gradient = NumericGradient(elements: Array(repeating: nil, count: point[operand]?.count ?? 0))
    for (elements, result) in zip(busy, results) {
      gradient.localityViolation = gradient.localityViolation ?? result.violation
      for (element, value) in zip(elements, result.derivatives) {
        gradient.elements[element] = NumericDerivative(
          value: value, truncation: 0, rounding: 0, scale: abs(value), step: 0, kind: .smooth)
      }
    }
    return gradient
  }

  /// The colours that hold a wrong element, by halving sets of colours until `limit` are found.
  func guiltyClasses(_ classes: [[Int]], limit: Int) throws -> [Int] {
    var guilty: [Int] = []
    var pending = [0..<classes.count]
    while let range = pending.popLast(), guilty.count < limit {
      guard !range.isEmpty, try mismatch(range.flatMap { classes[$0] }) != 0 else { continue }
      if range.count == 1 {
        guilty.append(range.lowerBound)
      } else {
        let middle = range.lowerBound + range.count / 2
        pending.append(middle..<range.upperBound)
        pending.append(range.lowerBound..<middle)
      }
    }
    return guilty
  }
}
