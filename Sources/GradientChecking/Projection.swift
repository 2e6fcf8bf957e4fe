import Operations
import Results
import Tensors

/// A random direction over a range of one operand's elements: u_j = ±(1 + U(0,1)), which no single wrong element can hide in.
struct ProjectionDirection: Sendable {
  var operand: String
  /// Positions among the samples, or among all elements.
  var range: Range<Int>
  var seed: UInt64
  /// The elements whose gradients are known, where that is not all.
  var samples: [Int]?

  /// The elements along which the direction is not zero.
  var elements: some Sequence<Int> { range.lazy.map { samples?[$0] ?? $0 } }

  /// Element j's weight, computed without the ones before it, so that halves of a direction are parts of the whole.
  func weight(_ element: Int) -> Double {
    let bits = SplitMix64.mix(seed &+ UInt64(element) &* 0x9E37_79B9_7F4A_7C15)
    let size = 1 + Double(bits >> 11) * 0x1p-53
    return bits & 1 == 0 ? size : -size
  }
}

extension ProjectionDirection {
  /// Puts the direction into one lane of the tangents.
  func seed(_ tensor: inout Tensor<Dual<Double>>, lane: Int) {
    for element in elements { tensor.elements[element].tangent[lane] = weight(element) }
  }
}

/// Directional derivatives for functions with more elements than can be looked at one by one, and the search for the
/// element at fault where one disagrees.
struct Projection: Sendable {
  let evaluator: Evaluator
  let cotangent: [Double]
  let gradients: NamedTensors
  let rounding: AnalyticRounding
  let threads: Int
  /// `nil`: dual numbers.
  let noise: ForwardNoise?
  /// Where dual numbers are taken: at the point, and once displaced, which is enough since the sum over a whole tensor
  /// averages over its elements.
  private let points: [NamedTensors]

  init(
    evaluator: Evaluator, cotangent: [Double], gradients: NamedTensors, rounding: AnalyticRounding, threads: Int,
    noise: ForwardNoise?
  ) {
    self.evaluator = evaluator
    self.cotangent = cotangent
    self.gradients = gradients
    self.rounding = rounding
    self.threads = threads
    self.noise = noise
    let point = evaluator.function.point
    points = noise == nil ? [point, point.mapValues { $0.map { DualSweep.displaced($0, seed: 0) } }] : []
  }

  /// Directions tried where the first one disagrees.
  static let directions = 6
  /// Elements that a search names at most.
  static let elementLimit = 8

  var method: GradientMethod { noise == nil ? .dualProjection : .projection }

  /// One verdict for each operand; eight operands share a pass of duals.
  /// - Parameter searching: where one disagrees, look for the elements at fault.
  func run(_ operands: [String], seed: UInt64, searching: Bool = true) throws -> [GradientTensorRecord] {
    let whole = operands.enumerated().map { position, operand in
      let samples = evaluator.function.samples(of: operand)
      return ProjectionDirection(
        operand: operand, range: 0..<(samples?.count ?? gradients[operand]?.count ?? 0),
        seed: SplitMix64.mix(seed &+ UInt64(position)), samples: samples)
    }
    let numeric = try derivatives(whole)
    return try zip(whole, numeric).map { direction, derivative in
      try record(direction, derivative, searching: searching)
    }
  }

  private func record(
    _ direction: ProjectionDirection, _ derivative: NumericDerivative, searching: Bool
  ) throws -> GradientTensorRecord {
    let shape = gradients[direction.operand]?.shape ?? Shape()
    var record = GradientTensorRecord(
      tensor: direction.operand, shape: shape.dimensions, method: method, elementCount: direction.range.count)
    let (analytic, bound) = projected(direction, scale: derivative.scale)
    record.worstResolution = derivative.scale > 0 ? derivative.bound / derivative.scale : 0
    record.medianResolution = record.worstResolution
    if case .undetermined(let reason) = derivative.kind {
      record.verdict = .inconclusive
      record.reason = reason
      return record
    }
    let difference = abs(analytic - derivative.value)
    record.worstRatio = difference == 0 ? 0 : difference / (bound + derivative.bound)
    guard !(difference <= bound + derivative.bound) else { return record }
    guard searching else {
      record.verdict = .fail
      record.reason =
        "its direction disagrees: analytic \(analytic), numeric \(derivative.value), "
        + "bound \(bound + derivative.bound)"
      return record
    }
    return try search(direction, record, first: (analytic, derivative, bound))
  }

