import Tensors

/// Computes in double precision what others are held against, in another way than an operation's own plain loops.
///
/// Whoever verifies gives it to the definitions (``Given/oracle``). Where it has no way of its own they compute themselves.
public struct Oracle: Sendable {
  /// `nil` for what is left to the definition.
  public typealias Compute = @Sendable (any OperationProblem, Given<Double>) throws(ProblemError) -> Found<Double>?

  /// The operations that it has a way of its own for, by name.
  public let operations: Set<String>
  private let compute: Compute

  /// - Parameters:
  ///   - operations: those that it has a way of its own for, by name.
  ///   - compute: that way.
  public init(of operations: Set<String>, _ compute: @escaping Compute) {
    self.operations = operations
    self.compute = compute
  }

  /// - Returns: `nil` for what is left to the definition, as is everything that is not in double precision.
  /// - Throws: ``ProblemError`` when operands do not fit the problem.
  public func found<Scalar: RealScalar>(
    _ problem: any OperationProblem, _ given: Given<Scalar>
  ) throws(ProblemError) -> Found<Scalar>? {
    guard operations.contains(type(of: problem).operation), var given = given as? Given<Double> else { return nil }
    // What it asks of a definition in turn is that definition's to compute.
    given.oracle = nil
    return try compute(problem, given) as? Found<Scalar>
  }
}
