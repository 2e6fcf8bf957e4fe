import Operations
import Problems
import Tensors

/// Tensors by name, in double precision: how a function under test takes its operands and gives its results.
public typealias NamedTensors = Operations.NamedTensors

/// A function whose derivatives a check determines without the backward pass under test, and what is known of it.
///
/// No member has a default: a kind of function that does not know an answer says so.
public protocol DifferentiableFunction: Sendable {
  func forward(_ operands: NamedTensors) throws -> NamedTensors
  /// The operands that it can be differentiated by, in the order in which they are looked at.
  var differentiableOperands: Applicable<[String]> { get }
  /// The same function in any scalar; `nil` where nothing but values can be had of it.
  var generic: (any GenericFunction)? { get }
  /// What rounding may do to each element of the gradients; `nil` where that is measured, by displacing operands.
  /// - Parameters:
  ///   - operands: the point.
  ///   - upstream: the outputs' cotangents.
  ///   - checked: the operands whose gradients are asked about; one that there is no bound for is left out.
  ///   - implementation: whose rounding it is.
  func roundingBounds(
    at operands: NamedTensors, upstream: NamedTensors, of checked: [String], by implementation: Implementation
  ) -> [String: ElementBounds]?
  /// Which outputs each operand's elements reach; an operand that is missing may reach all.
  var footprints: [String: Footprint] { get }
  var linearity: Linearity { get }
  var shiftInvariance: ShiftInvariance? { get }
  /// What a few elements of an operand do to the outputs, at less cost than a whole pass.
  var slices: (any SlicedOperation)? { get }
  /// The layers that it is put together from, each of which can be looked at on its own.
  var network: ReferenceNetwork? { get }
  /// Multiply-accumulates (or touched elements) of one forward pass, to budget with; 0 where unknown.
  var work: Int { get }
}

/// A function with its backward pass, both of which take dual numbers as well.
public protocol GenericFunction: DifferentiableFunction {
  func forward<Scalar: RealScalar>(_ operands: [String: Tensor<Scalar>]) throws -> [String: Tensor<Scalar>]
  func backward<Scalar: RealScalar>(
    _ operands: [String: Tensor<Scalar>], _ upstream: [String: Tensor<Scalar>]
  ) throws -> [String: Tensor<Scalar>]
}