  /// Six directions, so that the report can say how sure it is, and then halving.
  private func search(
    _ direction: ProjectionDirection, _ record: GradientTensorRecord,
    first: (analytic: Double, numeric: NumericDerivative, bound: Double)
  ) throws -> GradientTensorRecord {
    var record = record
    record.verdict = .fail
    let others = (1..<Self.directions).map { number in
      var other = direction
      other.seed = SplitMix64.mix(direction.seed &+ UInt64(number))
      return other
    }
    let disagreeing = try 1 + zip(others, derivatives(others)).filter { disagrees($0, $1) }.count
    record.reason =
      "\(disagreeing) of \(Self.directions) directions disagree; the first: analytic \(first.analytic), "
      + "numeric \(first.numeric.value), bound \(first.bound + first.numeric.bound)"
    let elements = try guilty(direction)
    record.failedCount = elements.count
    record.badElements = elements
    record.worstElement = elements.first
    if let only = elements.first, elements.count == 1 {
      record.pattern = "the single element \(only.index)"
    } else {
      record.pattern = "at least \(elements.count) elements"
    }
    return record
  }

  private func disagrees(_ direction: ProjectionDirection, _ derivative: NumericDerivative) -> Bool {
    let (analytic, bound) = projected(direction, scale: derivative.scale)
    return !(abs(analytic - derivative.value) <= bound + derivative.bound)
  }

  /// Elements at fault: ranges are cut in eight (as many as a pass of duals carries) while they disagree.
  private func guilty(_ direction: ProjectionDirection) throws -> [GradientElementRecord] {
    var found: [GradientElementRecord] = []
    var pending = [direction.range]
    while let range = pending.popLast(), found.count < Self.elementLimit {
      let parts = Self.parts(of: range).map { part in
        var smaller = direction
        smaller.range = part
        return smaller
      }
      for (part, derivative) in try zip(parts, derivatives(parts)).reversed() where disagrees(part, derivative) {
        if part.range.count > 1 {
          pending.append(part.range)
        } else if found.count < Self.elementLimit {
          found.append(element(part, derivative))
        }
      }
    }
    return found
  }

  private static func parts(of range: Range<Int>) -> [Range<Int>] {
    let count = min(Dual<Double>.directionCount, range.count)
    return (0..<count).map { part in
      range.lowerBound + range.count * part / count..<range.lowerBound + range.count * (part + 1) / count
    }
  }

  private func element(_ direction: ProjectionDirection, _ derivative: NumericDerivative) -> GradientElementRecord {
    let element = direction.elements.first { _ in true } ?? 0
    let weight = abs(direction.weight(element))
    let tensor = gradients[direction.operand]
    return GradientElementRecord(
      tensor: direction.operand, index: tensor?.shape.index(ofOffset: element) ?? [],
      analytic: tensor?.elements[element] ?? .nan, numeric: derivative.value / direction.weight(element),
      truncation: derivative.truncation / weight, rounding: derivative.rounding / weight,
      analyticRounding: rounding.bound(direction.operand, element: element, scale: derivative.scale / weight),
      step: derivative.step, verdict: .fail, reason: nil)
  }

  /// gᵀu and its bound.
  private func projected(_ direction: ProjectionDirection, scale: Double) -> (value: Double, bound: Double) {
    guard let gradient = gradients[direction.operand] else { return (.nan, 0) }
    var sum = CompensatedSum()
    var bound = 4 * Double.unitRoundoff * scale
    for element in direction.elements {
      let weight = direction.weight(element)
      let term = gradient.elements[element] * weight
      sum.add(term)
      bound +=
        abs(weight) * rounding.bound(direction.operand, element: element, scale: 0)
        + 2 * Double.unitRoundoff * abs(term)
    }
    return (sum.value, bound + rounding.relative * scale)
  }

