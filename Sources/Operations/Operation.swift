import Problems
import Tensors

/// Everything that the suite needs to know about one operation of the golden format.
///
/// No member has a default: what a new operation leaves out does not compile. Where a member does not apply, the definition says why
/// (``Problems/Applicable/none(because:)``). Whoever verifies, differentiates, fuzzes or breaks an operation asks its definition, and
/// names no operation.
///
/// A definition is a folder: `Conv2d.swift` (the page to read beside the paper), `Conv2d+Bounds.swift`, `Conv2d+Footprint.swift`,
/// `Conv2d+Exercises.swift`, `Conv2d+Defects.swift`; and a line in ``OperationRegistry``.
public protocol Operation: Sendable {
  associatedtype Asked: OperationProblem

  init(_ problem: Asked)
  var problem: Asked { get }

  // MARK: Values

  /// The forward pass, and where cotangents are given the gradients by ``differentiableOperands``.
  ///
  /// It is generic, so that one source gives values in each precision, and derivatives.
  /// - Throws: ``Problems/ProblemError`` when operands do not fit the problem.
  func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar>

  /// The operands that the backward pass gives gradients for, in the order in which they are looked at.
  var differentiableOperands: Applicable<[String]> { get }
  /// How the operation behaves where it chooses between elements.
  var branches: Applicable<any Branching> { get }
  /// The layers that it is put together from.
  var layers: Applicable<any LayeredOperation> { get }

  // MARK: Bounds

  /// What rounding may do to each element of each result.
  /// - Parameters:
  ///   - given: the operands in double precision, with what is wanted.
  ///   - values: the operation's own results in double precision, where the caller has them: they may make bounds cheap.
  ///   - algorithms: how sums of products may have been computed; any of them may have been used, the definition where none is named.
  /// - Returns: `nil` for operands that do not fit the problem.
  func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)?
  /// The same as standard deviations that are even over a channel, for layers of networks so large that bounds by element
  /// would cost as much as the network.
  func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]>
  /// Operands and outputs that stay float32 where an implementation computes in 16 bits, and so do their gradients: what is learnt
  /// or kept, and what is summed over a batch.
  var staysSingle: Set<String> { get }
  /// How the operation is judged as a layer of a network, on activations that the network itself made.
  static var judgementAsLayer: LayerJudgement { get }
  /// Outputs whose rounding each step amplifies: they are held to how far the oracle's own float32 runs come apart.
  static var trajectories: Set<String> { get }

  // MARK: Footprint

  /// Which outputs each element of an operand can reach; an operand that is missing may reach all.
  var footprints: [String: Footprint] { get }
  var linearity: Linearity { get }
  var shiftInvariance: Applicable<ShiftInvariance> { get }
  /// What a few elements of an operand do to the outputs, at less cost than a whole pass.
  var slices: Applicable<any SlicedOperation> { get }

  // MARK: Exercises

  /// What each operand means, by name: operands of ``Problems/OperationProblem/operands`` alone, and all of them.
  var roles: [String: OperandRole] { get }
  /// Problems to measure the bounds on.
  static var calibrationProblems: Applicable<[CalibrationProblem]> { get }
  /// Problems whose gradients are checked when nobody names any.
  static var gradientCases: Applicable<[GradientCase]> { get }
  /// How random problems are made.
  static var problemDraw: Applicable<ProblemDraw> { get }

  // MARK: Defects

  /// Changes of the operands that a corpus must notice.
  static var perturbations: Applicable<[Perturbation]> { get }
  /// Defects that the gate must notice.
  static var mutants: Applicable<[Mutant]> { get }
  /// Golden cases that defects are tried on, by name, where it is not every small one.
  static var casesForMutants: Applicable<Set<String>> { get }
}

extension Operation {
  public static var problemType: any OperationProblem.Type { Asked.self }
  /// The name in the golden format.
  public static var name: String { Asked.operation }

  /// - Returns: `nil` for a problem of another operation.
  init?(any problem: any OperationProblem) {
    guard let problem = problem as? Asked else { return nil }
    self.init(problem)
  }

  /// The operands of an exercise of this problem in one scalar type.
  public func given<Scalar: StoredScalar>(_ exercise: Exercise, as: Scalar.Type = Scalar.self) -> Given<Scalar> {
    Given(exercise, problem.operands)
  }

  /// Whether this problem has an operand of that name.
  func hasOperand(_ name: String) -> Bool { problem.operands.all[name] != nil }
}

/// An operation whose result is chosen among elements: with the choice given in place of the values it is linear.
public protocol Branching: Sendable {
  /// What is chosen at `x`.
  func gate<Scalar: RealScalar>(at x: Tensor<Scalar>) -> Gate?
  /// The choice with every element that lies within reach of another choice the other way.
  /// - Parameters:
  ///   - gate: taken at `x`.
  ///   - x: the operand.
  ///   - reach: for each element of `x`, how far it may be moved.
  /// - Returns: the other choice, and how many elements differ.
  func flipped(_ gate: Gate, at x: Tensor<Double>, reach: [Double]) -> (gate: Gate, flips: Int)
}

/// An operation a few of whose operand's elements can be followed through it on their own.
public protocol SlicedOperation: Sendable {
  /// J·u for a `direction` u that is restricted to the elements given, flattened; `nil` where it costs no less than a pass.
  func response(
    of operand: String, _ elements: [Int], to direction: [Double], _ operands: [String: Tensor<Double>]
  ) throws(ProblemError) -> [Double]?
  /// The outputs, flattened, with the tangents that come from the elements given; values may be partial.
  func response(
    of operand: String, _ elements: [Int], _ operands: [String: Tensor<Dual<Double>>]
  ) throws(ProblemError) -> [Dual<Double>]?
}

/// How a layer of a network is judged on its own.
public struct LayerJudgement: Sendable {
  /// Which bound holds on a network's own activations.
  public let fill: Fill
  /// Whether its share of the bound says something: one rounding alone always may use all of it.
  public let countsInWorst: Bool

  public init(fill: Fill, countsInWorst: Bool) {
    self.fill = fill
    self.countsInWorst = countsInWorst
  }

  /// Activations are as good as independent.
  public static let random = LayerJudgement(fill: .random, countsInWorst: true)
}
