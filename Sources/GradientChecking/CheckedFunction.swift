import Engines
import Operations
import Problems
import Tensors

/// A function at a point, and the backward pass under test.
public struct CheckedFunction: Sendable {
  public typealias Forward = @Sendable (NamedTensors) throws -> NamedTensors
  /// Operands and cotangents (named as the outputs) to gradients (named as the operands).
  public typealias Backward =
    @Sendable (_ operands: NamedTensors, _ upstream: NamedTensors) throws -> NamedTensors

  public var name: String
  /// Where the derivatives are taken.
  public var point: NamedTensors
  /// The operands whose gradients are checked; the others are constants.
  public var checked: [String]
  /// The function itself, which derivatives are taken of.
  public let subject: any DifferentiableFunction
  public var backward: Backward
  /// Who computes `backward`: its rounding is judged by that.
  public let implementation: Implementation
  /// Operands and cotangents are independent random values, so that the statistical bounds hold; else the rigorous ones
  /// alone are taken.
  public var hasIndependentOperands = false
  /// Gradients that somebody stored, and that `backward` gives whatever it is asked.
  var stored: StoredGradients?

  /// A black box: nothing but the two closures has to be known.
  /// - Parameters:
  ///   - name: what the report calls it.
  ///   - point: the operands, by name.
  ///   - checked: the operands whose gradients `backward` returns; all, when left out.
  ///   - precision: the arithmetic of the backward pass.
  ///   - footprints: which outputs each operand's elements reach; all, for an operand that is missing.
  ///   - forward: the outputs, by name, at such operands.
  ///   - backward: the gradients of Σ output·upstream.
  public init(
    name: String, at point: NamedTensors, checking checked: [String]? = nil, precision: DType = .float64,
    footprints: [String: Footprint] = [:], forward: @escaping Forward, backward: @escaping Backward
  ) {
    self.name = name
    self.point = point
    self.checked = (checked ?? Array(point.keys)).sorted()
    subject = BlackBox(operands: self.checked, footprints: footprints, forward: forward)
    self.backward = backward
    implementation = .code(precision)
  }

  /// A function that the reference has. What an engine gets wrong in both passes alike is found too.
  /// - Parameters:
  ///   - function: the reference's function.
  ///   - name: what the report calls it.
  ///   - operands: as the definition names them; values should be representable in float32.
  ///   - implementation: whose backward pass is checked.
  public init(
    _ function: any GenericFunction, name: String, at operands: NamedTensors,
    by implementation: Implementation = .code(.float64)
  ) {
    self.name = name
    point = operands
    checked = function.differentiableOperands.value ?? []
    subject = function
    backward = implementation.backward(of: function, checked: checked)
    self.implementation = implementation
  }

  /// An operation that the reference does not have: an engine's backward pass, held against finite differences of the
  /// engine's own forward pass, in double precision where it has that. What both passes get wrong alike is not seen.
  ///
  /// - Parameters:
  ///   - engine: what is checked.
  ///   - exercise: the operation in the precision that the backward pass is judged in.
  ///   - name: what the report calls it.
  ///   - operands: where the derivatives are taken.
  ///   - outputs: those that have cotangents.
  ///   - checked: the operands to differentiate with respect to.
  init(
    engine: any Engine, custom exercise: Exercise, named name: String, at operands: NamedTensors, outputs: Set<String>,
    checked: [String]
  ) {
    var finest = exercise
    finest.dtype = engine.description.dtypes.contains(.float64) ? .float64 : exercise.dtype
    let forward = finest
    self.name = name
    point = operands
    self.checked = checked
    subject = BlackBox(operands: checked) { try engine.outputs(outputs, forward, at: $0) }
    backward = { try engine.gradients(exercise, at: $0, upstream: $1, of: checked) }
    implementation = .engine(engine, exercise)
  }

  /// Operands whose gradients can be checked on integers, without rounding. Stored values belong to one cotangent: integers
  /// of our own have no gradient among them.
  var exactOperands: Set<String> {
    let linearity = subject.linearity
    let isExact = stored == nil && linearity.isExactOnIntegers && implementation.isExactOnIntegers
    return isExact ? linearity.operands : []
  }

  /// Elements of an operand whose gradients are known; `nil` for all.
  func samples(of operand: String) -> [Int]? { stored?.samples[operand] }

  /// Each layer on its own, where the whole disagrees; stored gradients say nothing of a layer.
  var layerwise: LayerwiseCheck? {
    guard stored == nil, let network = subject.network else { return nil }
    return LayerwiseCheck(network: network, implementation: implementation)
  }
}

/// Gradients that were computed elsewhere, under one cotangent.
struct StoredGradients: Sendable {
  /// By operand: the elements that are stored, where it is not all of them.
  var samples: [String: [Int]] = [:]
  /// Whose rounding is measured: stored values do not answer to a displacement.
  let origin: CheckedFunction.Backward
}
