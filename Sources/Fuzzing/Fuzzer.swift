import Engines
import Foundation
import GoldenFiles
import Operations
import Problems
import Results
import Tensors
import Verification

/// Asks engines random problems until the time or the cases are over, judges each answer as `verify` does, and shrinks what fails.
public struct Fuzzer: Sendable {
  public let plan: FuzzPlan
  /// What shrinking one failure may take.
  var shrinking = Shrinker.Budget()
  /// Called after each case, from any task: cases done, how many there are where that is known, failures, the case's name.
  private let onProgress: @Sendable (Int, Int?, Int, String) -> Void
  private let ledger: Shared<Ledger>
  private let draws: [String: ProblemDraw]

  /// What is known of a run so far.
  private struct Ledger: Sendable {
    /// When the first case was begun.
    var started: ContinuousClock.Instant?
    /// The next position that nobody has taken.
    var next: Int
    /// The first position that is not judged yet, and what is judged behind it.
    var settled: Int
    var waiting: [Int: Judged?] = [:]
    var classes: [String: DrawnClasses] = [:]
    var tallies: [String: FuzzTally] = [:]
    var book = FailureBook()
    /// The golden cases of failures, by the failure's name, engine and precision.
    var goldens: [String: GoldenCase] = [:]
    var defects: [String] = []

    /// In seconds.
    var elapsed: Double { started.map { $0.duration(to: .now) / .seconds(1) } ?? 0 }
  }

  /// One case and what every engine made of it.
  private struct Judged: Sendable {
    let fuzzed: FuzzCase
    let operation: String
    let results: [CaseResult]
  }

  public init(
    _ plan: FuzzPlan, onProgress: @escaping @Sendable (Int, Int?, Int, String) -> Void = { _, _, _, _ in }
  ) {
    self.plan = plan
    self.onProgress = onProgress
    let start = plan.earlier?.next ?? 0
    var ledger = Ledger(next: start, settled: start)
    for operation in plan.earlier?.operations ?? [] {
      ledger.classes[operation.operation] = DrawnClasses(operation)
    }
    for tally in plan.earlier?.tallies ?? [] { ledger.tallies[Self.key(tally.engine, tally.operation)] = tally }
    for failure in plan.earlier?.failures ?? [] { ledger.book.carry(failure) }
    self.ledger = Shared(ledger)
    draws = plan.operations.reduce(into: [:]) { all, name in
      all[name] = OperationRegistry.type(named: name)?.problemDraw.value
    }
  }

  private static func key(_ engine: String, _ operation: String) -> String { "\(engine)/\(operation)" }

  // MARK: Running

