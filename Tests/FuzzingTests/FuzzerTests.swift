import Engines
import Fuzzing
import Operations
import Problems
import Results
import StrategyEngines
import Tensors
import Testing
import Verification

/// Random problems: the same from a seed, judged as they should be, and shrunk where they fail.
@Suite struct FuzzerTests {
  private func plan(_ engine: any Engine, _ operation: String, cases: Int, seed: UInt64 = 1) -> FuzzPlan {
    var plan = FuzzPlan(engines: [engine], operations: [operation], dtypes: [.float32], seed: seed)
    plan.cases = cases
    return plan
  }

  /// The cases' names and texts, in order.
  private func cases(_ plan: FuzzPlan) async -> [String] {
    let found = Shared<[String]>([])
    let engine = Recording(base: ReferenceEngine()) { exercise in
      let text = (try? exercise.problem()).flatMap { $0?.text } ?? "\(exercise.operation) invalid"
      found.withLock { $0.append("\(text) \(exercise.inputs["x"]?.doubles.elements.first ?? 0)") }
    }
    var plan = plan
    plan.engines = [engine]
    plan.threads = [1]
    _ = await Fuzzer(plan).run()
    return found.withLock { $0.sorted() }
  }

  @Test func `the same seed gives the same problems, in shards and with more workers`() async throws {
    let whole = await cases(plan(ReferenceEngine(), "add", cases: 30))
    #expect(whole.count >= 30 && Set(whole).count > 20)
    var wide = plan(ReferenceEngine(), "add", cases: 30)
    wide.workers = 4
    #expect(await cases(wide) == whole)
    var parts: [String] = []
    for index in 0..<3 {
      var part = plan(ReferenceEngine(), "add", cases: 30)
      part.shard = try Shard(index: index, count: 3)
      parts += await cases(part)
    }
    #expect(parts.sorted() == whole)
    #expect(await cases(plan(ReferenceEngine(), "add", cases: 30, seed: 2)) != whole)
  }

  @Test func `a run that goes on ends as one that was never stopped`() async throws {
    func section(_ cases: Int, after earlier: FuzzingSection? = nil) async -> FuzzingSection {
      var plan = plan(ReferenceEngine(), "max_pool2d", cases: cases)
      plan.earlier = earlier
      return await Fuzzer(plan).run()
    }
    let whole = await section(24)
    let resumed = await section(24, after: section(10))
    #expect(resumed.operations == whole.operations && resumed.tallies == whole.tallies)
    #expect(whole.operations[0].cases == 24 && resumed.next == whole.next)
  }

  @Test func `what is correct passes, and what is invalid is refused`() async {
    let section = await Fuzzer(plan(ReferenceEngine(), "cross_entropy", cases: 120)).run()
    #expect(section.failures.isEmpty, "\(section.failures.map(\.result.message))")
    #expect(section.count(.pass) > 80 && section.count(.refused) > 3)
    #expect(section.conclusion.outcome == .holds, "\(section.conclusion)")
  }

  @Test func `an engine that refuses nothing is found out`() async {
    let lax = Lax(base: ReferenceEngine())
    let section = await Fuzzer(plan(lax, "linear", cases: 60)).run()
    let failure = section.failures.first { $0.result.message.hasPrefix("expected a refusal") }
    #expect(failure?.common == "fails only where case = to be refused")
    #expect(section.conclusion.outcome == .fails)
  }

  @Test func `what fails is explained where the drawn problem and the smallest agree`() async throws {
    var engine = WrongEngine(name: "no bias") { _ in true }
    engine.spoil = { answer, exercise in
      guard let bias = exercise.parameters["bias"]?.doubles.elements else { return }
      answer.outputs.edit("y") { y in y = y.indexed { $1 - bias[$0[1]] } }
    }
    let section = await Fuzzer(plan(engine, "linear", cases: 30)).run()
    let failure = try #require(section.failures.first { $0.trials > 0 })
    let causes = try #require(failure.result.diagnosis?.causes)
    #expect(causes.contains { $0.name == "dropped bias" || $0.name == "bias dropped" }, "\(causes)")
    #expect(failure.result.cause != nil)
  }

