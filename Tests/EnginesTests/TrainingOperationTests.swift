import Engines
import Operations
import Problems
import StrategyEngines
import Tensors
import Testing

/// Steps of training as engines are timed on them.
@Suite struct TrainingOperationTests {
  private static let batch = 2
  private static let steps = 3
  private static let timing = TimingRequest(pass: .trainingStep, layout: .nchw, threads: 1)

  /// Some steps as one exercise, and one step of it with the images of the first.
  private static func exercises() throws -> (run: Exercise, step: Exercise) {
    let text = "training_run n\(batch * steps)c3h32w32 t\(steps)b\(batch) archcifar_resnet8 classes10 optimizeradam"
    let problem = try Problem.parse(text)
    var run = RandomExercise(problem: problem, roles: problem.definition.roles, fill: .random, seed: 1).exercise
    run.inputs["batches"] = .int64(
      Tensor(shape: [steps, batch], elements: (0..<Int64(steps * batch)).map { $0 }))
    run.wanted = ["outputs/loss"]
    var step = run
    step.operation = ResNetProblem.operation
    step.attributes["training"] = .boolean(true)
    step.inputs = try mini(run, 0).inputs
    return (run, step)
  }

  private static func mini(_ run: Exercise, _ number: Int) throws -> LateOperands {
    guard case .float32(let images)? = run.inputs["images"] else { throw Missing() }
    let labels = try #require(run.inputs["labels"]?.integers)
    let found = LabelledImages(images: images, labels: labels).batch(Array(number * batch..<(number + 1) * batch))
    return LateOperands(inputs: ["x": .float32(found.images), "target": .int64(found.labels)])
  }

  private struct Missing: Error {}

  private static func losses(_ engine: any Engine, _ exercises: (run: Exercise, step: Exercise)) throws -> [Float] {
    let operation = try engine.prepare(exercises.step, for: timing)
    for number in 0..<steps { try operation.load(try mini(exercises.run, number), set: number) }
    #expect(try operation.collect(set: 0).outputs["loss"]?.floating(as: Float.self)?.elements[0].isNaN == true)
    #expect(try operation.time(TimedRun(visiting: Array(0..<steps))).count == steps)
    return try (0..<steps).map { number in
      try #require(try operation.collect(set: number).outputs["loss"]?.floating(as: Float.self)).elements[0]
    }
  }

  /// The values go on from step to step as in a run that is computed at once, bit for bit, and begin anew with each preparation.
  @Test(arguments: ["execution", "reference"])
  func stepsAreARun(name: String) throws {
    let engine = try #require(BuiltInEngines.named(name))
    let exercises = try Self.exercises()
    let run = try #require(try engine.compute(exercises.run).outputs["loss"]?.floating(as: Float.self))
    #expect(try Self.losses(engine, exercises) == run.elements)
    #expect(try Self.losses(engine, exercises) == run.elements)
  }

  @Test(arguments: ["execution", "reference"])
  func whatIsNoStepIsRefused(name: String) throws {
    let engine = try #require(BuiltInEngines.named(name))
    let step = try Self.exercises().step
    var evaluated = step
    evaluated.attributes["training"] = .boolean(false)
    var unknown = step
    unknown.attributes["optimizer"] = .string("lion")
    for (exercise, words) in [(evaluated, "training mode"), (unknown, "lion")] {
      do throws(EngineError) {
        _ = try engine.prepare(exercise, for: Self.timing)
        Issue.record("prepared")
      } catch { #expect("\(error)".contains(words), "\(error)") }
    }
    let operation = try engine.prepare(step, for: Self.timing)
    var short = try Self.mini(try Self.exercises().run, 0)
    short.inputs["target"] = .int64(Tensor(shape: [1], elements: [0]))
    #expect(throws: EngineError.self) { try operation.load(short, set: 0) }
    #expect(throws: EngineError.self) { try operation.time(TimedRun(visiting: [7])) }
  }
}
