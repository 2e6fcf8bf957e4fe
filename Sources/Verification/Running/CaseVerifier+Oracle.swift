import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

// The float64 side of a case: what bounds are made of, and the oracle that makes it, held to what the case expects.

extension CaseVerifier {
  /// A training run, or another network, that no file holds: expected is what the oracle's own undisturbed run gave, which the bounds
  /// are of, so that it is computed once.
  /// - Parameters:
  ///   - exercise: in float32, with what is wanted of it.
  ///   - file: what stands for its file's path.
  /// - Throws: `EngineError`, a refusal of operands that do not fit, or a failure where bounds are not measured by runs.
  public init(ofRuns exercise: Exercise, file: String) throws(EngineError) {
    let definition: (any Operations.Operation)?
    do throws(ProblemError) { definition = try OperationRegistry.operation(of: exercise) } catch {
      throw EngineError(error)
    }
    let oracle = Oracle.blocked
    guard let definition else { throw .failed("no operation \(exercise.operation)") }
    var given: Given<Double> = definition.given(exercise.converted(to: .float64))
    given.oracle = oracle
    guard var model = definition.bounds(of: given, values: nil, algorithms: []) as? NetworkBounds else {
      throw .failed("\(exercise.name): expected bounds that are measured by runs, found none")
    }
    var golden = GoldenCase(exercise, fill: .random)
    for (name, type) in definition.problem.outputs where exercise.wanted.contains("outputs/\(name)") {
      guard let elements = model.values["outputs/\(name)"] else { continue }
      golden.outputs[name] = ExpectedTensor(.float64(Tensor(shape: type.shape, elements: elements)))
    }
    model.forgetValues()
    self.init(VerificationCase(file: file, oracle: .float64, golden: golden, isPart: true), oracle: oracle)
    models.remember(CaseBounds(model: model), for: BoundModelCache.Key(algorithms: [], narrow: nil))
  }

  /// The bounds of a case's results, and what is wrong with the oracle that they come from.
  func caseBounds(
    _ definition: any Operations.Operation, _ engine: EngineDescription, _ dtype: DType
  ) -> CaseBounds {
    let algorithms = NetworkBounds.dependOnAlgorithms(definition) ? engine.sums(of: item.golden.operation) : []
    let key = BoundModelCache.Key(algorithms: algorithms, narrow: dtype.isNarrow ? dtype : nil)
    func given() -> Given<Double> {
      // In 16 bits the operands are other numbers.
      let asked = exercise(
        key.narrow ?? .float64, wanted: Set(item.golden.expected.keys), passes: [.forward, .backward])
      var given: Given<Double> = definition.given(asked)
      given.oracle = oracle
      if let narrow = key.narrow { given.storage = narrow }
      return given
    }
    var bounds = models.bounds(
      for: key, make: { definition.bounds(of: given(), values: nil, algorithms: algorithms) },
      check: { model in
        // Of a part of what is timed nothing is expected but that part.
        guard !item.isPart else { return nil }
        if let network = model as? NetworkBounds { return fault(network.values, model, dtype) }
        guard algorithms.isEmpty, let found = try? oracle.found(definition.problem, given()) else { return nil }
        return fault(found.byPath.mapValues(\.elements), model, dtype)
      })
    if !algorithms.isEmpty, !(bounds.model is NetworkBounds) {
      // Whatever an engine does, the oracle adds term by term, and is held to the bound of that.
      bounds.fault = caseBounds(definition, ReferenceEngine().description, dtype).fault
    }
    return bounds
  }

  /// What is wrong with an oracle's own results of this case, as its file or the reference has them.
  /// - Parameter oracle: another than the one that the case is judged by.
  /// - Returns: `nil` where nothing is, and where it leaves the case to the definition.
  public func fault(of oracle: Oracle) -> String? {
    guard let definition, let model = caseBounds(definition, ReferenceEngine().description, .float64).model else {
      return nil
    }
    let asked = exercise(.float64, wanted: Set(item.golden.expected.keys), passes: [.forward, .backward])
    do throws(ProblemError) {
      let given: Given<Double> = definition.given(asked)
      guard let found = try oracle.found(definition.problem, given) else { return nil }
      return fault(found.byPath.mapValues(\.elements), model, .float64)
    } catch {
      return "\(error)"
    }
  }

  /// Holds results in double precision to what is expected, by their own bound.
  /// - Parameters:
  ///   - values: by path.
  ///   - model: their bounds.
  ///   - dtype: the type that is judged.
  private func fault(_ values: [String: [Double]], _ model: any BoundModel, _ dtype: DType) -> String? {
    let expected = expectations(dtype).filter { values[$0.key] != nil }
    var answer = Answer()
    for (path, tensor) in expected {
      // A shape that is not the operation's is for the engines' verdicts to name.
      guard let elements = values[path], elements.count == tensor.shape.count else { continue }
      answer[path] = .float64(Tensor(shape: tensor.shape, elements: elements))
    }
    var result = CaseResult(
      file: item.file, name: item.golden.name, operation: item.golden.operation, fill: item.golden.fill.rawValue,
      engine: "oracle", dtype: DType.float64.rawValue, status: .fail)
    var asked = exercise(.float64, wanted: Set(expected.keys), passes: [])
    asked.singles = []
    compare(
      answer, expected.filter { answer[$0.key] != nil }, asked, model, ReferenceEngine().description, into: &result)
    return result.status == .pass ? nil : result.message
  }
}
