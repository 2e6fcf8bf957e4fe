import Operations
import Problems
import Tensors

/// Finite differences of every element of one operand, a colour at a time.
struct DifferenceSweep: Sendable {
  let evaluator: Evaluator
  let operand: String
  let footprint: Footprint
  /// Flattened cotangent.
  let cotangent: [Double]
  let noise: ForwardNoise
  let threads: Int

  /// Levels of the first ladder; the second one goes deeper, to get below kinks that are near.
  static let firstLevels = 4
  static let secondLevels = 18

  private var tensor: Tensor<Double>? { evaluator.function.point[operand] }

  /// Every element on the first ladder, whose steps start at 2⁻⁵ of the operand's scale.
  func all() throws -> NumericGradient {
    guard let tensor else { return NumericGradient(elements: []) }
    let ladder = StepLadder(first: 0x1p-5 * StepLadder.scale(of: tensor.elements), levels: Self.firstLevels)
    return try run(on: footprint.elements(count: tensor.count), ladder: ladder, count: tensor.count)
  }

  /// The elements named, on a longer ladder that shares no step with the first.
  /// - Parameter scale: what steps are relative to; the operand's own scale when left out.
  func again(_ elements: [Int], scale: Double? = nil) throws -> NumericGradient {
    guard let tensor else { return NumericGradient(elements: []) }
    let scale = scale ?? StepLadder.scale(of: tensor.elements)
    let ladder = StepLadder(first: 1.5 * 0x1p-5 * scale, levels: Self.secondLevels)
    var classes: [Int: [Int]] = [:]
    for element in elements { classes[footprint.colour(element), default: []].append(element) }
    return try run(on: classes.sorted { $0.key < $1.key }.map(\.value), ladder: ladder, count: tensor.count)
  }

  private func run(on classes: [[Int]], ladder: StepLadder, count: Int) throws -> NumericGradient {
    let busy = classes.filter { !$0.isEmpty }
    let results = try parallelMap(busy.count, threads: threads) { try column(of: busy[$0], ladder: ladder) }
    var gradient = NumericGradient(elements: Array(repeating: nil, count: count))
    for (elements, result) in zip(busy, results) {
      for (element, derivative) in zip(elements, result.derivatives) { gradient.elements[element] = derivative }
      gradient.localityViolation = gradient.localityViolation ?? result.violation
    }
    return gradient
  }

  private struct Column: Sendable {
    var derivatives: [NumericDerivative]
    var violation: String?
  }

  private func column(of elements: [Int], ladder: StepLadder) throws -> Column {
    let owners = OwnerMap(elements: elements, footprint: footprint, outputs: evaluator.layout.count)
    var column = Column(derivatives: [])
    var levels = [[StepLadder.Level]](repeating: [], count: elements.count)
    for step in ladder.steps {
      let above = try evaluator.forward(displaced(elements, by: step))
      let below = try evaluator.forward(displaced(elements, by: -step))
      if column.violation == nil { column.violation = violation(above, owners: owners, elements: elements) }
      let sums = sums(above: above, below: below, step: step, owners: owners, elements: elements)
      for position in elements.indices { levels[position].append(sums[position]) }
    }
    let blur = blur(owners: owners, count: elements.count)
    column.derivatives = elements.indices.map { ladder.derivative(from: levels[$0], noise: blur[$0]) }
    return column
  }

  private func displaced(_ elements: [Int], by step: Double) -> NamedTensors {
    evaluator.function.point.replacing(operand) { values in for element in elements { values[element] += step } }
  }

  private func sums(
    above: [Double], below: [Double], step: Double, owners: OwnerMap, elements: [Int]
  ) -> [StepLadder.Level] {
    var sums = elements.map { element in
      var level = StepLadder.Level()
      let value = tensor?.elements[element] ?? 0
      level.stepError = (abs((value + step) - value - step) + abs(value - (value - step) - step)) / step
      return level
    }
    let base = evaluator.base
    for output in above.indices {
      let position = Int(owners.owner[output])
      guard position >= 0 else { continue }
      let (up, down) = (above[output], below[output])
      guard up.isFinite, down.isFinite else {
        sums[position].isFinite = false
        continue
      }
      let v = cotangent[output]
      let central = v * (up - down) / (2 * step)
      let right = v * (up - base[output]) / step
      let left = v * (base[output] - down) / step
      sums[position].derivative.add(central)
      sums[position].scale += abs(central)
      sums[position].secondDifference += abs(v * ((up - base[output]) - (base[output] - down)))
      sums[position].low.add(min(left, right))
      sums[position].high.add(max(left, right))
    }
    return sums
  }

  /// Σ|vᵢ|·ρᵢ over the outputs that each element reaches.
  private func blur(owners: OwnerMap, count: Int) -> [Double] {
    var blur = [Double](repeating: 0, count: count)
    for (output, owner) in owners.owner.enumerated() where owner >= 0 {
      blur[Int(owner)] += abs(cotangent[output]) * noise.bounds[output]
    }
    return blur
  }

  private func violation(_ outputs: [Double], owners: OwnerMap, elements: [Int]) -> String? {
    guard
      let output = outputs.indices.first(where: {
        owners.owner[$0] < 0 && outputs[$0].bitPattern != evaluator.base[$0].bitPattern
      })
    else { return nil }
    return locality(output: output, elements: elements)
  }

  private func locality(output: Int, elements: [Int]) -> String {
    let shape = tensor?.shape ?? Shape()
    let first = elements.first.map { "\(operand)\(shape.index(ofOffset: $0))" } ?? operand
    let others = elements.count > 1 ? " and \(elements.count - 1) more elements of its colour" : ""
    return
      "LOCALITY: perturbing \(first)\(others) changed \(evaluator.layout.label(output)), which none of them reaches"
  }
}