  private func derivatives(_ directions: [ProjectionDirection]) throws -> [NumericDerivative] {
    guard let noise else { return try dualDerivatives(directions) }
    return try parallelMap(directions.count, threads: threads) { try difference(directions[$0], noise: noise) }
  }

  // MARK: Dual numbers

  private func dualDerivatives(_ directions: [ProjectionDirection]) throws -> [NumericDerivative] {
    let lanes = Dual<Double>.directionCount
    let passes = (directions.count + lanes - 1) / lanes
    let chunks = (0..<passes).map { Array(directions[$0 * lanes..<min(directions.count, ($0 + 1) * lanes)]) }
    return try parallelMap(passes, threads: threads) { try dualPass(chunks[$0]) }.flatMap { $0 }
  }

  private func dualPass(_ directions: [ProjectionDirection]) throws -> [NumericDerivative] {
    var values: [[Double]] = []
    var scales = [Double](repeating: 0, count: directions.count)
    for (number, point) in points.enumerated() {
      guard let tangents = try evaluator.tangents(at: point, along: directions) else {
        return directions.map { _ in .undetermined("no duals") }
      }
      values.append(
        directions.indices.map { lane in
          var sum = CompensatedSum()
          var scale = 0.0
          for (v, tangent) in zip(cotangent, tangents) {
            sum.add(v * tangent[lane])
            scale += abs(v * tangent[lane])
          }
          if number == 0 { scales[lane] = scale }
          return sum.value
        })
    }
    return directions.indices.map { lane in
      guard values[0][lane].isFinite else { return .undetermined("the dual derivative is \(values[0][lane])") }
      return NumericDerivative(
        value: values[0][lane], truncation: 0,
        rounding: DualSweep.safety * abs(values[1][lane] - values[0][lane]) + 8 * Double.unitRoundoff * scales[lane],
        scale: scales[lane], step: 0, kind: .smooth)
    }
  }

  // MARK: Finite differences

  private func difference(_ direction: ProjectionDirection, noise: ForwardNoise) throws -> NumericDerivative {
    let values = evaluator.function.point[direction.operand]?.elements ?? []
    let scale = StepLadder.scale(of: values)
    let first = try difference(direction, noise: noise, ladder: StepLadder(first: 0x1p-6 * scale, levels: 6))
    if case .smooth = first.kind, !disagrees(direction, first) { return first }
    // As with single elements: a direction fails only if it fails again, and gets a deeper ladder to do so.
    return try difference(direction, noise: noise, ladder: StepLadder(first: 1.5 * 0x1p-8 * scale, levels: 14))
  }

  private func difference(
    _ direction: ProjectionDirection, noise: ForwardNoise, ladder: StepLadder
  ) throws -> NumericDerivative {
    let levels = try ladder.steps.map { step in
      let above = try evaluator.forward(displaced(direction, by: step))
      let below = try evaluator.forward(displaced(direction, by: -step))
      return level(above: above, below: below, step: step)
    }
    let blur = zip(cotangent, noise.bounds).reduce(0) { $0 + abs($1.0) * $1.1 }
    return ladder.derivative(from: levels, noise: blur)
  }

  private func displaced(_ direction: ProjectionDirection, by step: Double) -> NamedTensors {
    evaluator.function.point.replacing(direction.operand) { values in
      for element in direction.elements { values[element] += step * direction.weight(element) }
    }
  }

  private func level(above: [Double], below: [Double], step: Double) -> StepLadder.Level {
    var level = StepLadder.Level()
    // Steps are no longer dyadic: each element's is off by an ulp of the element, which the function sees as noise of
    // its operands, and which is as large relative to the step.
    level.stepError = Double.unitRoundoff / step
    for (output, v) in cotangent.enumerated() {
      let (up, middle, down) = (above[output], evaluator.base[output], below[output])
      guard up.isFinite, down.isFinite else {
        level.isFinite = false
        continue
      }
      let central = v * (up - down) / (2 * step)
      let (right, left) = (v * (up - middle) / step, v * (middle - down) / step)
      level.derivative.add(central)
      level.scale += abs(central)
      level.secondDifference += abs(v * ((up - middle) - (middle - down)))
      level.low.add(min(left, right))
      level.high.add(max(left, right))
    }
    return level
  }
}
