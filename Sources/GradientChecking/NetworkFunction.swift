import Operations
import Problems
import Tensors

/// A residual block or a whole network as a function of its input and parameters.
///
/// How rounding spreads through dozens of layers is no matter of a bound for each operation: it is measured, by displacing
/// operands.
public struct NetworkFunction: GenericFunction {
  public var layers: ReferenceNetwork
  /// Too large to be differentiated element by element.
  public let isWhole: Bool
  public let work: Int

  /// - Parameters:
  ///   - problem: a layer, block or network.
  ///   - integers: operands; the labels of a network with a loss are among them.
  /// - Returns: `nil` for an operation that is not put together from layers.
  /// - Throws: ``Problems/ProblemError``.
  public init?(_ problem: any OperationProblem, integers: [String: Tensor<Int64>] = [:]) throws(ProblemError) {
    guard let layered = problem.definition.layers.value else { return nil }
    layers = try layered.network(target: integers["target"])
    isWhole = layered.isWholeNetwork
    work = problem.multiplyAccumulates
  }

  /// From here on the branches of the point are taken everywhere: in a whole network some gate is always within a step, and
  /// roundings open and close others.
  public mutating func freezeGates(at point: NamedTensors) throws { layers.gates = try layers.gates(at: point) }

  public func forward<Scalar: RealScalar>(_ operands: [String: Tensor<Scalar>]) throws -> [String: Tensor<Scalar>] {
    try layers.forward(operands)
  }

  public func backward<Scalar: RealScalar>(
    _ operands: [String: Tensor<Scalar>], _ upstream: [String: Tensor<Scalar>]
  ) throws -> [String: Tensor<Scalar>] {
    try layers.backward(operands, upstream)
  }

  /// In the order of the layers: neighbours share a pass, which begins at the first of them.
  public var differentiableOperands: Applicable<[String]> { .some(layers.checkedOperands) }
  public var generic: (any GenericFunction)? { self }
  public func roundingBounds(
    at operands: NamedTensors, upstream: NamedTensors, of checked: [String], by implementation: Implementation
  ) -> [String: ElementBounds]? { nil }
  public var footprints: [String: Footprint] { [:] }
  public var linearity: Linearity { Linearity(in: [], exactOnIntegers: false) }
  public var shiftInvariance: ShiftInvariance? { nil }
  public var slices: (any SlicedOperation)? { nil }
  public var network: ReferenceNetwork? { layers }
}
