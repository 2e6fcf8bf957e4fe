import Operations
import Problems
import Tensors

/// A function of which nothing is known but its values: its derivatives are finite differences.
struct BlackBox: DifferentiableFunction {
  private let closure: CheckedFunction.Forward
  private let operands: [String]
  /// Where the caller knows which outputs an operand's elements reach; without it, all.
  let footprints: [String: Footprint]

  /// - Parameter operands: those to differentiate by.
  init(
    operands: [String], footprints: [String: Footprint] = [:], forward: @escaping CheckedFunction.Forward
  ) {
    self.operands = operands
    self.footprints = footprints
    closure = forward
  }

  func forward(_ operands: NamedTensors) throws -> NamedTensors { try closure(operands) }
  var differentiableOperands: Applicable<[String]> { .some(operands) }
  var generic: (any GenericFunction)? { nil }
  func roundingBounds(
    at operands: NamedTensors, upstream: NamedTensors, of checked: [String], by implementation: Implementation
  ) -> [String: ElementBounds]? { nil }
  var linearity: Linearity { Linearity(in: [], exactOnIntegers: false) }
  var shiftInvariance: ShiftInvariance? { nil }
  var slices: (any SlicedOperation)? { nil }
  var network: ReferenceNetwork? { nil }
  var work: Int { 0 }
}
