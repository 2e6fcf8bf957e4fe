import Engines
import Foundation
import GoldenFiles
import Operations
import Problems
import Tensors

/// What the bounds of a problem amount to on random operands, tensor by tensor.
public struct BoundFigures: Sendable, Encodable {
  /// What is asked.
  public struct Request: Sendable {
    public var problem: any OperationProblem
    /// How sums of products are computed; none for the definition.
    public var algorithms: Set<SumAlgorithm>
    public var dtype: DType
    /// What sums are kept in where `dtype` has 16 bits.
    public var accumulate: DType
    public var seed: UInt64
    /// Whether gradients are asked for, too.
    public var includesGradients: Bool
    /// Whose results are measured; `nil` for the reference or one of these strategies, where one computes so.
    public var engine: (any Engine)?
    public var strategies: [any Engine]

    public init(
      _ problem: any OperationProblem, algorithms: Set<SumAlgorithm> = [], dtype: DType = .float32,
      accumulate: DType = .float32, seed: UInt64 = 1, includesGradients: Bool = false, engine: (any Engine)? = nil,
      strategies: [any Engine] = []
    ) {
      self.problem = problem
      self.algorithms = algorithms
      self.dtype = dtype
      self.accumulate = accumulate
      self.seed = seed
      self.includesGradients = includesGradients
      self.engine = engine
      self.strategies = strategies
    }
  }

  /// A figure over the elements of a tensor.
  public struct Spread: Sendable, Encodable {
    public let minimum: Double
    public let median: Double
    public let maximum: Double

    /// - Parameter values: those that are not finite say nothing. Zeros where none is left.
    init(_ values: [Double]) {
      let sorted = values.filter(\.isFinite).sorted()
      minimum = sorted.first ?? 0
      median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
      maximum = sorted.last ?? 0
    }
  }

  /// A tolerance |got − expected| ≤ absolute + relative·|expected| that is nowhere below the bounds, in three digits.
  public struct Tolerance: Sendable, Encodable {
    public let relative: Double
    public let absolute: Double
    /// How many times as much as its bound the median element is then allowed.
    public let excess: Double

    /// The relative part is what rounding a result once may cost, the absolute one what is left.
    init(_ bounds: [Double], of values: [Double], in dtype: DType) {
      let relative = Self.roundedUp(dtype.format?.unitRoundoff ?? 0)
      let absolute = zip(bounds, values).reduce(0) { largest, element in
        let rest = element.0 - relative * abs(element.1)
        return rest.isFinite ? max(largest, rest) : largest
      }
      let allowed = zip(bounds, values).compactMap { bound, value in
        bound > 0 && bound.isFinite ? (absolute + relative * abs(value)) / bound : nil
      }
      self.relative = relative
      self.absolute = Self.roundedUp(absolute)
      excess = Spread(allowed).median
    }

    /// To three significant digits.
    private static func roundedUp(_ value: Double) -> Double {
      guard value > 0, value.isFinite else { return value }
      let digits = String(format: "%.2e", value)
      guard let near = Double(digits), near < value else { return Double(digits) ?? value }
      let unit = pow(10, (log10(near) + 0x1p-40).rounded(.down) - 2)
      return Double(String(format: "%.2e", near + unit)) ?? value
    }
  }

  /// How far an engine's results are off: one that was asked for, or one of this program in the algorithm's place.
  public struct Measurement: Sendable, Encodable {
    public let engine: String
    public let worstError: Double
    public let rootMeanSquareError: Double
    /// Largest error/bound.
    public let worstRatio: Double
    /// Over all elements.
    public let rootMeanSquareRatio: Double

    /// - Parameters:
    ///   - got: the engine's results; what is not finite is off without end.
    ///   - expected: as many.
    ///   - bounds: as many. An error of 0 is no part of a bound of 0.
    init(_ engine: String, got: [Double], expected: [Double], bounds: [Double]) {
      let errors = zip(got, expected).map { $0 == $1 ? 0 : ($0 - $1).isFinite ? abs($0 - $1) : .infinity }
      let ratios = zip(errors, bounds).map { $0 == 0 ? 0 : $0 / $1 }
      func rootMeanSquare(_ values: [Double]) -> Double {
        (values.reduce(0) { $0 + $1 * $1 } / Double(Swift.max(values.count, 1))).squareRoot()
      }
      self.engine = engine
      worstError = errors.max() ?? 0
      rootMeanSquareError = rootMeanSquare(errors)
      worstRatio = ratios.max() ?? 0
      rootMeanSquareRatio = rootMeanSquare(ratios)
    }
  }

  /// One output or gradient.
  public struct TensorFigures: Sendable, Encodable {
    public let path: String
    public let elements: Int
    /// Of the values themselves.
    public let rootMeanSquare: Double
    /// What decides in the random fill: `statistical`, `rigorous`, or `by value` where nothing may be off.
    public let rule: String
    /// The algorithms whose bounds are wider than the definition's; absent where none is.
    public let widening: String?
    /// Absent where nothing averages out.
    public let statistical: Spread?
    public let rigorous: Spread
    /// The one that decides.
    public let bound: Spread
    public let tolerance: Tolerance
    /// Absent where no engine was asked for and none of this program computes so, or where it does not give this tensor.
    public let measured: Measurement?
  }

  /// Why there are no figures.
  public enum Failure: Error, Equatable, CustomStringConvertible {
    case noBounds(operation: String)
    case notDone(by: String, what: String)

    public var description: String {
      switch self {
      case .notDone(let engine, let what): "\(engine) does not do \(what): there is nothing to measure"
      case .noBounds(let operation):
        "\(operation): expected an operation whose results have bounds of their own for these operands, found none"
      }
    }
  }

