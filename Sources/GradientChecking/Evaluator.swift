import Results
import Synchronization
import Tensors

/// Runs a function under test: validates what goes in and what comes out, flattens outputs, counts evaluations.
final class Evaluator: Sendable {
  let function: CheckedFunction
  let layout: OutputLayout
  /// The outputs at the point, flattened.
  let base: [Double]
  /// Outputs that no element of any operand reaches and that are not finite, such as the maximum of a window of padding alone: they
  /// have no derivative, and 0 stands for them as long as they stay the same.
  private let constants: [Int: Double]
  /// Directional derivatives of a network, layer by layer, in place of one pass over dual operands.
  private let tangents: NetworkTangent?
  private let counted = Mutex(GradientCost())
  private let stop: StopFlag?

  /// - Throws: ``GradientCheckError`` for operands or outputs that cannot be checked, or a forward pass that does not
  ///   repeat itself or changes its operands.
  init(_ function: CheckedFunction, stop: StopFlag? = nil) throws(GradientCheckError) {
    self.function = function
    self.stop = stop
    guard !function.checked.isEmpty else { throw .emptyTensor("the list of checked operands") }
    for name in function.checked {
      guard let tensor = function.point[name] else {
        throw .wrongGradients(expected: function.point.keys.sorted(), found: [name])
      }
      guard tensor.count > 0 else { throw .emptyTensor("\(name) (\(tensor.shape))") }
    }
    for (name, tensor) in function.point.sorted(by: { $0.key < $1.key }) {
      try Self.requireFinite(tensor, name)
    }
    let kept = function.point.mapValues { tensor in Tensor(shape: tensor.shape, elements: tensor.elements.map { $0 }) }
    try stop?.check()
    tangents = try function.subject.network.map { network throws(GradientCheckError) in
      try Self.attempt { try NetworkTangent(network, at: function.point) }
    }
    let first = try Self.attempt { try function.subject.forward(function.point) }
    layout = OutputLayout(of: first)
    guard layout.count > 0 else { throw .emptyTensor("outputs (\(layout.description))") }
    let values = try layout.flatten(first)
    let constants = Self.constants(values, of: function)
    if let position = values.indices.first(where: { !values[$0].isFinite && constants[$0] == nil }) {
      throw .nonFinite("\(layout.label(position)) is \(values[position])")
    }
    self.constants = constants
    let second = try layout.flatten(Self.attempt { try function.subject.forward(function.point) })
    base = Self.zeroing(constants, in: values)
    if let position = values.indices.first(where: { values[$0].bitPattern != second[$0].bitPattern }) {
      throw .nondeterministic(
        "forward gave \(values[position]) and then \(second[position]) in \(layout.label(position)) for the same operands"
      )
    }
    try Self.requireUnchanged(function.point, kept)
    counted.withLock { $0.forward = 2 }
  }

  var cost: GradientCost {
    var cost = counted.withLock { $0 }
    cost.torchForward = 2 * function.checked.reduce(0) { $0 + (function.point[$1]?.count ?? 0) }
    // The analytic Jacobian is computed twice, to see whether the backward pass repeats itself.
    cost.torchBackward = 2 * layout.count
    return cost
  }

  func forward(_ operands: NamedTensors) throws(GradientCheckError) -> [Double] {
    try stop?.check()
    counted.withLock { $0.forward += 1 }
    return Self.zeroing(constants, in: try layout.flatten(Self.attempt { try function.subject.forward(operands) }))
  }

  private static func zeroing(_ constants: [Int: Double], in outputs: [Double]) -> [Double] {
    var outputs = outputs
    for (position, value) in constants where outputs[position].bitPattern == value.bitPattern { outputs[position] = 0 }
    return outputs
  }

  private static func constants(_ outputs: [Double], of function: CheckedFunction) -> [Int: Double] {
    var open = Set(outputs.indices.filter { !outputs[$0].isFinite })
    guard !open.isEmpty else { return [:] }
    for (name, tensor) in function.point {
      guard let footprint = function.subject.footprints[name] else { return [:] }
      for element in 0..<tensor.count { footprint.forEachOutput(element) { open.remove($0) } }
    }
    return Dictionary(uniqueKeysWithValues: open.map { ($0, outputs[$0]) })
  }

