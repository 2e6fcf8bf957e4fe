import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

/// Measures how much of their bounds a correct implementation uses: an engine in float32, or in 16 bits, against the reference in
/// float64 on random problems, element by element and, where the errors of whole tensors are judged, by their distribution.
///
/// The false-alarm rate is what the bounds would cost a correct kernel; λ is chosen so that it is 0 over at least 10⁶ elements of
/// each operation, with room to spare for other orders of summation.
public struct Calibration: Sendable {
  public static let lambdas: [Double] = [0.5, 1, 2, 3, 4, 6, 8]
  public static let standardSeed: UInt64 = 20_261_121

  public let engine: any Engine
  public let dtype: DType
  /// Problems are repeated with other seeds until an operation has this many elements.
  public let elementsPerOperation: Int
  public let seed: UInt64

  /// - Parameters:
  ///   - engine: computes in `dtype`.
  ///   - dtype: whose bounds are measured.
  ///   - elementsPerOperation: the least that is compared.
  ///   - seed: of every problem and its operands.
  public init(
    engine: any Engine, dtype: DType = .float32, elementsPerOperation: Int = 1_000_000,
    seed: UInt64 = Calibration.standardSeed
  ) {
    self.engine = engine
    self.dtype = dtype
    self.elementsPerOperation = elementsPerOperation
    self.seed = seed
  }

  /// - Parameter onProgress: called after each problem with its text.
  /// - Throws: `EngineError` when the engine does not compute a problem.
  public func run(onProgress: @escaping @Sendable (String) -> Void = { _ in }) async throws -> [CalibrationRecord] {
    let groups = Dictionary(grouping: OperationRegistry.calibrationProblems, by: \.operation)
    return try await withThrowingTaskGroup(of: [CalibrationRecord].self) { group in
      for operation in groups.keys.sorted() {
        group.addTask { try measure(operation, groups[operation] ?? [], onProgress) }
      }
      var all: [CalibrationRecord] = []
      for try await records in group { all += records }
      return all.sorted { ($0.operation, $0.tensor) < ($1.operation, $1.tensor) }
    }
  }

  private func measure(
    _ operation: String, _ problems: [CalibrationProblem], _ onProgress: @Sendable (String) -> Void
  ) throws -> [CalibrationRecord] {
    var records: [String: CalibrationRecord] = [:]
    var spreads: [String: SpreadTally] = [:]
    var elements = 0
    var round: UInt64 = 0
    while elements < elementsPerOperation {
      let before = elements
      for problem in problems {
        let exercise = try problem.exercise(seed: seed &+ round &* 0x9E37_79B9_7F4A_7C15)
        elements += try measure(exercise, operation, into: &records, &spreads)
        onProgress(exercise.name)
        round += 1
        if elements >= elementsPerOperation { break }
      }
      // Nothing to measure would never end.
      if elements == before { break }
    }
    for (path, tally) in spreads { records[path]?.spread = tally.record }
    return Array(records.values)
  }

  /// - Returns: how many elements were compared; 0 for what the engine does not compute.
  private func measure(
    _ exercise: Exercise, _ operation: String, into records: inout [String: CalibrationRecord],
    _ spreads: inout [String: SpreadTally]
  ) throws -> Int {
    let description = engine.description
    guard description.operations.isEmpty || description.operations.contains(operation),
      let definition = try OperationRegistry.operation(of: exercise)
    else { return 0 }
    var exercise = exercise
    exercise.singles = definition.staysSingle
    exercise = exercise.converted(to: dtype)
    let oracle = try ReferenceEngine().compute(exercise.converted(to: .float64))
    let paths = oracle.paths.filter { oracle[$0]?.dtype.format != nil && description.produces($0, of: operation) }
    exercise.wanted = Set(paths)
    if !paths.contains(where: { $0.hasPrefix("gradients/") }) {
      exercise.passes = [.forward]
      exercise.upstream = [:]
    }
    let answer: Answer
    do throws(EngineError) { answer = try engine.compute(exercise) } catch {
      guard case .unsupported = error else { throw error }
      return 0
    }
    var given: Given<Double> = definition.given(exercise)
    if dtype.isNarrow { given.storage = dtype }
    guard let model = definition.bounds(of: given, values: nil, algorithms: description.sums(of: operation)) else {
      return 0
    }
    var compared = 0
    for path in paths {
      guard let got = answer[path]?.doubles.elements, let expected = oracle[path]?.doubles.elements,
        let bounds = model.bounds(of: path, in: .float32), let own = model.bounds(of: path, in: .float64)
      else { continue }
      var record = records[path] ?? CalibrationRecord(operation: operation, tensor: path, dtype: dtype.rawValue)
      let stored = StoredRounding(exercise.wantedType(of: path))
      record.add(got: got, expected: expected, bounds: bounds, oracle: own, stored: expected.map(stored.bound))
      records[path] = record
      compared += got.count
      let rules = AllowanceRules(fill: .random, candidate: exercise.wantedType(of: path), oracle: .float64)
      let wanted = ExpectedTensor(.float64(oracle[path]?.doubles ?? Tensor(zeros: [])))
      if let allowance = rules.allowance(for: path, expected: wanted, model: model),
        let distribution = rules.distribution(of: path, expected: wanted, model: model, allowance: allowance)
      {
        let moments = distribution.moments(got, expected, at: Array(expected.indices))
        spreads[path, default: SpreadTally()].add(moments, distribution, of: exercise.name)
      }
    }
    return compared
  }
}

extension CalibrationProblem {
  fileprivate var operation: String { String(text.prefix { $0 != " " }) }

  /// - Throws: ``ProblemError`` never: the texts are the program's own.
  fileprivate func exercise(seed: UInt64) throws(ProblemError) -> Exercise {
    let problem = try Problem.parse(text)
    return RandomExercise(
      problem: problem, roles: problem.definition.roles, fill: .random, seed: seed, range: .init(low, high)
    ).exercise
  }
}

extension CalibrationRecord {
  /// - Parameter stored: what rounding each result to 16 bits may add to either bound. It does not grow with λ.
  mutating func add(
    got: [Double], expected: [Double], bounds: ElementBounds, oracle: ElementBounds, stored: [Double]
  ) {
    if alarms.isEmpty { alarms = Calibration.lambdas.map { Alarms(lambda: $0, count: 0) } }
    elements += got.count
    for i in got.indices {
      if got[i] == expected[i] || got[i].isNaN && expected[i].isNaN { continue }
      // NaN and infinities that are not expected are alarms: no comparison below holds for NaN.
      let error = abs(got[i] - expected[i])
      let rigorous = bounds.rigorous[i] + oracle.rigorous[i] + stored[i]
      worstRigorous = max(worstRigorous, error / rigorous)
      if !(error <= rigorous) { rigorousAlarms += 1 }
      var decisive = rigorous
      if let statistical = bounds.statistical?[i], let own = oracle.statistical?[i] {
        decisive = min(decisive, statistical + own + stored[i])
        // The share of the sums' bound that grows with λ is nearly all of it.
        let excess = max(0, error - stored[i])
        let needed = excess == 0 ? 0 : ElementBounds.lambda * excess / (statistical + own)
        leastLambda = max(leastLambda, needed)
        for j in alarms.indices where needed > alarms[j].lambda { alarms[j].count += 1 }
      }
      if !(error <= decisive) { decisiveAlarms += 1 }
    }
  }
}