  @Test func `one pass alone is judged, and nothing that must be refused is drawn`() async throws {
    var engine = WrongEngine(name: "no weight") { _ in true }
    engine.spoil = { answer, _ in answer.gradients.edit("weight") { dw in dw = dw.map { $0 + 1 } } }
    var plan = plan(engine, "linear", cases: 40)
    plan.passes = [.forward, .backwardData]
    plan.asksRefusals = false
    let section = await Fuzzer(plan).run()
    #expect(section.conclusion.outcome == .holds && section.resultCount == 40, "\(section.conclusion)")
    #expect(section.count(.refused) == 0 && section.operations[0].invalid == 0)
    plan.passes = [.backwardWeight]
    let wrong = await Fuzzer(plan).run()
    let failure = try #require(wrong.failures.first)
    #expect(failure.result.reproduce.contains("--pass backward_weight"))
    #expect(wrong.differences(from: section).map(\.name) == ["--pass"])
    #expect(plan.difference(from: section) == "--pass" && plan.difference(from: wrong) == nil)
  }

  /// Two defects of one tensor, the second of which every small problem has.
  @Test func `shrinking keeps to the kind of failure that it began with`() async throws {
    var engine = WrongEngine(name: "two defects") { _ in true }
    engine.spoil = { answer, exercise in
      let width = exercise.inputs["x"]?.shape.dimensions.last ?? 0
      answer.outputs.edit("y") { y in
        guard y.count > 0 else { return }
        if width < 8 { y.elements[0] = .nan } else if width % 16 == 15 { y.elements[y.count - 1] += 1 }
      }
    }
    let section = await Fuzzer(plan(engine, "relu", cases: 300)).run()
    let values = section.failures.filter { $0.result.tensors[0].worst?.got.isNaN == false }
    #expect(values.map(\.problem) == ["relu shape15"], "\(section.failures.map(\.problem))")
    #expect(section.failures.contains { $0.problem == "relu shape1" && $0.result.tensors[0].worst?.got.isNaN == true })
  }

  /// More kinds than are shrunk: each is named, and none is counted as another.
  @Test func `every kind of failure is listed, and counted as what it is`() async {
    let section = await Fuzzer(plan(Complaining(), "relu", cases: 300)).run()
    let kinds = Set(section.failures.map(\.result.message))
    #expect(kinds.count == Complaining.words.count && section.failures.count == kinds.count, "\(kinds)")
    #expect(section.failures.reduce(0) { $0 + $1.count } == section.count(.error))
    #expect(section.failures.contains { $0.trials == 0 } && section.unlisted == nil)
  }

  @Test func `what an earlier run found is told once`() async throws {
    let engine = WrongEngine(name: "tails") { ($0.operands.inputs["x"]?.shape.dimensions.last ?? 0) % 16 == 15 }
    let whole = await Fuzzer(plan(engine, "relu", cases: 300)).run()
    var first = await Fuzzer(plan(engine, "relu", cases: 150)).run()
    let found = try #require(first.failures.first)
    #expect(found.count > 1 && first.failures.count == 1)
    // As if a signal had come while the last of them was not settled: it will be judged again.
    let last = try #require(first.operations.first?.cases)
    first.failures[0].unsettled = nil
    var second = plan(engine, "relu", cases: 300)
    second.earlier = first
    let resumed = await Fuzzer(second).run()
    #expect(last == 150 && resumed.failures.map(\.problem) == whole.failures.map(\.problem))
    #expect(resumed.failures.map(\.count) == whole.failures.map(\.count))
    first.failures[0].unsettled = found.count
    second.earlier = first
    #expect(await Fuzzer(second).run().failures.map(\.count) == [whole.failures[0].count - found.count])
  }

