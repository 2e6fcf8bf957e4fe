import Benchmarking
import Engines
import Foundation
import GoldenFiles
import OperatingSystem
import Operations
import Problems
import Results
import Verification

/// Engines that cheat, against the gate as users meet it: verification with fresh cases, then a benchmark beside an honest
/// engine, with its audit.
///
/// They are tried one after the other, since the audit's figures are of a machine that does nothing else.
public final class CheatTrial {
  /// What all of them compute.
  static let operation = Conv2dProblem.operation
  /// Milliseconds of work for a plain loop, so that what requests cost by themselves is little.
  private static let problem = "conv2d n4c16h14w14 k16r3s3 stride1 pad1"
  private static let freshCases = 20
  /// A network whose step takes the definition a tenth of a second.
  private static let trainedNetwork = (name: "cifar_resnet8", batch: 2)

  public let cheats: [Cheat]
  private let tools: CheatTools
  private let nulls: NullEngines
  private let seed: UInt64
  private let blocks: Int
  private let shouldStop: () -> Bool
  private var ceilings: [CeilingRecord] = []
  private var twins: [Cheat.Way: any Engine] = [:]
  private var fresh: [CaseVerifier] = []

  /// - Parameters:
  ///   - cheats: which ones; honest ones among them must not be caught.
  ///   - tools: what builds and starts them.
  ///   - nulls: the engines that do nothing, for the audit.
  ///   - seed: of fresh cases and operands.
  ///   - blocks: of each benchmark, with two turns each: six turns decide.
  ///   - shouldStop: asked before each step.
  public init(
    cheats: [Cheat] = Cheat.all, tools: CheatTools, nulls: NullEngines, seed: UInt64, blocks: Int = 6,
    shouldStop: @escaping () -> Bool = { false }
  ) {
    self.cheats = cheats
    self.tools = tools
    self.nulls = nulls
    self.seed = seed
    self.blocks = blocks
    self.shouldStop = shouldStop
  }

  /// What one of them came to.
  enum Outcome {
    /// Of a cheat.
    case tried(MutantRecord)
    /// Of an honest one: what was held against it, all of it false.
    case spared(checks: Int, alarms: [String])
  }

  /// Tries one.
  /// - Parameter goldens: cases of convolution, for verification.
  func outcome(of cheat: Cheat, goldens: [CaseVerifier]) throws -> Outcome {
    let started = ContinuousClock.now
    var record = MutantRecord(name: cheat.name, family: Mutant.Family.cheats.rawValue)
    var alarms: [String] = []
    var checks = 0
    do {
      let engine = try tools.engine(cheat)
      // Steps of training are no answer to a case.
      let cases = cheat.way == .training ? [] : try goldens + freshVerifiers()
      let found = try verdict(on: engine, cases, cheat, &checks)
      record.verifyKill = found.kill?.name
      record.verifyDetail = (found.kill?.message ?? found.other).map(Self.firstLine)
      if found.kill == nil, found.other == nil {
        let audit = try benchmark(cheat, engine, &checks, &alarms)
        record.benchKill = audit.rule
        record.benchDetail = audit.evidence
      }
      if cheat.isHonest {
        for what in [found.other, record.benchDetail].compactMap(\.self) { alarms.append("\(cheat.name): \(what)") }
        return .spared(checks: checks, alarms: alarms)
      }
      if cheat.speaksProtocols { record.firstProtocolKill = try firstProtocol(cheat, goldens) }
    } catch let missing as CheatTools.Missing {
      if cheat.isHonest { return .spared(checks: 0, alarms: []) }
      record.notRun = missing.description
    } catch let error as EngineError {
      // One that does not even start is not what it is said to be.
      if cheat.isHonest { return .spared(checks: checks, alarms: ["\(cheat.name): \(Self.firstLine("\(error)"))"]) }
      record.verifyDetail = Self.firstLine("\(error)")
    }
    record.seconds = started.duration(to: .now).seconds
    // An honest engine that was timed beside it and is accused is a false alarm, too.
    guard let alarm = alarms.first else { return .tried(record) }
    record.benchDetail = [record.benchDetail, alarm].compactMap(\.self).joined(separator: "; ")
    return .tried(record)
  }

  /// Without the request and the log of an engine that failed.
  private static func firstLine(_ text: String) -> String { String(text.prefix { $0 != "\n" }) }

  /// Cases that no file holds.
  private func freshVerifiers() throws -> [CaseVerifier] {
    if fresh.isEmpty {
      let cases = FreshCases(count: Self.freshCases, seed: seed, operations: [Conv2dProblem.operation])
      fresh = try cases.summaries.map {
        CaseVerifier(VerificationCase(file: FreshCases.file, oracle: .float64, golden: try cases.golden($0)))
      }
    }
    return fresh
  }

