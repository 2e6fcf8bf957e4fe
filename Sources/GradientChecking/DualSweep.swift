import Operations
import Problems
import Tensors

/// Derivatives by dual numbers through the generic forward: eight colours a pass, no step, and nothing in common with the
/// hand-written backward.
///
/// What rounding leaves in them is measured: two more sweeps with every operand displaced by an ulp or none. A value is displaced
/// by a hash of its own bits, so that ties stay ties and the same branches are taken. An element fails only if it fails again with
/// sixteen sweeps.
struct DualSweep: Sendable {
  let evaluator: Evaluator
  let operand: String
  let footprint: Footprint
  let cotangent: [Double]
  let threads: Int
  /// Sweeps at displaced operands.
  var displacements = Self.displacements

  static let displacements = 2
  /// Where an element fails: two sweeps of few operations may round alike by chance, sixteen do not.
  static let closeDisplacements = 16
  /// How many times the largest observed change is allowed for.
  static let safety = 8.0

  /// Every element.
  /// - Returns: `nil` when the function has no generic forward.
  func all() throws -> NumericGradient? {
    guard let tensor = evaluator.function.point[operand] else { return nil }
    return try run(on: footprint.elements(count: tensor.count).filter { !$0.isEmpty }, of: tensor)
  }

  /// The elements named alone.
  func some(_ elements: [Int]) throws -> NumericGradient? {
    guard let tensor = evaluator.function.point[operand] else { return nil }
    var classes: [Int: [Int]] = [:]
    for element in elements { classes[footprint.colour(element), default: []].append(element) }
    return try run(on: classes.sorted { $0.key < $1.key }.map(\.value), of: tensor)
  }

  private func run(on classes: [[Int]], of tensor: Tensor<Double>) throws -> NumericGradient? {
    guard evaluator.function.subject.generic != nil else { return nil }
    let lanes = Dual<Double>.directionCount
    let passes = (classes.count + lanes - 1) / lanes
    let points =
      [evaluator.function.point] + (0..<displacements).map { displaced(seed: UInt64($0)) }
    let results = try parallelMap(passes, threads: threads) { pass in
      try column(of: Array(classes[pass * lanes..<min(classes.count, (pass + 1) * lanes)]), points: points)
    }
    var gradient = NumericGradient(elements: Array(repeating: nil, count: tensor.count))
    for result in results {
      for (element, derivative) in result.derivatives { gradient.elements[element] = derivative }
      gradient.localityViolation = gradient.localityViolation ?? result.violation
    }
    return gradient
  }

  private struct Column: Sendable {
    var derivatives: [(Int, NumericDerivative)] = []
    var violation: String?
  }

  private func column(of classes: [[Int]], points: [NamedTensors]) throws -> Column {
    let owners = classes.map { OwnerMap(elements: $0, footprint: footprint, outputs: evaluator.layout.count) }
    var column = Column()
    // One array for all lanes: lane l's elements begin at starts[l].
    var starts = [0]
    for elements in classes { starts.append(starts[starts.count - 1] + elements.count) }
    var sums: [[Sum]] = []
    for (number, point) in points.enumerated() {
      var operands = point.mapValues { $0.map(Dual<Double>.init(constant:)) }
      seed(&operands, classes: classes)
      guard let outputs = try evaluator.dual(operands, seeded: operand, classes.flatMap { $0 }) else { return column }
      var these = [Sum](repeating: Sum(), count: starts[classes.count])
      for (lane, map) in owners.enumerated() {
        let start = starts[lane]
        for (output, owner) in map.owner.enumerated() {
          let tangent = outputs[output].tangent[lane]
          if owner >= 0 {
            these[start + Int(owner)].add(cotangent[output] * tangent)
          } else if tangent != 0, number == 0, column.violation == nil {
            column.violation = violation(output: output, elements: classes[lane])
          }
        }
      }
      sums.append(these)
    }
    for (position, element) in classes.joined().enumerated() {
      column.derivatives.append((element, derivative(sums.map { $0[position] })))
    }
    return column
  }

  private struct Sum: Sendable {
    var value = CompensatedSum()
    var scale = 0.0
    mutating func add(_ term: Double) {
      value.add(term)
      scale += abs(term)
    }
  }

  private func derivative(_ sums: [Sum]) -> NumericDerivative {
    let value = sums[0].value.value
    guard value.isFinite else { return .undetermined("the dual derivative is \(value)") }
    let spread = sums.dropFirst().reduce(0) { max($0, abs($1.value.value - value)) }
    return NumericDerivative(
      value: value, truncation: 0, rounding: Self.safety * spread + 4 * Double.unitRoundoff * sums[0].scale,
      scale: sums[0].scale, step: 0, kind: .smooth)
  }

  private func seed(_ operands: inout [String: Tensor<Dual<Double>>], classes: [[Int]]) {
    guard var tensor = operands.removeValue(forKey: operand) else { return }
    for (lane, elements) in classes.enumerated() {
      for element in elements { tensor.elements[element].tangent[lane] = 1 }
    }
    operands[operand] = tensor
  }

  private func displaced(seed: UInt64) -> NamedTensors {
    evaluator.function.point.mapValues { $0.map { Self.displaced($0, seed: seed) } }
  }

  /// The value, or one of its neighbours; zero stays zero, as it may be a kink.
  static func displaced(_ value: Double, seed: UInt64) -> Double {
    guard value != 0 else { return value }
    // Whole numbers may be meant to be exact (counts, class weights of one); they are displaced all the same, as
    // rounding does not spare them once they have been used.
    return switch SplitMix64.mix(value.bitPattern &+ seed) % 3 {
    case 0: value.nextUp
    case 1: value.nextDown
    default: value
    }
  }

  private func violation(output: Int, elements: [Int]) -> String {
    let shape = evaluator.function.point[operand]?.shape ?? Shape()
    let first = elements.first.map { "\(operand)\(shape.index(ofOffset: $0))" } ?? operand
    return "LOCALITY: \(evaluator.layout.label(output)) depends on \(first) or an element of its colour, "
      + "which should not reach it"
  }
}