  @Test func `a run goes on as the same plan alone`() async {
    let section = await Fuzzer(plan(ReferenceEngine(), "relu", cases: 3)).run()
    #expect(plan(ReferenceEngine(), "relu", cases: 9).difference(from: section) == nil)
    #expect(plan(ReferenceEngine(), "add", cases: 9).difference(from: section) == "choice of operations")
    #expect(plan(ReferenceEngine(), "relu", cases: 9, seed: 2).difference(from: section) == "seed")
    let one = Fuzzer(plan(ReferenceEngine(), "relu", cases: 3)).run(number: 1, of: "relu")
    #expect(plan(ReferenceEngine(), "relu", cases: 9).difference(from: one) == "choice of operations")
  }

  @Test func `a defect is found where the correct engine has none`() throws {
    let engine = WrongEngine(name: "tails") { ($0.operands.inputs["x"]?.shape.dimensions.last ?? 0) % 16 == 15 }
    let fuzzer = { Fuzzer(self.plan(engine, "relu", cases: 60)) }
    let found = try fuzzer().firstFailure(besides: ReferenceEngine())
    #expect(found.problem != nil && found.alarms.isEmpty && found.cases < 60)
    let same = try fuzzer().firstFailure(besides: engine)
    #expect(same.problem == nil && same.cases == 60 && !same.alarms.isEmpty)
  }

  /// Found by 108,000 problems: roundings that are alike in a whole channel, and gates that a sum opens that cancels.
  @Test(arguments: [
    ("bottleneck", 1_139), ("bottleneck", 1_903), ("bottleneck", 2_799), ("residual_block", 3_241),
    ("residual_block", 3_345), ("residual_block", 3_603),
  ])
  func `blocks' bounds know errors that add up`(operation: String, number: Int) {
    var plan = FuzzPlan(engines: [ReferenceEngine()], operations: [operation])
    plan.workers = 1
    let section = Fuzzer(plan).run(number: number, of: operation)
    #expect(section.count(.pass) == 1, "\(section.failures.map(\.result.message))")
  }

  typealias Wrong = (
    name: String, operation: String, isWrong: @Sendable (any OperationProblem) -> Bool, text: String
  )

  /// Wrong for one class, one interaction, one pass: what is found, and the smallest problem that there is.
  static let wrong: [Wrong] = [
    ("odd tails", "relu", { ($0.operands.inputs["x"]?.shape.dimensions.last ?? 0) % 16 == 15 }, "relu shape15"),
    ("many classes", "softmax", { ($0.operands.inputs["x"]?.shape[1] ?? 0) > 100 }, "softmax n1c101"),
    (
      "more than 32 images", "linear", { ($0.operands.inputs["x"]?.shape[0] ?? 0) > 32 }, "linear n33c1 k1 nobias"
    ),
    (
      "groups with a stride", "conv2d",
      { problem in
        guard let conv = problem as? Conv2dProblem else { return false }
        return conv.groups > 1 && conv.stride.width > 1
      }, "conv2d n1c2h1w1 k2r1s1 stride1x2 pad0 groups2"
    ),
  ]

  @Test(arguments: wrong.indices)
  func `a failure is shrunk to the smallest problem, and named`(index: Int) async throws {
    let (name, operation, isWrong, text) = Self.wrong[index]
    let section = await Fuzzer(plan(WrongEngine(name: name, isWrong: isWrong), operation, cases: 400)).run()
    let failure = try #require(section.failures.first, "nothing was found in \(section.caseCount) cases")
    #expect(section.failures.count == 1, "\(section.failures.map(\.problem))")
    #expect(failure.problem == text, "\(failure.drawn), \(failure.trials) trials")
    #expect(failure.count > 1 && failure.common?.hasPrefix("fails only where ") == true, "\(failure.common ?? "")")
    #expect(failure.result.reproduce.contains("--problem"), "\(failure.result.reproduce)")
    let data = try #require(DataRecipe(failure.data))
    #expect(!data.constants.isEmpty, "\(failure.data)")
    // It fails again from its one line.
    let again = try Fuzzer(plan(WrongEngine(name: name, isWrong: isWrong), operation, cases: 1)).run(
      Problem.parse(failure.problem), data)
    #expect(again.failures.count == 1)
  }

