import Operations
import Problems
import Tensors

/// Integer operands and cotangents, and what a function that is affine in some of its operands makes of them: everything is
/// exact, so one wrong unit in the last place shows.
///
/// Values are drawn from {±1 … ±q}; the derivative of an affine function does not depend on where it is taken, and with
/// Σ|terms| below the limit of the arithmetic no operation rounds.
struct LinearPoint: Sendable {
  let operands: NamedTensors
  /// The outputs there, flattened.
  let base: [Double]
  let cotangent: [Double]
  /// The gradients under test.
  let gradients: NamedTensors
  /// By operand.
  let directions: [String: [Double]]

  static let largestInteger = 3

  init(evaluator: Evaluator, seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var operands: NamedTensors = [:]
    for name in evaluator.function.point.keys.sorted() {
      operands[name] = evaluator.function.point[name]?.map { _ in Self.integer(&random) }
    }
    self.operands = operands
    base = try evaluator.forward(operands)
    cotangent = base.map { _ in Self.integer(&random) }
    var directions: [String: [Double]] = [:]
    for name in operands.keys.sorted() {
      directions[name] = operands[name]?.elements.map { _ in Self.integer(&random) }
    }
    self.directions = directions
    gradients = try evaluator.backward(operands, cotangent)
  }

  private static func integer(_ random: inout SplitMix64) -> Double {
    let bits = random.next()
    let size = Double(1 + Int(bits >> 1) % largestInteger)
    return bits & 1 == 0 ? size : -size
  }
}

/// The map of one operand at such a point.
struct LinearMap: Sendable {
  let evaluator: Evaluator
  let operand: String
  let footprint: Footprint
  let threads: Int
  let point: LinearPoint
  /// Of the operand.
  let direction: [Double]
  /// The gradient under test.
  let analytic: [Double]

  init(
    evaluator: Evaluator, operand: String, footprint: Footprint, at point: LinearPoint, threads: Int
  ) {
    self.evaluator = evaluator
    self.operand = operand
    self.footprint = footprint
    self.threads = threads
    self.point = point
    direction = point.directions[operand] ?? []
    analytic = point.gradients[operand]?.elements ?? []
  }

  private var shape: Shape { point.operands[operand]?.shape ?? Shape() }

  /// J·u for u restricted to `elements`, flattened.
  private func response(_ elements: [Int]) throws -> [Double] {
    if let slices = evaluator.function.subject.slices,
      let change = try Evaluator.attempt({
        try slices.response(of: operand, elements, to: direction, point.operands)
      })
    {
      return change
    }
    let outputs = try evaluator.forward(
      point.operands.replacing(operand) { values in
        for element in elements { values[element] += direction[element] }
      })
    return zip(outputs, point.base).map { $0 - $1 }
  }

  /// Jᵀv along the direction restricted to `elements`, by the forward pass, one sum for each of them, in one evaluation.
  /// - Requires: the elements are all of one colour.
  func column(_ elements: [Int]) throws -> (derivatives: [Double], violation: String?) {
    let changes = try response(elements)
    let owners = OwnerMap(elements: elements, footprint: footprint, outputs: changes.count)
    var sums = [Double](repeating: 0, count: elements.count)
    var violation: String?
    for (output, owner) in owners.owner.enumerated() {
      let change = changes[output]
      if owner >= 0 {
        sums[Int(owner)] += point.cotangent[output] * change
      } else if change != 0, violation == nil {
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
    let changes = try response(elements)
    var forward = 0.0
    for output in changes.indices { forward += point.cotangent[output] * changes[output] }
    var backward = 0.0
    for element in elements { backward += analytic[element] * direction[element] }
    return forward - backward
  }

  /// Every derivative, one evaluation a colour.
  func allColumns(of classes: [[Int]]) throws -> NumericGradient {
    let busy = classes.filter { !$0.isEmpty }
    let results = try parallelMap(busy.count, threads: threads) { try column(busy[$0]) }
    var gradient = NumericGradient(elements: Array(repeating: nil, count: shape.count))
    for (elements, result) in zip(busy, results) {
      gradient.localityViolation = gradient.localityViolation ?? result.violation
      for (element, value) in zip(elements, result.derivatives) {
        gradient.elements[element] = NumericDerivative(
          value: value, truncation: 0, rounding: 0, scale: abs(value), step: 0, kind: .smooth)
      }
    }
    return gradient
  }

  /// The colours that hold a wrong element, by halving sets of colours until `limit` are found. Both halves are looked at
  /// at once.
  func guiltyClasses(_ classes: [[Int]], limit: Int) throws -> [Int] {
    var guilty: [Int] = []
    var pending = [classes.indices]
    while let range = pending.popLast(), guilty.count < limit {
      if range.count == 1 {
        guilty.append(range.lowerBound)
        continue
      }
      let middle = range.lowerBound + range.count / 2
      let halves = [range.lowerBound..<middle, middle..<range.upperBound]
      let mismatches = try parallelMap(halves.count, threads: threads) { half in
        try mismatch(halves[half].flatMap { classes[$0] })
      }
      for (half, mismatch) in zip(halves, mismatches).reversed() where mismatch != 0 {
        pending.append(half)
      }
    }
    return guilty
  }
}