  /// The first verdict by a rule that names the cheat; else another verdict against it.
  private func verdict(
    on engine: any Engine, _ verifiers: [CaseVerifier], _ cheat: Cheat, _ checks: inout Int
  ) throws -> (kill: CaseResult?, other: String?) {
    var other: String?
    for verifier in verifiers where !shouldStop() {
      let result = verifier.verify(engine, dtype: .float32)
      checks += 1
      guard [.fail, .error].contains(result.status) else { continue }
      let isNamed = cheat.caughtBy.contains { rule in
        if case .verification(let words) = rule { result.message.contains(words) } else { false }
      }
      if isNamed { return (result, nil) }
      other = other ?? "verify \(result.name): \(result.message)"
    }
    return (nil, other)
  }

  private func twin(_ way: Cheat.Way) throws -> any Engine {
    if let known = twins[way] { return known }
    let honest = Cheat(way, way == .process ? "engine" : "none", "twin")
    let engine = try tools.engine(honest, named: "honest-\(way.rawValue)")
    twins[way] = engine
    return engine
  }

  private func suite(of cheat: Cheat) -> BenchmarkSuite {
    var suite = BenchmarkSuite(name: "cheats")
    if cheat.way == .training {
      suite.timesWholeNetworks = true
      suite.passes = [.trainingStep]
      suite.networks = [Self.trainedNetwork.name]
      suite.batches = [Self.trainedNetwork.batch]
    } else {
      suite.problems = [Self.problem]
    }
    suite.threads = [cheat.threads]
    suite.blocks = blocks
    return suite
  }

  /// - Returns: the rule that names the cheat, or what else is held against it.
  private func benchmark(
    _ cheat: Cheat, _ engine: any Engine, _ checks: inout Int, _ alarms: inout [String]
  ) throws -> (rule: String?, evidence: String?) {
    let suite = suite(of: cheat)
    let contestants = [try twin(cheat.way), engine]
    var section = BenchmarkSection(
      suite: suite.name,
      options: BenchmarkOptions(
        blocks: suite.blocks, sliceMilliseconds: suite.sliceMilliseconds, cold: false, dtype: suite.dtype.rawValue,
        baseline: contestants[0].description.name), machine: MachineProbe.record(), engines: [])
    section.ceilings = ceilings
    let runner = BenchmarkRunner(
      plan: try BenchmarkPlan(suite), suite: suite, engines: contestants, seed: seed, nulls: nulls,
      shouldStop: shouldStop)
    try runner.run(&section) { _ in }
    ceilings = section.ceilings
    guard let found = section.workloads.first?.contestants, found.count == 2 else { return (nil, nil) }
    checks += 1
    if found[0].status != .timed { alarms.append("the honest \(cheat.way.rawValue) beside it: \(found[0].message)") }
    let violations = found[1].audit?.violations ?? []
    if let named = violations.first(where: { cheat.caughtBy.contains(.audit($0.rule)) }) {
      return (named.rule.rawValue, named.evidence)
    }
    // What the timed path gave before the first slice is its output, too.
    if found[1].status == .wrong, cheat.caughtBy.contains(.audit(.outputs)) {
      return (AuditRule.outputs.rawValue, "before the first slice: \(found[1].message)")
    }
    guard found[1].status != .timed else { return (nil, nil) }
    let failure = "\(found[1].status.rawValue): \(found[1].message)"
    let isNamed = cheat.caughtBy.contains { rule in
      if case .failedBenchmark(let words) = rule { found[1].message.contains(words) } else { false }
    }
    return (isNamed ? found[1].status.rawValue : nil, failure)
  }

  /// What the checks of the protocol's first version make of it, by which an engine is given everything at once, computes with
  /// one thread, once, and its durations are believed where they fit into the request.
  /// - Returns: empty where they take it for honest.
  private func firstProtocol(_ cheat: Cheat, _ goldens: [CaseVerifier]) throws -> String {
    let engine = try tools.engine(cheat, protocolVersion: 1)
    for verifier in goldens where !shouldStop() {
      let result = verifier.verify(engine, dtype: .float32, threads: [1], repeating: false)
      if [.fail, .error].contains(result.status) { return "verify \(result.name): \(result.message)" }
    }
    do throws(EngineError) {
      let problem: any OperationProblem
      do throws(ProblemError) { problem = try Problem.parse(Self.problem) } catch { throw EngineError(error) }
      let random = RandomExercise(problem: problem, roles: problem.definition.roles, fill: .random, seed: seed)
      var exercise = random.exercise
      exercise.passes = [.forward]
      exercise.upstream = [:]
      let operation = try engine.prepare(
        exercise, for: TimingRequest(pass: .forward, layout: .nchw, threads: cheat.threads))
      for _ in 0..<3 { _ = try operation.time(TimedRun(sets: [0], iterations: 10)) }
    } catch { return "bench: \(Self.firstLine("\(error)"))" }
    return ""
  }
}