  /// What a hundred thousand problems found wrong with the bounds of blocks: two gates on a tie whose changes cancel where both
  /// flip, and single roundings of denormals, which a deviation of an eighth of their bound does not cover.
  static let onceAlarms: [(problem: String, data: String)] = [
    (
      "basic_block n2c1h2w56 k1",
      "exact@3625434446,bn1.bias=ones,bn1.running_var=ones,bn1.weight=ones,bn2.bias=zeros,bn2.running_var=zeros,"
        + "bn2.weight=ones,upstream/y=ones"
    ),
    ("bottleneck n5c1h1w5 k1 projection stride3 training", "denormal@2922498275," + Self.zeros),
    ("bottleneck n1c1h1w3 k1 projection stride2 training", "denormal@367344978," + Self.zeros),
  ]

  /// Everything but the shortcut's convolution and its bias.
  private static let zeros =
    (["conv1.weight", "conv2.weight", "conv3.weight", "downsample.1.running_mean", "downsample.1.running_var"]
    + ["downsample.1.weight"]
    + ["bn1", "bn2", "bn3"].flatMap { norm in
      ["bias", "running_mean", "running_var", "weight"].map { "\(norm).\($0)" }
    }).map { "\($0)=zeros" }.joined(separator: ",")

  @Test(arguments: onceAlarms) func `what were false alarms hold`(_ found: (problem: String, data: String)) throws {
    let data = try #require(DataRecipe(found.data))
    let problem = try Problem.parse(found.problem)
    for engine in BuiltInEngines.all where ["reference", "execution"].contains(engine.description.name) {
      let section = try Fuzzer(plan(engine, type(of: problem).operation, cases: 1)).run(problem, data)
      #expect(section.conclusion.outcome == .holds, "\(section.failures.map(\.result.message))")
    }
  }

  /// Every built-in engine, in both precisions: what fails here is a false alarm, or a defect of ours.
  @Test func `nothing of ours fails on thousands of random problems`() async {
    var plan = FuzzPlan(engines: BuiltInEngines.all, dtypes: [.float32, .float64])
    plan.cases = 190
    plan.workers = 2
    let section = await Fuzzer(plan).run()
    #expect(section.caseCount >= 5_000 && section.resultCount >= 5_000 * BuiltInEngines.all.count)
    for failure in section.failures {
      Issue.record(
        "\(failure.name) of \(failure.engine): \(failure.problem), \(failure.data): \(failure.result.message)")
    }
    #expect(section.conclusion.outcome == .holds, "\(section.conclusion)")
  }

  @Test func `time ends a run, and it holds`() async {
    var plan = FuzzPlan(engines: [ReferenceEngine()], operations: ["relu"], dtypes: [.float64])
    plan.seconds = 0.2
    let section = await Fuzzer(plan).run()
    #expect(section.conclusion.outcome == .holds && section.caseCount > 0)
  }
}

/// Tells what it is asked.
private struct Recording: Engine {
  let base: any Engine
  let record: @Sendable (Exercise) -> Void
  var description: EngineDescription { base.description }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    record(exercise)
    return try base.compute(exercise)
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    try base.prepare(exercise, for: timing)
  }
}

/// Fails in many ways, by the last extent.
private struct Complaining: Engine {
  static let words = ["ash", "beech", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak"]
  var description: EngineDescription { EngineDescription(name: "complaining", version: "1", usesThreads: false) }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    let width = exercise.inputs["x"]?.shape.dimensions.last ?? 0
    throw .failed("no \(Self.words[width % Self.words.count])")
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("nobody times it")
  }
}

/// Answers with nothing where it should refuse.
private struct Lax: Engine {
  let base: any Engine
  var description: EngineDescription { base.description }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    do throws(EngineError) { return try base.compute(exercise) } catch {
      if case .refused = error { return Answer() }
      throw error
    }
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    try base.prepare(exercise, for: timing)
  }
}
