import Results
import Tensors

/// Second derivatives: dual numbers through the generic backward give H·b for the Hessian H of vᵀf, and aᵀ(Hb) = bᵀ(Ha)
/// for every pair of directions, because H is symmetric. A backward whose values are right at one point only by accident,
/// or that treats something as constant which is not, breaks the symmetry.
struct SecondOrder: Sendable {
  let evaluator: Evaluator
  let cotangent: [Double]

  static let safety = 8.0
  static let displacements = 3
  /// H is linear in the cotangent, and H·b in b. Multiples of both round otherwise, and so show what is left where terms cancel
  /// (a saturated softmax), which a displaced operand may not: an ulp of 10³⁸ is too large a step for that, and what a
  /// direction loses when it meets the first constants is the same at every point.
  static let multiples = [3.0, 7.0]

  /// - Returns: `nil` when the function has no generic backward.
  func run(seed: UInt64) throws -> GradientContractRecord? {
    guard let generic = evaluator.function.subject.generic else { return nil }
    let name = "aᵀHb = bᵀHa over \(Dual<Double>.directionCount) directions"
    let point = evaluator.function.point
    let products = try products(generic, at: point, seed: seed)
    // One figure for all pairs: they are random directions over the same operands, and three runs of one pair can agree
    // by accident.
    var spread = 0.0
    let displaced = (0..<Self.displacements).map { number in
      point.mapValues { $0.map { DualSweep.displaced($0, seed: UInt64(number)) } }
    }
    let runs =
      try displaced.map { try self.products(generic, at: $0, seed: seed) }
      + Self.multiples.map { try self.products(generic, at: point, multiple: $0, seed: seed) }
      + Self.multiples.map { try self.products(generic, at: point, stretch: $0, seed: seed) }
    for others in runs {
      for a in products.indices {
        for b in products.indices { spread = max(spread, abs(others[a][b].value - products[a][b].value)) }
      }
    }
    for a in products.indices {
      for b in 0..<a {
        let difference = abs(products[a][b].value - products[b][a].value)
        let scale = products[a][b].scale + products[b][a].scale
        let bound = 2 * Self.safety * spread + 16 * Double.unitRoundoff * scale
        guard difference <= bound else {
          return GradientContractRecord(
            name: name, verdict: .fail,
            detail: "directions \(a) and \(b): \(products[a][b].value) against \(products[b][a].value), bound \(bound)")
        }
      }
    }
    return GradientContractRecord(name: name, verdict: .pass)
  }

  private struct Product: Sendable {
    var value = 0.0
    var scale = 0.0
  }

  /// aᵀ(H·b) for all pairs of the eight directions.
  /// - Parameters:
  ///   - function: the backward pass, in any scalar.
  ///   - point: where H is taken.
  ///   - multiple: of the cotangent, divided by again.
  ///   - stretch: of each b, divided by again.
  ///   - seed: of the directions.
  private func products(
    _ function: any GenericFunction, at point: NamedTensors, multiple: Double = 1, stretch: Double = 1, seed: UInt64
  ) throws -> [[Product]] {
    let checked = evaluator.function.checked
    let directions = checked.enumerated().map { position, operand in
      (0..<Dual<Double>.directionCount).map { lane in
        ProjectionDirection(
          operand: operand, range: 0..<(point[operand]?.count ?? 0),
          seed: SplitMix64.mix(seed &+ UInt64(position * Dual<Double>.directionCount + lane)))
      }
    }
    var operands = point.mapValues { $0.map(Dual<Double>.init(constant:)) }
    for (position, operand) in checked.enumerated() {
      guard var tensor = operands.removeValue(forKey: operand) else { continue }
      for element in 0..<tensor.count {
        for (lane, direction) in directions[position].enumerated() {
          tensor.elements[element].tangent[lane] = stretch * direction.weight(element)
        }
      }
      operands[operand] = tensor
    }
    let upstream = evaluator.layout.unflatten(cotangent.map { Dual<Double>(constant: multiple * $0) })
    let gradients = try Evaluator.attempt { try function.backward(operands, upstream) }
    var products = [[Product]](
      repeating: Array(repeating: Product(), count: Dual<Double>.directionCount), count: Dual<Double>.directionCount)
    for a in products.indices {
      for b in products.indices {
        var sum = CompensatedSum()
        for (position, operand) in checked.enumerated() {
          for (element, gradient) in (gradients[operand]?.elements ?? []).enumerated() {
            let term = directions[position][a].weight(element) * gradient.tangent[b]
            sum.add(term)
            products[a][b].scale += abs(term) / (multiple * stretch)
          }
        }
        products[a][b].value = sum.value / (multiple * stretch)
      }
    }
    return products
  }
}