  /// The gradients of the checked operands, with their shapes verified; values may still be anything.
  func backward(_ operands: NamedTensors, _ upstream: [Double]) throws(GradientCheckError) -> NamedTensors {
    try stop?.check()
    counted.withLock { $0.backward += 1 }
    let cotangents = layout.unflatten(upstream)
    let gradients = try Self.attempt { try function.backward(operands, cotangents) }
    for name in function.checked {
      guard let gradient = gradients[name] else {
        throw .wrongGradients(expected: function.checked, found: gradients.keys.sorted())
      }
      guard let operand = operands[name], operand.shape == gradient.shape else {
        throw .shapeMismatch(
          tensor: "gradient of \(name)", expected: operands[name]?.shape ?? Shape(), found: gradient.shape)
      }
    }
    if let unknown = gradients.keys.sorted().first(where: { operands[$0] == nil }) {
      throw .wrongGradients(expected: function.checked, found: [unknown])
    }
    return gradients
  }

  func dual(_ operands: [String: Tensor<Dual<Double>>]) throws(GradientCheckError) -> [Dual<Double>]? {
    try stop?.check()
    guard let generic = function.subject.generic else { return nil }
    counted.withLock { $0.dual += 1 }
    return try layout.flatten(Self.attempt { try generic.forward(operands) })
  }

  /// The dual outputs under a seed of these elements of one operand.
  func dual(
    _ operands: [String: Tensor<Dual<Double>>], seeded operand: String, _ elements: [Int]
  ) throws(GradientCheckError) -> [Dual<Double>]? {
    try stop?.check()
    if let slices = function.subject.slices,
      let outputs = try Self.attempt({ try slices.response(of: operand, elements, operands) })
    {
      counted.withLock { $0.dual += 1 }
      return outputs
    }
    return try dual(operands)
  }

  /// The outputs' tangents along up to eight directions, flattened.
  func tangents(
    at point: NamedTensors, along directions: [ProjectionDirection]
  ) throws(GradientCheckError) -> [SIMD8<Double>]? {
    try stop?.check()
    if let tangents {
      counted.withLock { $0.dual += 1 }
      let outputs = try Self.attempt { try tangents.outputs(at: point, along: directions, stop: stop) }
      return try layout.flatten(outputs).map(\.tangent)
    }
    var operands = point.mapValues { $0.map(Dual<Double>.init(constant:)) }
    for (lane, direction) in directions.enumerated() {
      guard var tensor = operands.removeValue(forKey: direction.operand) else { continue }
      direction.seed(&tensor, lane: lane)
      operands[direction.operand] = tensor
    }
    return try dual(operands)?.map(\.tangent)
  }

  static func attempt<Result>(_ body: () throws -> Result) throws(GradientCheckError) -> Result {
    do { return try body() } catch let error as GradientCheckError { throw error } catch {
      throw .evaluationFailed("\(error)")
    }
  }

  static func requireFinite(_ tensor: Tensor<Double>, _ name: String) throws(GradientCheckError) {
    guard let position = tensor.elements.firstIndex(where: { !$0.isFinite }) else { return }
    throw .nonFinite("\(name)\(tensor.shape.index(ofOffset: position)) is \(tensor.elements[position])")
  }

  static func requireUnchanged(_ now: NamedTensors, _ before: NamedTensors) throws(GradientCheckError) {
    for (name, tensor) in before.sorted(by: { $0.key < $1.key }) {
      guard let current = now[name]?.elements,
        zip(current, tensor.elements).allSatisfy({ $0.bitPattern == $1.bitPattern })
      else { throw .mutatedInput(name) }
    }
  }
}

extension [String: Tensor<Double>] {
  /// The same with one operand's elements replaced.
  func replacing(_ name: String, _ change: (inout [Double]) -> Void) -> Self {
    var copy = self
    if var tensor = copy.removeValue(forKey: name) {
      change(&tensor.elements)
      copy[name] = tensor
    }
    return copy
  }
}
