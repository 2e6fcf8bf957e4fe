import Problems
import Operations
import Tensors

/// The plain implementations of `Reference` as an engine: every operation of the golden format, both passes.
public struct ReferenceEngine: Engine {
  public init() {}

  public var description: EngineDescription {
    EngineDescription(
      name: "reference", version: "1", operations: Set(Problem.types.keys), isBuiltIn: true,
      info: ["implementation": "generic Swift, sums in source order"])
  }

  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    do throws(ProblemError) {
      guard let problem = try exercise.problem() else { throw unknown(exercise) }
      switch exercise.dtype {
      case .float32: return try answer(to: ReferenceRequest<Float>(exercise), problem)
      case .float64: return try answer(to: ReferenceRequest<Double>(exercise), problem)
      case .int64: throw unsupported(exercise.dtype)
      }
    } catch {
      throw EngineError(error)
    }
  }

  public func prepare(
    _ exercise: Exercise, for timing: TimingRequest
  ) throws(EngineError) -> any PreparedOperation {
    guard timing.threads == 1 else { throw .unsupported("the reference runs on one thread") }
    guard timing.layout == .nchw else { throw .unsupported("the reference keeps NCHW between layers") }
    do throws(ProblemError) {
      guard let problem = try exercise.problem() else { throw unknown(exercise) }
      let run: () throws(ProblemError) -> Void
      switch exercise.dtype {
      case .float32: run = try work(ReferenceRequest<Float>(exercise), problem, timing.pass)
      case .float64: run = try work(ReferenceRequest<Double>(exercise), problem, timing.pass)
      case .int64: throw unsupported(exercise.dtype)
      }
      // Once before timing, so that what the problem refuses is refused here.
      try run()
      return ReferenceOperation(summary: "plain loops, \(exercise.dtype.rawValue)", run: run)
    } catch {
      throw EngineError(error)
    }
  }

  private func unknown(_ exercise: Exercise) -> ProblemError {
    ProblemError(
      .invalidArgument, "operation", expected: "one of \(Problem.types.keys.sorted().joined(separator: ", "))",
      found: "'\(exercise.operation)'")
  }

  private func unsupported(_ dtype: DType) -> ProblemError {
    ProblemError(.unsupportedDType, "dtype", expected: "float32 or float64", found: dtype.rawValue)
  }

  /// What one timed iteration runs.
  private func work<Scalar: ReferenceScalar>(
    _ request: ReferenceRequest<Scalar>, _ problem: any OperationProblem, _ pass: TimingRequest.TimedPass
  ) throws(ProblemError) -> () throws(ProblemError) -> Void {
    if let problem = problem as? Conv2dProblem, pass == .backwardData || pass == .backwardWeight {
      let layer = Conv2d(problem)
      let (x, weight) = (try request.input("x"), try request.parameter("weight"))
      let dOutput = try request.upstream("y") ?? Tensor(shape: problem.outputShape, repeating: 1)
      return pass == .backwardData
        ? { () throws(ProblemError) in _ = try layer.backwardInput(dOutput, weight: weight) }
        : { () throws(ProblemError) in _ = try layer.backwardWeight(dOutput, x: x) }
    }
    var timed = request
    switch pass {
    case .forward, .inference: timed.exercise.upstream = [:]
    case .trainingStep: break
    case .backwardData, .backwardWeight:
      throw ProblemError(
        .invalidArgument, "pass", expected: "forward, inference or training_step for \(request.exercise.operation)",
        found: pass.rawValue)
    }
    return { [timed] () throws(ProblemError) in _ = try answer(to: timed, problem) }
  }
}

/// A prepared operation of the reference: it allocates its results anew on each run, as its user would.
private final class ReferenceOperation: PreparedOperation {
  let workspaceBytes = 0
  let summary: String
  private let run: () throws(ProblemError) -> Void
  private var flushed = [UInt8](repeating: 0, count: 0)

  init(summary: String, run: @escaping () throws(ProblemError) -> Void) {
    self.summary = summary
    self.run = run
  }

  func time(iterations: Int, cold: Bool) throws(EngineError) -> [UInt64] {
    let clock = ContinuousClock()
    var durations: [UInt64] = []
    for _ in 0..<iterations {
      if cold { flush() }
      let start = clock.now
      do throws(ProblemError) { try run() } catch { throw EngineError(error) }
      let (seconds, attoseconds) = start.duration(to: clock.now).components
      durations.append(UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000))
    }
    return durations
  }

  /// Writes more memory than any cache of the machine holds, so that nothing of the operands is left in one.
  private func flush() {
    if flushed.isEmpty { flushed = [UInt8](repeating: 0, count: 256 << 20) }
    for i in stride(from: 0, to: flushed.count, by: 64) { flushed[i] &+= 1 }
  }
}
