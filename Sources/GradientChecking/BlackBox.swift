import Operations
import Problems
import Tensors

/// A function of which nothing is known but its values: its derivatives are finite differences.
public struct BlackBox: DifferentiableFunction {
  private let closure: CheckedFunction.Forward
  private let operands: [String]
  /// Where the caller knows which outputs an operand's elements reach; without it, all.
  public let footprints: [String: Footprint]

  /// - Parameter operands: those to differentiate by.
  public init(
    operands: [String], footprints: [String: Footprint] = [:], forward: @escaping CheckedFunction.Forward
  ) {
    self.operands = operands
    self.footprints = footprints
    closure = forward
  }

  public func forward(_ operands: NamedTensors) throws -> NamedTensors { try closure(operands) }
  public var differentiableOperands: Applicable<[String]> { .some(operands) }
  public var generic: (any GenericFunction)? { nil }
  public func roundingBounds(
    at operands: NamedTensors, upstream: NamedTensors, of checked: [String], by implementation: Implementation
  ) -> [String: ElementBounds]? { nil }
  public var linearity: Linearity { Linearity(in: [], exactOnIntegers: false) }
  public var shiftInvariance: ShiftInvariance? { nil }
  public var slices: (any SlicedOperation)? { nil }
  public var network: ReferenceNetwork? { nil }
  public var work: Int { 0 }
}
