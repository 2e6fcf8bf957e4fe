import Foundation
import Operations
import Tensors

/// How much each output of a forward pass is blurred by rounding inside the function: what finite differences divide by
/// the step.
///
/// Seven evaluations along a random line, so closely spaced that every difference of order 4 to 6 of a smooth function is
/// far below its rounding, leave the rounding alone in those differences. The spacing is the finest of three at which most
/// outputs still change from point to point: a function that computes in single precision does not feel the finer ones.
///
/// - Source: Moré and Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011).
struct ForwardNoise: Sendable {
  /// A bound for the rounding of each flattened output: three standard deviations, and never less than the last rounding
  /// of a value of the outputs' usual size (a loss near 0 is a difference of larger numbers).
  let bounds: [Double]

  static let points = 7
  static let directions = 2
  /// Relative to each operand's scale.
  static let spacings = [0x1p-44, 0x1p-34, 0x1p-22]

  init(evaluator: Evaluator, seed: UInt64, threads: Int) throws {
    let count = evaluator.layout.count
    var variance = [Double](repeating: 0, count: count)
    for direction in 0..<Self.directions {
      for spacing in Self.spacings {
        let samples = try parallelMap(Self.points, threads: threads) { step in
          try evaluator.forward(
            Self.displaced(
              evaluator.function.point, by: Double(step) * spacing, seed: seed &+ UInt64(direction)))
        }
        guard Self.isFelt(samples) || spacing == Self.spacings.last else { continue }
        Self.add(samples, to: &variance)
        break
      }
    }
    let base = evaluator.base
    let deviations = variance.map { ($0 / Double(Self.directions)).squareRoot() }
    // With six samples an output can look quieter than it is; it is taken to be no quieter than the median one.
    let typical = (base.reduce(0) { $0 + $1 * $1 } / Double(count)).squareRoot()
    let relative = zip(deviations, base).map { $0 / (abs($1) + typical + .leastNormalMagnitude) }.sorted()
    let median = relative[count / 2]
    bounds = zip(deviations, base).map { deviation, value in
      3 * max(deviation, median * (abs(value) + typical)) + Double.unitRoundoff * (abs(value) + typical)
    }
  }

  /// Whether most steps changed most of the outputs that change at all.
  private static func isFelt(_ samples: [[Double]]) -> Bool {
    var (changes, steps) = (0, 0)
    for output in samples[0].indices {
      let values = samples.map { $0[output] }
      let changed = zip(values, values.dropFirst()).count { $0 != $1 }
      if changed > 0 { steps += values.count - 1 }
      changes += changed
    }
    return steps > 0 && 2 * changes > steps
  }

  private static func displaced(_ point: NamedTensors, by spacing: Double, seed: UInt64) -> NamedTensors {
    var displaced = point
    for (position, name) in point.keys.sorted().enumerated() {
      guard let tensor = point[name] else { continue }
      let step = spacing * StepLadder.scale(of: tensor.elements)
      var random = SplitMix64(seed: SplitMix64.mix(seed) &+ UInt64(position))
      displaced[name] = tensor.map { value in
        let direction = (random.next() & 1 == 0 ? 1.0 : -1.0) * (1 + random.nextUniform())
        return value + step * direction
      }
    }
    return displaced
  }

  /// Adds the largest of the variance estimates of order 4 to 6 to each output's.
  private static func add(_ samples: [[Double]], to variance: inout [Double]) {
    for output in variance.indices {
      var differences = samples.map { $0[output] }
      var largest = 0.0
      for order in 1..<points {
        for index in 0..<differences.count - 1 { differences[index] = differences[index + 1] - differences[index] }
        differences.removeLast()
        guard order >= 4 else { continue }
        let square = differences.reduce(0) { $0 + $1 * $1 } / Double(differences.count)
        largest = max(largest, square * binomialScale[order])
      }
      if largest.isFinite { variance[output] += largest }
    }
  }

  /// (k!)² / (2k)!: a k-th difference of independent errors has that much more variance than one of them.
  private static let binomialScale: [Double] = (0..<points).map { order in
    exp(2 * lgamma(Double(order) + 1) - lgamma(2 * Double(order) + 1))
  }
}
