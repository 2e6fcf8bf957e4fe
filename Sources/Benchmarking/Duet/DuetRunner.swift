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
  private let copy: DuetTwin
  private let gate: DuetGate
  private let sliceNanoseconds: Double
  private let seed: UInt64
  private let pace: DuetPace
  private let onProgress: (_ done: Int, _ total: Int, _ subject: String) -> Void
  private let shouldStop: () -> Bool
  private let measured: Shared<Measured>
  private var generator: SplitMix64
  private let nulls: NullEngines
  private let events: [CountedEvent]
  /// What each benchmark is timed on, and what its two sides' requests have taken, by benchmark.
  private var timed: [String: TimedWorkload] = [:]
  private var ledgers: [String: [AuditLedger]] = [:]
  private var visits: [String: Int] = [:]

  /// Where a block's pair is kept. A block has two rounds of operands; each stage has blocks of its own, so that no numbers come
  /// twice.
  private enum Stage: Int {
    case screen, decision, confirmation

    var keyPath: WritableKeyPath<DuetGate.Differences, [DuetDifference]> & Sendable {
      switch self {
      case .screen: \.screen
      case .decision: \.decision
      case .confirmation: \.confirmation
      }
    }

    func round(of block: Int) -> Int { 2 * (rawValue << 16 + block) }
  }

  /// Where the rounds of the base's pairs with itself begin, and of further turns: those of a benchmark's own pairs are numbered
  /// by its blocks, of which some are held against the reference.
  private static let (sentinelRound, confirmingRound) = (1 << 21, 1 << 22)

  /// What is known of a gate so far.
  private struct Measured: Sendable {
    let started = ContinuousClock.now
    /// What the engines have of the machine, and the ticks of what they are pinned to since, of all where that is nothing.
    var cores = TimedCores.Grant(processors: [], nice: nil)
    var ticks = MachineProbe.CPUTicks.now()
    /// The benchmarks that both engines do, and the base against itself on each.
    var benchmarks, sentinels: [DuetGate.Differences]
    /// What was asked for and not measured, one sentence each.
    var undone: [String] = []
    /// Why nothing is counted, where the system said so.
    var uncounted: String?

    init(_ items: [BenchmarkPlan.Item]) {
      benchmarks = items.map { DuetGate.Differences(name: $0.name, threads: $0.threads, screen: []) }
      sentinels = benchmarks
    }
  }

  /// A gate with a deadline, in seconds, leaves undecided what is not done by then. Events are what is counted beside the clocks.
  /// - Throws: `EngineError` when either engine does not start, or speaks protocol 1 alone where claims are not allowed.
  public init(
    plan: BenchmarkPlan, base: ProcessEngine.Declaration, head: ProcessEngine.Declaration, policy: DuetPolicy,
    sliceMilliseconds: Double, seed: UInt64, nulls: NullEngines, allowsClaims: Bool = false, deadline: Double? = nil,
    events: [CountedEvent] = CountedEvent.ofProcessor,
    onProgress: @escaping (_ done: Int, _ total: Int, _ subject: String) -> Void = { _, _, _ in },
    shouldStop: @escaping () -> Bool = { false }
  ) throws(EngineError) {
    items = plan.items
    self.nulls = nulls
    self.events = events
    (self.base, self.head) = try Self.started(base, head, allowsClaims: allowsClaims)
    (copy, twin) = try Self.twin(of: self.base)
    gate = DuetGate(policy: policy)
    sliceNanoseconds = sliceMilliseconds * 1e6
    self.seed = seed
    pace = DuetPace(deadline: deadline)
    self.onProgress = onProgress
    self.shouldStop = shouldStop
    generator = SplitMix64(seed: seed)
    measured = Shared(Measured(items))
  }

  deinit { copy.remove() }

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

  /// The base once more, from a copy where that starts and says that it is the same.
  private static func twin(of base: ProcessEngine) throws(EngineError) -> (DuetTwin, ProcessEngine) {
    let copy = DuetTwin(of: base.declaration)
    if copy.isCopy, let twin = try? ProcessEngine(copy.declaration), twin.description == base.description {
      return (copy, twin)
    }
    copy.remove()
    return (copy, try ProcessEngine(base.declaration))
  }

  /// - Throws: ``Failure`` when an engine is wrong on a benchmark, or `EngineError` when it cannot be timed on one.
  public func run() throws -> DuetSection {
    try verify()
    if let threads = items.map(\.threads).max() {
      let cores = TimedCores.claim(threads)
      measured.withLock { ($0.cores, $0.ticks) = (cores, .now(of: cores.processors)) }
    }
    defer { TimedCores.release() }
    let all = Array(items.indices)
    try blocks(.screen, all.map { ($0, gate.policy.screenBlocks) }, "screening")
    repeat { try screenFurther() } while try decideFurther()
    if gate.policy.confirms, !shouldStop() {
      let convicted = convicted()
      try blocks(
        .confirmation, convicted.map { ($0, decisionBlocks($0)) }, "once more, \(convicted.count) that fired")
    }
    if !shouldStop() { try audit() }
    return section(!shouldStop())
  }

  private func benchmark(_ index: Int) -> DuetGate.Differences { measured.withLock { $0.benchmarks[index] } }

  private func decisionBlocks(_ index: Int) -> Int {
    gate.policy.decisionBlocks(gate.effort(of: benchmark(index)))
  }

  private func convicted() -> [Int] {
    var unconfirmed = gate
    unconfirmed.policy.confirms = false
    let benchmarks = measured.withLock { $0.benchmarks }
    let findings = unconfirmed.findings(of: benchmarks, gate.exceedances(benchmarks: benchmarks.count))
    return findings.indices.filter { findings[$0].verdict == .regression }
  }

  /// Gives more blocks to those benchmarks whose noise asks for them, the cheapest first, as far as the deadline allows.
  private func screenFurther() throws {
    let exceedances = gate.exceedances(benchmarks: items.count)
    while !shouldStop() {
      var pairs = deciding(exceedances).map { $0.count - benchmark($0.index).decision.count }.reduce(0, +)
      var granted: [(index: Int, count: Int)] = []
      let wanted = items.indices.map { ($0, gate.blocksWanted(benchmark($0), exceedances).screen) }
        .filter { benchmark($0).screen.count < $1 }
      for (index, count) in wanted.sorted(by: { ($0.1, $0.0) < ($1.1, $1.0) }) {
        let more = count - benchmark(index).screen.count
        guard pace.allows(pairs: pairs + more) else { continue }
        pairs += more
        granted.append((index, count))
      }
      guard !granted.isEmpty else { return }
      try blocks(.screen, granted, "screening \(granted.count) that vary further")
    }
  }

  /// - Returns: whether there was something to decide on, after which the noise may ask for more blocks.
  private func decideFurther() throws -> Bool {
    let deciding = deciding(gate.exceedances(benchmarks: items.count))
    try blocks(.decision, deciding, "deciding on \(deciding.count)")
    return !deciding.isEmpty && deciding.allSatisfy { benchmark($0.index).decision.count == $0.count } && !shouldStop()
  }

  /// The benchmarks that go on, and how many blocks decide each.
  private func deciding(_ exceedances: DuetGate.Exceedances) -> [(index: Int, count: Int)] {
    items.indices.map { ($0, gate.blocksWanted(benchmark($0), exceedances).decision) }
      .filter { benchmark($0).decision.count < $1 }
  }

  /// Measures benchmarks until each has so many blocks of a stage.
  private func blocks(_ stage: Stage, _ wanted: [(index: Int, count: Int)], _ subject: String) throws {
    let path = stage.keyPath
    let first = wanted.map { benchmark($0.index)[keyPath: path].count }.min() ?? 0
    let last = wanted.map(\.count).max() ?? 0
    guard first < last else { return }
    for block in first..<last where !shouldStop() {
      let present = wanted.filter { block < $0.count }.map(\.index)
      guard pace.allows(pairs: present.count) else {
        return measured.withLock { if !$0.undone.contains(pace.missed) { $0.undone.append(pace.missed) } }
      }
      onProgress(block - first, last - first, "\(subject), block \(block - first + 1) of \(last - first)")
      let began = ContinuousClock.now
      try restart()
      for index in present where !shouldStop() {
        let found = try difference(items[index], base, head, round: stage.round(of: block), isAudited: true)
        measured.withLock { $0.benchmarks[index][keyPath: path].append(found) }
      }
      let turns = DuetSentinel.turns(of: present, block: block)
      for index in turns where !shouldStop() {
        let round = Self.sentinelRound + stage.round(of: block)
        let found = try difference(items[index], base, twin, round: round, isAudited: false)
        measured.withLock { $0.sentinels[index][keyPath: path].append(found) }
      }
      pace.took((ContinuousClock.now - began).seconds, pairs: present.count)
    }
  }

  /// The gate's decision on what is measured at this moment, for a gate that is complete or not. Whoever interrupts a gate
  /// may call it from another thread while it is still measured.
  public var section: @Sendable (_ complete: Bool) -> DuetSection {
    let commands = (base: base.declaration.command, head: head.declaration.command)
    return { [gate, measured] complete in
      let measured = measured.withLock { $0 }
      var section = DuetRecords.section(
        gate, measured.benchmarks, sentinels: measured.sentinels.filter { !$0.screen.isEmpty }, base: commands.base,
        head: commands.head,
        stealFraction: MachineProbe.CPUTicks.stealFraction(
          from: measured.ticks, to: .now(of: measured.cores.processors)), complete: complete,
        undone: measured.undone, seconds: (ContinuousClock.now - measured.started).seconds)
      section.nice = measured.cores.nice
      section.uncounted = measured.uncounted
      let missing = (section.benchmarks + section.againstItself).first { !$0.screen.isEmpty && $0.counts == nil }
      if section.uncounted == nil, let missing {
        section.uncounted =
          missing.cpu == nil
          ? "what engines claim is not counted" : "other programs had the processor's counters in some blocks"
      }
      return section
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
      do {
        // Once refused it always is.
        if measured.withLock({ $0.uncounted == nil }) { try engine.startCounting(events) }
      } catch {
        measured.withLock { $0.uncounted = "\(error)" }
      }
    }
  }

  /// ln(t_second / t_first) of one block, on first visits of fresh operands, those of two rounds from this one: of the durations'
  /// medians, and of the CPU time of whole slices.
  ///
  /// The sides' slices are made in parts of some milliseconds that alternate as ABBA or BAAB: what a neighbour on the machine takes
  /// for longer than that it takes from both.
  /// - Throws: ``Failure`` when what was timed is wrong.
  private func difference(
    _ item: BenchmarkPlan.Item, _ first: ProcessEngine, _ second: ProcessEngine, round: Int, isAudited: Bool
  ) throws -> DuetDifference {
    guard let workload = timed[item.name] else { throw Failure(description: "\(item.name) was not verified") }
    let ledgers = isAudited ? self.ledgers[item.name] : nil
    var sides: [AuditedContestant] = []
    for (side, engine) in [first, second].enumerated() {
      // What a fresh process runs first is warm-up.
      sides.append(try AuditedContestant(engine, workload, ledger: ledgers?[side] ?? AuditLedger()))
      sides[side].suspend()
    }
    // Each side has two slices a block.
    let fastest = visits[item.name].map { sliceNanoseconds / Double($0) } ?? sides[0].estimate
    for side in sides { try side.planSlices(fastest: fastest, slice: sliceNanoseconds) }
    visits[item.name] = sides[0].visits
    var samples: [[Double]] = [[], []]
    let known = sides.map(\.ledger.slices.count)
    let order = Bool.random(using: &generator) ? [0, 1] : [1, 0]
    for (turn, order) in [order, order.reversed()].enumerated() {
      let turns = try order.map { try sides[$0].begin(round: round + turn, parts: sides[$0].parts) }
      for place in PartOrder.places(order.map { sides[$0].parts }) { try turns[place].visit() }
      for (side, turn) in zip(order, turns) {
        let found = try turn.end()
        if let problem = found.problem { throw wrong([first, second][side], item, problem) }
        samples[side] += found.durations.map { Double($0) }
      }
    }
    if isAudited { self.ledgers[item.name] = sides.map(\.ledger) }
    let medians = samples.map { OrderStatistics.median($0) ?? 0 }
    let slices = zip(sides, known).map { side, count in side.ledger.slices[count...] }
    func logRatio(_ read: (AuditLedger.Slice) -> Double?) -> Double? {
      guard let first = Self.mean(ofIterationIn: slices[0], read) else { return nil }
      return Self.mean(ofIterationIn: slices[1], read).map { log($0 / first) }
    }
    var found = DuetDifference(wall: log(medians[1] / medians[0]), cpu: logRatio(\.cpu))
    for event in events { found.counts[event] = logRatio { slice in slice.counts?[event].map { Double($0) } } }
    return found
  }

  /// What an iteration took of something; `nil` where a slice's is not known, or is none.
  private static func mean(
    ofIterationIn slices: ArraySlice<AuditLedger.Slice>, _ read: (AuditLedger.Slice) -> Double?
  ) -> Double? {
    let spent = slices.compactMap(read)
    guard !slices.isEmpty, spent.count == slices.count, let least = spent.min(), least > 0 else { return nil }
    return spent.reduce(0, +) / Double(slices.reduce(0) { $0 + $1.iterations })
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
