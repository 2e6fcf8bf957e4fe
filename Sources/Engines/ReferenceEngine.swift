import OperatingSystem
import Operations
import Problems
import Tensors

/// The definitions of the operations as an engine: every operation of the golden format, both passes.
public struct ReferenceEngine: Engine {
  public init() {}

  /// Its threads share a convolution by whole planes, which changes no bit; a test holds it to that.
  public var description: EngineDescription {
    EngineDescription(
      name: "reference", version: "1", operations: OperationRegistry.names, usesThreads: false, isBuiltIn: true,
      info: ["implementation": "generic Swift, sums in source order"], trust: .host)
  }

  public func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    do throws(ProblemError) { return try work(exercise)() } catch { throw EngineError(error) }
  }

  public func prepare(
    _ exercise: Exercise, for timing: TimingRequest
  ) throws(EngineError) -> any PreparedOperation {
    guard timing.threads == 1 else { throw .unsupported("the reference runs on one thread") }
    guard timing.layout == .nchw else { throw .unsupported("the reference keeps NCHW between layers") }
    if timing.pass == .trainingStep, exercise.attributes["optimizer"] != nil { return try training(exercise) }
    do throws(ProblemError) {
      let timed = try timed(exercise, timing.pass)
      // What the problem refuses is refused here.
      let run = try work(timed)
      // One gradient is timed only where it is computed alone.
      if timed.passes == [.backward], try run().paths.contains(where: { !timed.wanted.contains($0) }) {
        throw notTimed(timing.pass, exercise)
      }
      return ReferenceOperation(summary: "plain loops, \(exercise.dtype.rawValue)", exercise: timed) {
        (exercise) throws(ProblemError) in try work(exercise)
      }
    } catch {
      throw EngineError(error)
    }
  }

  /// A network and an optimiser, ready for the first step.
  private func training(_ exercise: Exercise) throws(EngineError) -> any PreparedOperation {
    let asked = try TrainingExercise(exercise)
    var step = try asked.step(exercise)
    return TrainingOperation(asked.network, summary: "plain loops, float32") { (batch) throws(EngineError) in
      do throws(ProblemError) { return Double(try step.run(asked.network.plan, batch).loss) } catch {
        throw EngineError(error)
      }
    }
  }

  private typealias Work = () throws(ProblemError) -> Answer

  /// What answers the exercise, with its operands read in its precision.
  private func work(_ exercise: Exercise) throws(ProblemError) -> Work {
    let definition = try definition(of: exercise)
    for (name, tensor) in exercise.upstream where tensor.dtype == .int64 {
      throw ProblemError(
        .unsupportedDType, "upstream/\(name)", expected: "float32 or float64", found: tensor.dtype.rawValue)
    }
    switch exercise.dtype {
    case .float32:
      let given: Given<Float> = definition.given(exercise)
      return { () throws(ProblemError) in Answer(try definition.compute(given)) }
    case .float64:
      let given: Given<Double> = definition.given(exercise)
      return { () throws(ProblemError) in Answer(try definition.compute(given)) }
    default:
      throw ProblemError(
        .unsupportedDType, "dtype", expected: "float32 or float64", found: exercise.dtype.rawValue)
    }
  }

  private func definition(of exercise: Exercise) throws(ProblemError) -> any Operation {
    guard let operation = try OperationRegistry.operation(of: exercise) else {
      throw ProblemError(
        .invalidArgument, "operation", expected: "one of \(OperationRegistry.names.sorted().joined(separator: ", "))",
        found: "'\(exercise.operation)'")
    }
    return operation
  }

  /// The exercise of which nothing is left but what one timed iteration computes.
  private func timed(
    _ exercise: Exercise, _ pass: TimingRequest.TimedPass
  ) throws(ProblemError) -> Exercise {
    var timed = exercise
    timed.threads = 1
    switch pass {
    case .forward, .inference:
      timed.upstream = [:]
      timed.passes = [.forward]
    case .trainingStep:
      timed.passes = [.forward, .backward]
      timed.wanted = []
    case .backwardData: try restrict(&timed, toGradient: "x", pass)
    case .backwardWeight: try restrict(&timed, toGradient: "weight", pass)
    }
    return timed
  }

  private func notTimed(_ pass: TimingRequest.TimedPass, _ exercise: Exercise) -> ProblemError {
    ProblemError(
      .invalidArgument, "pass", expected: "forward, inference or training_step for \(exercise.operation)",
      found: pass.rawValue)
  }

  /// The backward pass to one operand alone, under cotangents of ones where there are none.
  private func restrict(
    _ exercise: inout Exercise, toGradient operand: String, _ pass: TimingRequest.TimedPass
  ) throws(ProblemError) {
    let definition = try definition(of: exercise)
    guard definition.differentiableOperands.value?.contains(operand) == true else {
      throw notTimed(pass, exercise)
    }
    exercise.passes = [.backward]
    exercise.wanted = ["gradients/\(operand)"]
    if exercise.upstream.isEmpty {
      for (name, type) in definition.problem.outputs where type.dtype != .int64 {
        exercise.upstream[name] = .float32(Tensor(shape: type.shape, repeating: 1))
      }
    }
  }
}

/// A prepared operation of the reference: it allocates its results anew on each run, as its user would.
private final class ReferenceOperation: PreparedOperation {
  typealias Work = () throws(ProblemError) -> Answer

  /// The operands of one set, read in the precision that is timed, and what the last run on them left.
  private final class Operands {
    let run: Work
    var answer = Answer()

    init(_ run: @escaping Work) { self.run = run }
  }

  let workspaceBytes = 0
  let summary: String
  private let exercise: Exercise
  private let work: (Exercise) throws(ProblemError) -> Work
  private var sets: [Int: Operands] = [:]
  private var flush = CacheFlush()

  init(summary: String, exercise: Exercise, work: @escaping (Exercise) throws(ProblemError) -> Work) {
    self.summary = summary
    self.exercise = exercise
    self.work = work
  }

  func load(_ operands: LateOperands, set: Int) throws(EngineError) {
    var late = operands
    if exercise.passes == [.forward] { late.upstream = [:] }
    do throws(ProblemError) { sets[set] = Operands(try work(exercise.with(late))) } catch { throw EngineError(error) }
  }

  func time(_ timed: TimedRun) throws(EngineError) -> [UInt64] {
    var visited: [Operands] = []
    for set in timed.sets {
      guard let operands = sets[set] else { throw notLoaded(set) }
      // What is not computed anew is not there to be collected.
      operands.answer = Answer()
      visited.append(operands)
    }
    var durations: [UInt64] = []
    for iteration in 0..<timed.iterations {
      let operands = visited[iteration % visited.count]
      if timed.cold { flush.flush() }
      let start = ContinuousClock.now
      do throws(ProblemError) { operands.answer = try operands.run() } catch { throw EngineError(error) }
      durations.append(UInt64((ContinuousClock.now - start).nanoseconds))
    }
    return durations
  }

  func collect(set: Int) throws(EngineError) -> Answer {
    guard let operands = sets[set] else { throw notLoaded(set) }
    return operands.answer
  }
}
