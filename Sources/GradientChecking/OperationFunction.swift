import Operations
import Problems
import Tensors

/// An operation as a function of its floating-point operands, with everything that its definition says about it.
///
/// Operands have their golden names without the group: `x`, `other`, `weight`, `running_mean`.
public struct OperationFunction: GenericFunction {
  public let definition: any Operation
  /// Class indices, row numbers and counts: nothing is differentiated by them, and they are fixed.
  public let integers: [String: Tensor<Int64>]

  public init(_ problem: any OperationProblem, integers: [String: Tensor<Int64>] = [:]) {
    definition = problem.definition
    self.integers = integers
  }

  public func forward<Scalar: RealScalar>(_ operands: [String: Tensor<Scalar>]) throws -> [String: Tensor<Scalar>] {
    try definition.compute(Given(operands: operands, integers: integers)).outputs
  }

  public func backward<Scalar: RealScalar>(
    _ operands: [String: Tensor<Scalar>], _ upstream: [String: Tensor<Scalar>]
  ) throws -> [String: Tensor<Scalar>] {
    try definition.compute(gradientsAlone(operands, upstream)).gradients
  }

  private func gradientsAlone<Scalar>(
    _ operands: [String: Tensor<Scalar>], _ upstream: [String: Tensor<Scalar>]
  ) -> Given<Scalar> {
    var given = Given(operands: operands, integers: integers, upstream: upstream)
    given.wantsOutputs = false
    return given
  }

  /// The very bounds that `assay verify` holds gradients against, by operation, precision and declared algorithms, so
  /// that the two commands cannot disagree about an engine.
  public func roundingBounds(
    at operands: NamedTensors, upstream: NamedTensors, of checked: [String], by implementation: Implementation
  ) -> [String: ElementBounds]? {
    guard let rounding = Rounding(implementation.precision) else { return nil }
    var given = gradientsAlone(operands, upstream)
    given.wantedGradients = Set(checked)
    guard let model = definition.bounds(of: given, values: nil, algorithms: implementation.algorithms) else {
      return nil
    }
    return checked.reduce(into: [:]) { $0[$1] = model.bounds(of: "gradients/\($1)", in: rounding) }
  }

  public var differentiableOperands: Applicable<[String]> { definition.differentiableOperands }
  public var generic: (any GenericFunction)? { self }
  public var footprints: [String: Footprint] { definition.footprints }
  public var linearity: Linearity { definition.linearity }
  public var shiftInvariance: ShiftInvariance? { definition.shiftInvariance.value }
  public var slices: (any SlicedOperation)? { definition.slices.value }
  public var network: ReferenceNetwork? { nil }
  public var work: Int { definition.problem.multiplyAccumulates }
}
