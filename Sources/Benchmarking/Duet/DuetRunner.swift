import Engines
import Foundation
import OperatingSystem
import Problems
import Results
import RunAnalysis
import Tensors
import Verification

/// Runs a gate: base and head in interleaved pairs, both restarted for each block, and the base against itself beside them.
public final class DuetRunner {
  /// Why a gate cannot be run at all.
  public struct Failure: Error, CustomStringConvertible {
    public var description: String
  }

  private var items: [BenchmarkPlan.Item]
  private let base: ProcessEngine
  private let head: ProcessEngine
  private let twin: ProcessEngine
  private let gate: DuetGate
  private let sliceNanoseconds: Double
  private let seed: UInt64
  private let onProgress: (_ done: Int, _ total: Int, _ subject: String) -> Void
  private let shouldStop: () -> Bool
  private let measured: Shared<Measured>
  private var generator: SplitMix64
  private let nulls: NullEngines
  /// What each benchmark is timed on, and what its two sides' requests have taken, by benchmark.
  private var timed: [String: TimedWorkload] = [:]
  private var ledgers: [String: [AuditLedger]] = [:]
  private var visits: [String: Int] = [:]
  /// Where the rounds of the base's pairs with itself begin, and of further turns: those of a benchmark's own pairs are numbered
  /// by its blocks, of which some are held against the reference.
  private static let (sentinelRound, confirmingRound) = (1 << 21, 1 << 22)

  /// What is known of a gate so far: ln(t_second / t_first) by benchmark and block.
  private struct Measured: Sendable {
    let started = ContinuousClock.now
    let ticks = MachineProbe.CPUTicks.now()
    /// The benchmarks that both engines do.
    var names: [String]
    /// What an engine does not do, one sentence each.
    var undone: [String] = []
    var screens, decisions: [[Double]]
    var sentinelScreen: [Double] = []
    var sentinelDecision: [Double] = []

    init(_ items: [BenchmarkPlan.Item]) {
      names = items.map(\.name)
      screens = Array(repeating: [], count: items.count)
      decisions = screens
    }
  }

  /// - Throws: `EngineError` when either engine does not start, or speaks protocol 1 alone where claims are not allowed.
  public init(
    plan: BenchmarkPlan, base: ProcessEngine.Declaration, head: ProcessEngine.Declaration, policy: DuetPolicy,
    sliceMilliseconds: Double, seed: UInt64, nulls: NullEngines, allowsClaims: Bool = false,
    onProgress: @escaping (_ done: Int, _ total: Int, _ subject: String) -> Void = { _, _, _ in },
    shouldStop: @escaping () -> Bool = { false }
  ) throws(EngineError) {
    items = plan.items
    self.nulls = nulls
    (self.base, self.head) = try Self.started(base, head, allowsClaims: allowsClaims)
    twin = try ProcessEngine(self.base.declaration)
    gate = DuetGate(policy: policy)
    sliceNanoseconds = sliceMilliseconds * 1e6
    self.seed = seed
    self.onProgress = onProgress
    self.shouldStop = shouldStop
    generator = SplitMix64(seed: seed)
    measured = Shared(Measured(items))
  }

  /// Both engines, in the highest version of the protocol that both speak.
  private static func started(
    _ base: ProcessEngine.Declaration, _ head: ProcessEngine.Declaration, allowsClaims: Bool
  ) throws(EngineError) -> (ProcessEngine, ProcessEngine) {
    let engines = (try ProcessEngine(base), try ProcessEngine(head))
    let claiming = [engines.0, engines.1].filter { $0.description.trust == .claimed }
    guard let first = claiming.first else { return engines }
    guard allowsClaims else {
      throw .failed(
        "\(first.declaration.name) speaks protocol 1, under which nothing of its times can be checked: expected protocol 2; "
          + "give --allow-claimed to compare claims")
    }
    guard claiming.count == 1 else { return engines }
    var declarations = (base, head)
    (declarations.0.highestProtocol, declarations.1.highestProtocol) = (1, 1)
    return (try ProcessEngine(declarations.0), try ProcessEngine(declarations.1))
  }