  /// Runs everything. When its task is cancelled it begins no further case, and shrinks no further.
  public func run() async -> FuzzingSection {
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<max(1, plan.workers) {
        group.addTask { while let (position, place) = take() { judge(position, place.operation, place.number) } }
      }
    }
    return section(interrupted: Task.isCancelled)
  }

  /// One case after the other until one fails that a correct engine passes: how long it takes to find a defect. Nothing is shrunk.
  /// - Parameter correct: asked where the plan's engine, of which there is one, fails.
  /// - Throws: ``Problems/EngineError`` where the reference does not compute a case.
  public func firstFailure(besides correct: any Engine) throws(EngineError) -> FirstFailure {
    var found = FirstFailure()
    while let (_, place) = take() {
      guard let draw = draws[place.operation], let engine = plan.engines.first else { continue }
      let fuzzed = try FuzzCase(draw, of: place.operation, number: place.number, in: plan)
      let (judge, dtype) = (fuzzed.judge, plan.dtypes[place.number % plan.dtypes.count])
      found.cases += 1
      guard judge.verdict(on: engine, dtype: dtype, threads: plan.threads).isFailure else { continue }
      let alarm = judge.verdict(on: correct, dtype: dtype, threads: plan.threads)
      guard alarm.isFailure else {
        found.problem = fuzzed.text
        break
      }
      found.alarms.append(alarm)
    }
    found.seconds = ledger.withLock { $0.elapsed }
    return found
  }

  /// How soon a defect is found.
  public struct FirstFailure: Sendable {
    /// The problem that shows it; `nil` where none did.
    public var problem: String?
    /// Problems until then.
    public var cases = 0
    public var seconds = 0.0
    /// What the correct engine fails: false alarms.
    public var alarms: [CaseResult] = []
  }

  /// One case by its number, with everything that was to be said of it.
  /// - Parameters:
  ///   - number: of the operation's cases.
  ///   - operation: one of the plan's.
  public func run(number: Int, of operation: String) -> FuzzingSection {
    judge(ledger.withLock { $0.next }, operation, number)
    return sectionOfOneCase
  }

  /// One problem with these operands.
  /// - Throws: ``Problems/EngineError`` where the reference does not compute it.
  public func run(_ problem: any OperationProblem, _ data: DataRecipe) throws(EngineError) -> FuzzingSection {
    let operation = type(of: problem).operation
    let fuzzed = try FuzzCase(
      name: "\(FuzzCase.file)/\(operation)/given", DrawnProblem(problem: problem), data, passes: plan.passes)
    judge(fuzzed, of: operation, at: ledger.withLock { $0.next }, turn: nil)
    return sectionOfOneCase
  }

  /// Nothing can go on from it.
  private var sectionOfOneCase: FuzzingSection {
    var section = section(interrupted: Task.isCancelled)
    section.turns = []
    return section
  }

  private func take() -> (Int, place: (operation: String, number: Int))? {
    guard !Task.isCancelled else { return nil }
    return ledger.withLock { ledger in
      let elapsed = ledger.elapsed
      ledger.started = ledger.started ?? .now
      if let limit = plan.seconds, elapsed >= limit { return nil }
      guard let place = plan.place(ledger.next) else { return nil }
      ledger.next += 1
      return (ledger.next - 1, place)
    }
  }

  private func judge(_ position: Int, _ operation: String, _ number: Int) {
    guard let draw = draws[operation] else { return }
    do throws(EngineError) {
      let fuzzed = try FuzzCase(draw, of: operation, number: number, in: plan)
      judge(fuzzed, of: operation, at: position, turn: number)
    } catch {
      let name = "\(FuzzCase.file)/\(operation)/\(number)"
      ledger.withLock { $0.defects.append("\(name): the reference does not compute it: \(error)") }
      settle(position, nil, name)
    }
  }

  /// - Parameter turn: decides which precision is asked in; all are where there is none.
  private func judge(_ fuzzed: FuzzCase, of operation: String, at position: Int, turn: Int?) {
    let judge = fuzzed.judge
    var results: [CaseResult] = []
    for engine in plan.engines {
      let own = plan.dtypes.filter(engine.description.dtypes.contains)
      let dtypes = own.isEmpty ? plan.dtypes : own
      for dtype in turn.map({ [dtypes[$0 % dtypes.count]] }) ?? dtypes {
        var result = judge.verdict(on: engine, dtype: dtype, threads: plan.threads)
        result.reproduce = command(result, engine, fuzzed)
        note(result, fuzzed, operation, engine, dtype, at: position)
        results.append(result)
      }
    }
    settle(position, Judged(fuzzed: fuzzed, operation: operation, results: results), fuzzed.name)
  }

  // MARK: Failures

  private func note(
    _ result: CaseResult, _ fuzzed: FuzzCase, _ operation: String, _ engine: any Engine, _ dtype: DType,
    at position: Int
  ) {
    let traits = ProblemTraits(fuzzed.drawn, fuzzed.data, dtype: dtype.rawValue, fault: fuzzed.fault)
    let subject = FailureBook.Subject(engine: engine.description.name, operation: operation)
    if result.status == .pass || result.status == .refused { ledger.withLock { $0.book.pass(traits, subject) } }
    guard result.isFailure else { return }
    var outcome = Shrinker.Outcome(smallest: fuzzed, result: result)
    let entry: Int
    switch ledger.withLock({ $0.book.note(subject, FailureKind(result), traits, at: position) }) {
    case .known: return
    case .listed(let place): entry = place
    case .new(let place):
      entry = place
      if let draw = draws[operation] {
        outcome = Shrinker.shrink(
          fuzzed, result, draw, engine, dtype, threads: plan.threads, passes: plan.passes, budget: shrinking)
        outcome.result.diagnosis = diagnosis(fuzzed, result, outcome, engine, dtype)
      }
    }
    let smallest = outcome.smallest
    var record = FuzzFailure(
      engine: subject.engine, dtype: dtype.rawValue, operation: operation, name: fuzzed.name, drawn: fuzzed.text,
      problem: smallest.text, data: smallest.data.description, result: outcome.result)
    record.trials = outcome.trials
    record.result.reproduce = command(outcome.result, engine, smallest)
    let golden = smallest.golden
    ledger.withLock { [record] ledger in
      ledger.book.fill(subject, entry, record, outcome)
      ledger.goldens[Self.goldenKey(record)] = golden
    }
  }

  /// The mistakes that give a failure as it was drawn and as it was shrunk: the smallest problem alone leaves much open.
  private func diagnosis(
    _ fuzzed: FuzzCase, _ result: CaseResult, _ outcome: Shrinker.Outcome, _ engine: any Engine, _ dtype: DType
  ) -> DiagnosisRecord? {
    func found(_ item: FuzzCase, _ result: CaseResult) -> DiagnosisRecord? {
      guard result.status == .fail else { return nil }
      return item.judge.diagnosis(of: engine, dtype: dtype, threads: result.failingThreads ?? plan.threads?.first)
    }
    let drawn = found(fuzzed, result)
    guard outcome.trials > 0, let smallest = found(outcome.smallest, outcome.result) else { return drawn }
    guard var drawn else { return smallest }
    drawn.causes = drawn.causes.compactMap { cause in
      guard let same = smallest.causes.first(where: { $0.name == cause.name }) else { return nil }
      return CauseRecord(
        name: cause.name, kind: cause.kind, sureness: cause.sureness,
        isDoubtful: cause.isDoubtful == true || same.isDoubtful == true)
    }
    return drawn
  }

  private static func goldenKey(_ failure: FuzzFailure) -> String {
    "\(failure.name) \(failure.engine) \(failure.dtype)"
  }

  /// The golden case of a failure that this run found; `nil` of one that an earlier run did.
  public func golden(of failure: FuzzFailure) -> GoldenCase? { ledger.withLock { $0.goldens[Self.goldenKey(failure)] } }

  /// The command that repeats one case on one engine: its problem and operands, or its number where something is wrong with it.
  private func command(_ result: CaseResult, _ engine: any Engine, _ fuzzed: FuzzCase) -> String {
    let parts = fuzzed.name.split(separator: "/").map(String.init)
    let subject =
      fuzzed.fault == nil
      ? ["--problem", fuzzed.drawn.problem.text, "--data", fuzzed.data.description]
      : ["--operation", parts[1], "--seed", "\(plan.seed)", "--only", parts[2]]
    return ShellCommand(["assay", "fuzz"] + subject + words(result, engine)).description
  }

  /// The words that ask an engine in the way in which it failed.
  public func words(_ result: CaseResult, _ engine: any Engine) -> [String] {
    let name = engine.description.name
    var words = EngineOptionWords.words(for: plan.engineWords[name] ?? name) + ["--dtype", result.dtype]
    if let passes = plan.passes { words += ["--pass", JudgedPass.names(passes).joined(separator: ",")] }
    if let threads = result.failingThreads.map({ [$0] }) ?? plan.threads {
      words += ["--threads", threads.map(String.init).joined(separator: ",")]
    }
    return words + (engine.description.isBuiltIn ? [] : plan.foreignWords)
  }

  // MARK: What is known

  /// Cases are counted in their order, so that a run that goes on later counts each once.
  private func settle(_ position: Int, _ judged: Judged?, _ name: String) {
    let (done, failures) = ledger.withLock { ledger in
      ledger.waiting.updateValue(judged, forKey: position)
      while let next = ledger.waiting.removeValue(forKey: ledger.settled) {
        ledger.settled += 1
        if let next { Self.count(next, in: &ledger) }
      }
      return (ledger.settled + ledger.waiting.count, ledger.tallies.values.reduce(0) { $0 + $1[.fail] + $1[.error] })
    }
    onProgress(done, plan.count, failures, name)
  }

  private static func count(_ judged: Judged, in ledger: inout Ledger) {
    let fuzzed = judged.fuzzed
    ledger.classes[judged.operation, default: DrawnClasses(operation: judged.operation)].add(
      fuzzed.drawn, fuzzed.data, paths: fuzzed.golden.expected.keys, fault: fuzzed.fault)
    for result in judged.results {
      let key = key(result.engine, judged.operation)
      var tally = ledger.tallies[key] ?? FuzzTally(engine: result.engine, operation: judged.operation)
      tally[result.status] += 1
      tally.elements += result.tensors.reduce(0) { $0 + $1.compared }
      if result.status == .pass {
        tally.worstRatio = max(tally.worstRatio, result.tensors.map(\.worstRatio).max() ?? 0)
      }
      ledger.tallies[key] = tally
    }
  }

  /// What is done at this moment, while ``run()`` goes on: what an interrupted run keeps.
  public func interruptedSection() -> FuzzingSection { section(interrupted: true) }

  private func section(interrupted: Bool) -> FuzzingSection {
    let ledger = ledger.withLock { $0 }
    var section = plan.emptySection()
    section.next = ledger.settled
    section.operations = plan.operations.compactMap { ledger.classes[$0]?.current }
    section.tallies = plan.engines.flatMap { engine in
      plan.operations.compactMap { ledger.tallies[Self.key(engine.description.name, $0)] }
    }
    section.failures = ledger.book.records(settled: ledger.settled)
    let unlisted = (plan.earlier?.unlisted ?? 0) + ledger.book.unlisted.count { $0 < ledger.settled }
    section.unlisted = unlisted > 0 ? unlisted : nil
    section.defects = (plan.earlier?.defects ?? []) + ledger.defects
    section.interrupted = interrupted
    section.seconds = (plan.earlier?.seconds ?? 0) + ledger.elapsed
    return section
  }
}
