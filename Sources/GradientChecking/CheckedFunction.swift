import Tensors
import Verification

/// Tensors by name, in double precision: how a function under test takes its operands and gives its results.
public typealias NamedTensors = [String: Tensor<Double>]

/// A function and its hand-written backward pass, with whatever is known about them. Nothing but the two closures has to
/// be known: a black box is checked by finite differences.
public struct CheckedFunction: Sendable {
  public typealias Forward = @Sendable (NamedTensors) throws -> NamedTensors
  /// Operands and cotangents (named as the outputs) to gradients (named as the operands).
  public typealias Backward =
    @Sendable (_ operands: NamedTensors, _ upstream: NamedTensors) throws -> NamedTensors
  public typealias DualForward =
    @Sendable ([String: Tensor<Dual<Double>>]) throws -> [String: Tensor<Dual<Double>>]
  public typealias DualBackward =
    @Sendable (
      _ operands: [String: Tensor<Dual<Double>>], _ upstream: [String: Tensor<Dual<Double>>]
    ) throws -> [String: Tensor<Dual<Double>>]
  /// Bounds on the rounding error of each element of the gradients, by operand.
  public typealias RoundingBounds =
    @Sendable (_ operands: NamedTensors, _ upstream: NamedTensors) throws -> [String: ElementBounds]

  public typealias LinearResponse =
    @Sendable (
      _ operand: String, _ elements: [Int], _ direction: [Double], _ operands: NamedTensors
    ) throws -> [Double]?

  public typealias DualResponse =
    @Sendable (
      _ operand: String, _ elements: [Int], _ operands: [String: Tensor<Dual<Double>>]
    ) throws -> [Dual<Double>]?

  public var name: String
  /// Where the derivatives are taken.
  public var point: NamedTensors
  /// The operands whose gradients are checked; the others are constants.
  public var checked: [String]
  public var forward: Forward
  public var backward: Backward
  /// Unit roundoff of the arithmetic that the *backward* pass is judged as.
  public var backwardUnitRoundoff = Double.unitRoundoff
  /// The same forward over dual numbers, where it is generic.
  public var dualForward: DualForward?
  /// The same backward over dual numbers, for second derivatives.
  public var dualBackward: DualBackward?
  /// Bounds of the backward's rounding; without them it is measured by perturbing the operands.
  public var roundingBounds: RoundingBounds?
  /// Operands and cotangents are independent random values, so that the statistical bounds hold; else the rigorous ones
  /// alone are taken.
  public var hasIndependentOperands = false
  /// Whose rounding is measured, where that is not `backward` itself (stored values do not answer to a displacement).
  public var measuredBackward: Backward?
  /// Which outputs each operand's elements reach; without it, all.
  public var footprints: [String: Footprint] = [:]
  /// Operands in which the function is affine while the others are fixed.
  public var linear: Set<String> = []
  /// Whether integer operands below 2^53 give exact results, so that linear maps are checked without rounding.
  public var isExactOnIntegers = false
  /// J·u of a linear operand for u restricted to the elements given, flattened, at less cost than a forward pass; `nil`
  /// where it does not apply.
  public var linearResponse: LinearResponse?
  /// The dual outputs, flattened, with the tangents that a seed of the given elements of one operand has, at less cost than
  /// the dual forward pass (values may be partial); `nil` where it does not apply.
  public var dualResponse: DualResponse?
  /// Elements whose gradients are known, by operand: the others are not looked at. All, where an operand is missing.
  public var samples: [String: [Int]] = [:]
  /// Directional derivatives of a whole network, layer by layer, in place of one pass over dual operands.
  var tangents: NetworkTangent?
  /// Checks each layer on its own where the whole disagrees, to name the one at fault.
  var layerwise: LayerwiseCheck?
  /// Sets of elements along whose common shift the function does not change, so that their gradients sum to zero.
  public var shiftInvariance: ShiftInvariance?
  /// Multiply-accumulates (or touched elements) of one forward pass, to budget with; 0 where unknown.
  public var work = 0

  public init(
    name: String, at point: NamedTensors, checking checked: [String]? = nil,
    forward: @escaping Forward,
    backward: @escaping Backward
  ) {
    self.name = name
    self.point = point
    self.checked = (checked ?? Array(point.keys)).sorted()
    self.forward = forward
    self.backward = backward
  }
}

/// Elements of one operand whose gradients sum to zero, because a common shift of them changes nothing: a channel in
/// training-mode batch normalisation, a row of logits.
public struct ShiftInvariance: Sendable {
  public var operand: String
  /// What a set is, for a message: `channel`, `row`.
  public var unit: String
  public var setCount: Int
  public var set: @Sendable (_ element: Int) -> Int

  public init(
    operand: String, unit: String, setCount: Int, set: @escaping @Sendable (_ element: Int) -> Int
  ) {
    self.operand = operand
    self.unit = unit
    self.setCount = setCount
    self.set = set
  }
}