  /// - Throws: ``Failure`` when an engine is wrong on a benchmark, or `EngineError` when it cannot be timed on one.
  public func run() throws -> DuetSection {
    try verify()
    if let threads = items.map(\.threads).max() { Affinity.pin(toCores: threads) }
    defer { Affinity.release() }
    let policy = gate.policy
    // Pairs of slices: of each benchmark, and of the base with itself.
    let screening = policy.screenBlocks * (items.count + 1)
    for block in 0..<policy.screenBlocks where !shouldStop() && !items.isEmpty {
      onProgress(block * (items.count + 1), screening, "screening, block \(block + 1) of \(policy.screenBlocks)")
      try restart()
      for (index, item) in items.enumerated() where !shouldStop() {
        let found = try difference(item, base, head, round: 2 * block, isAudited: true)
        measured.withLock { $0.screens[index].append(found) }
      }
      if let first = items.first, !shouldStop() {
        let found = try difference(first, base, twin, round: Self.sentinelRound + 2 * block, isAudited: false)
        measured.withLock { $0.sentinelScreen.append(found) }
      }
    }
    let screened = measured.withLock { $0 }
    let advancing = items.indices.filter { gate.advance(screen: screened.screens[$0]) != nil }
    let sentinelAdvances = gate.advance(screen: screened.sentinelScreen) != nil
    if !advancing.isEmpty || sentinelAdvances {
      let pairs = advancing.count + (sentinelAdvances ? 1 : 0)
      for block in 0..<policy.decisionBlocks where !shouldStop() {
        onProgress(
          screening + block * pairs, screening + policy.decisionBlocks * pairs,
          "deciding on \(advancing.count), block \(block + 1) of \(policy.decisionBlocks)")
        try restart()
        let round = 2 * (policy.screenBlocks + block)
        for index in advancing where !shouldStop() {
          let found = try difference(items[index], base, head, round: round, isAudited: true)
          measured.withLock { $0.decisions[index].append(found) }
        }
        if sentinelAdvances, let first = items.first, !shouldStop() {
          let found = try difference(first, base, twin, round: Self.sentinelRound + round, isAudited: false)
          measured.withLock { $0.sentinelDecision.append(found) }
        }
      }
    }
    if !shouldStop() { try audit() }
    return section(!shouldStop())
  }

  /// The gate's decision on what is measured at this moment, for a gate that is complete or not. Whoever interrupts a gate
  /// may call it from another thread while it is still measured.
  public var section: @Sendable (_ complete: Bool) -> DuetSection {
    let commands = (base: base.declaration.command, head: head.declaration.command)
    return { [gate, measured] complete in
      let measured = measured.withLock { $0 }
      let differences = measured.names.indices.map {
        DuetGate.Differences(name: measured.names[$0], screen: measured.screens[$0], decision: measured.decisions[$0])
      }
      let sentinel = measured.names.first.map {
        DuetGate.Differences(name: $0, screen: measured.sentinelScreen, decision: measured.sentinelDecision)
      }
      return DuetRecords.section(
        gate, differences, sentinel: sentinel, base: commands.base, head: commands.head,
        stealFraction: MachineProbe.CPUTicks.stealFraction(from: measured.ticks, to: .now()), complete: complete,
        undone: measured.undone, seconds: (ContinuousClock.now - measured.started).seconds)
    }
  }

  /// Takes out what an engine does not do, and says so: that is neither a regression nor a pass.
  /// - Throws: ``Failure`` when an engine is wrong on a benchmark or fails on it.
  private func verify() throws {
    var undone: [String] = []
    var able: [BenchmarkPlan.Item] = []
    for item in items {
      let work = WorkloadExercise(item, seed: seed)
      let verifier = try work.verifier()
      let workload = TimedWorkload(item, work, blocks: gate.policy.screenBlocks, using: &generator)
      var refusals: [String] = []
      for engine in [base, head] where !shouldStop() {
        let result = verifier.verify(work.asked(engine), dtype: item.dtype, threads: [item.threads])
        switch result.status {
        case .pass:
          // An engine that computes it may still be unable to time it in this layout or pass, or be wrong in it.
          do throws(EngineError) {
            if let wrong = try AuditedContestant(engine, workload).admission(verifier) {
              throw EngineError.failed("\(wrong.status.rawValue) \(wrong.message)")
            }
          } catch {
            guard case .unsupported(let reason) = error else { throw wrong(engine, item, "\(error)") }
            refusals.append("\(engine.declaration.name) does not time \(item.name): \(reason)")
          }
        case .unsupported, .notRun:
          refusals.append("\(engine.declaration.name) does not do \(item.name): \(result.message)")
        case .fail, .error, .refused: throw wrong(engine, item, "\(result.status.rawValue) \(result.message)")
        }
      }
      undone += refusals
      if refusals.isEmpty {
        able.append(item)
        timed[item.name] = workload
      }
    }
    items = able
    measured.withLock {
      $0 = Measured(able)
      $0.undone = undone
    }
  }

  private func wrong(_ engine: ProcessEngine, _ item: BenchmarkPlan.Item, _ why: String) -> Failure {
    Failure(description: "\(engine.declaration.name) is not right on \(item.name), so it is not timed: \(why)")
  }

  private func restart() throws(EngineError) {
    for engine in [base, head, twin] {
      try engine.restart()
      engine.suspend()
    }
  }