  public let problem: String
  public let dtype: String
  public let accumulate: String
  /// As a person names them.
  public let algorithms: [String]
  public let seed: UInt64
  public let tensors: [TensorFigures]

  /// - Throws: ``Failure`` where the operation has no bounds, ``Problems/ProblemError`` for operands that do not fit it.
  public init(_ request: Request) throws {
    problem = request.problem.text
    dtype = request.dtype.rawValue
    accumulate = request.accumulate.rawValue
    algorithms = request.algorithms.map(\.description).sorted()
    seed = request.seed
    let subject = try Subject(request)
    tensors = subject.paths.compactMap(subject.figures)
    guard !tensors.isEmpty else { throw Failure.noBounds(operation: type(of: request.problem).operation) }
  }

  /// A problem with its operands, its results in float64 and its bounds.
  private struct Subject {
    let request: Request
    let exercise: Exercise
    let expected: Answer
    let model: any BoundModel
    let measured: (engine: String, answer: Answer)?
    let paths: [String]

    init(_ request: Request) throws {
      self.request = request
      let (problem, definition) = (request.problem, request.problem.definition)
      var exercise = RandomExercise(problem: problem, roles: definition.roles, fill: .random, seed: request.seed)
        .exercise
      exercise.singles = definition.staysSingle
      if !request.includesGradients {
        exercise.passes = [.forward]
        exercise.upstream = [:]
      }
      // Every implementation starts from the same numbers: those that the type holds.
      exercise = exercise.converted(to: request.dtype)
      let found = try definition.compute(definition.given(exercise, as: Double.self))
      expected = Answer(found)
      let answer = expected
      paths = answer.paths.filter { answer[$0]?.dtype.format != nil }
      exercise.wanted = Set(paths)
      self.exercise = exercise
      var given: Given<Double> = definition.given(exercise)
      if request.dtype.isNarrow { given.storage = request.dtype }
      guard let model = definition.bounds(of: given, values: found, algorithms: request.algorithms) else {
        throw Failure.noBounds(operation: type(of: problem).operation)
      }
      self.model = model
      measured = try Self.measure(exercise, request)
    }

    /// - Throws: ``Failure`` where the engine that was asked for declares that it does not do this, ``Engines/EngineError``
    ///   where it fails.
    private static func measure(_ exercise: Exercise, _ request: Request) throws -> (engine: String, answer: Answer)? {
      guard let engine = request.engine else {
        guard let own = ownEngine(request), own.description.dtypes.contains(exercise.dtype),
          let answer = try? own.compute(exercise)
        else { return nil }
        return (own.description.name, answer)
      }
      let description = engine.description
      let operation = exercise.operation
      guard description.operations.isEmpty || description.operations.contains(operation) else {
        throw Failure.notDone(by: description.name, what: operation)
      }
      guard description.dtypes.contains(exercise.dtype) else {
        throw Failure.notDone(by: description.name, what: exercise.dtype.rawValue)
      }
      var exercise = exercise
      exercise.name = Exercise.neutralName
      exercise.wanted = exercise.wanted.filter { description.produces($0, of: operation) }
      if !exercise.wanted.contains(where: { $0.hasPrefix("gradients/") }) {
        exercise.passes = [.forward]
        exercise.upstream = [:]
      }
      do throws(EngineError) { return (description.name, try engine.compute(exercise)) } catch {
        guard case .unsupported(let reason) = error else { throw error }
        throw Failure.notDone(by: description.name, what: "\(operation) so (\(reason))")
      }
    }

    /// The reference for direct sums, a strategy for its own points.
    private static func ownEngine(_ request: Request) -> (any Engine)? {
      guard request.accumulate == .float32 else { return nil }
      switch request.algorithms.first {
      case nil, .terms: return request.algorithms.count < 2 ? ReferenceEngine() : nil
      case .winograd(let tile) where tile.isOurs && request.algorithms.count == 1:
        return request.strategies.first { $0.description.name == "winograd\(tile.outputTile)" }
      default: return nil
      }
    }

    func figures(_ path: String) -> TensorFigures? {
      guard let values = expected[path]?.doubles.elements, let tensor = expected[path] else { return nil }
      let type = exercise.wantedType(of: path)
      let rules = AllowanceRules(
        fill: .random, candidate: type, oracle: .float64, accumulate: type.isNarrow ? request.accumulate : .float32)
      guard let allowance = rules.allowance(for: path, expected: ExpectedTensor(tensor), model: model),
        let rounding = Rounding(type.isNarrow ? request.accumulate : type),
        let own = model.bounds(of: path, in: rounding)
      else { return nil }
      let stored = values.map(StoredRounding(type).bound)
      let bounds = allowance.bounds(expected: values, dtype: type)
      let square = values.reduce(0) { $0 + $1 * $1 } / Double(max(values.count, 1))
      return TensorFigures(
        path: path, elements: values.count, rootMeanSquare: square.squareRoot(), rule: allowance.rule,
        widening: model.widening(of: path), statistical: own.statistical.map { Spread(zip($0, stored).map(+)) },
        rigorous: Spread(zip(own.rigorous, stored).map(+)), bound: Spread(bounds),
        tolerance: Tolerance(bounds, of: values, in: type), measured: measurement(path, values, bounds))
    }

    private func measurement(_ path: String, _ values: [Double], _ bounds: [Double]) -> Measurement? {
      guard let measured, let got = measured.answer[path]?.doubles.elements, got.count == values.count else {
        return nil
      }
      return Measurement(measured.engine, got: got, expected: values, bounds: bounds)
    }
  }
}