  /// ln(t_second / t_first) of the medians of one ABBA or BAAB block, each slice on first visits of fresh operands: those of two
  /// rounds from this one.
  /// - Throws: ``Failure`` when what was timed is wrong.
  private func difference(
    _ item: BenchmarkPlan.Item, _ first: ProcessEngine, _ second: ProcessEngine, round: Int, isAudited: Bool
  ) throws -> Double {
    guard let workload = timed[item.name] else { return 0 }
    let known = isAudited ? ledgers[item.name] : nil
    var sides: [AuditedContestant] = []
    for (side, engine) in [first, second].enumerated() {
      // What a fresh process runs first is warm-up.
      sides.append(try AuditedContestant(engine, workload, ledger: known?[side] ?? AuditLedger()))
      sides[side].suspend()
    }
    // Each side has two slices a block.
    let fastest = visits[item.name].map { sliceNanoseconds / Double($0) } ?? sides[0].estimate
    for side in sides { try side.planSlices(fastest: fastest, slice: sliceNanoseconds) }
    visits[item.name] = sides[0].visits
    var samples: [[Double]] = [[], []]
    var turns = [0, 0]
    for side in Bool.random(using: &generator) ? [0, 1, 1, 0] : [1, 0, 0, 1] {
      let found = try sides[side].turn(round: round + turns[side])
      turns[side] += 1
      if let problem = found.problem { throw wrong([first, second][side], item, problem) }
      samples[side] += found.durations.map { Double($0) }
    }
    if isAudited { ledgers[item.name] = sides.map(\.ledger) }
    let medians = samples.map { OrderStatistics.median($0) ?? 0 }
    return log(medians[1] / medians[0])
  }

  /// Holds what both engines' requests took against the rules.
  /// - Throws: ``Failure`` that names the engine, the rule and the evidence.
  private func audit() throws {
    for item in items {
      guard let workload = timed[item.name], let ledgers = ledgers[item.name] else { continue }
      for (engine, ledger) in zip([base, head], ledgers) where engine.description.trust != .claimed {
        let judge = AuditJudge(
          threads: item.threads, fetch: workload.fetchNanoseconds,
          costs: nulls.costs(beside: engine, on: workload), impossible: nil)
        guard judge.accuses(ledger) else { continue }
        let contestant = try AuditedContestant(engine, workload, ledger: ledger)
        try contestant.planSlices(fastest: contestant.estimate, slice: sliceNanoseconds)
        let findings = try contestant.findings(judge, medianNanoseconds: 0, confirmingFrom: Self.confirmingRound)
        contestant.suspend()
        if let caught = findings.first(where: { $0.verdict == .violated }) {
          throw Failure(
            description: "\(engine.declaration.name) cheats on \(item.name), so that no time of it counts: "
              + "\(caught.rule.rawValue): \(caught.evidence)")
        }
      }
    }
  }
}

/// A gate's decision as a record, and a record's differences as a decision again.
public enum DuetRecords {
  public static func section(
    _ gate: DuetGate, _ differences: [DuetGate.Differences], sentinel: DuetGate.Differences?, base: String,
    head: String,
    stealFraction: Double?, complete: Bool, undone: [String] = [], seconds: Double
  ) -> DuetSection {
    let decision = gate.decide(
      differences, sentinel: sentinel, stealFraction: stealFraction, complete: complete, undone: undone)
    let policy = gate.policy
    return DuetSection(
      base: base, head: head,
      policy: DuetPolicyRecord(
        screenBlocks: policy.screenBlocks, screenAdvance: policy.screenAdvance, decisionBlocks: policy.decisionBlocks,
        margin: policy.margin, falseDiscoveryRate: policy.falseDiscoveryRate, policy: policy.policy,
        power: policy.power, stealLimit: policy.stealLimit, failsOnImprovement: policy.failOnImprovement),
      benchmarks: zip(differences, decision.findings).map(record),
      sentinel: sentinel.flatMap { found in decision.sentinel.map { record(found, $0) } }, stealFraction: stealFraction,
      complete: complete, verdict: decision.verdict.rawValue, reasons: decision.reasons, seconds: seconds)
  }

  private static func record(_ differences: DuetGate.Differences, _ finding: DuetGate.Finding) -> DuetBenchmark {
    DuetBenchmark(
      name: finding.name, verdict: finding.verdict.rawValue, advanced: finding.advanced?.rawValue,
      screen: differences.screen, decision: differences.decision, change: expm1(finding.median),
      changeLower: finding.interval.map { expm1($0.lower) }, changeUpper: finding.interval.map { expm1($0.upper) },
      pValue: finding.pValue, adjustedPValue: finding.adjustedPValue,
      smallestDetectableChange: finding.smallestDetectableChange)
  }
}
