import Engines
import Fuzzing
import Foundation
import GoldenFiles
import GradientChecking
import Operations
import Problems
import Results
import Tensors
import Verification

/// Runs the gate against deliberately wrong implementations, and against the correct one.
///
/// A mutant is killed when `verify` fails it on a golden case that the correct engine passes, or when `gradcheck` fails its
/// backward pass. One survivor fails the self-test, and so does one false alarm.
public struct SelfTest: Sendable {
  public var seeds: Int
  public var threads: Int
  public var seed: UInt64
  /// Those to be killed, besides the defects of the gate.
  public let mutants: [Mutant]
  private let gateMutants: [GateMutant]

  /// Of the pieces of ``pieces(_:)``, those that are run; all where it is `nil`.
  public var chosen: Set<String>?
  /// Pieces that an earlier run did.
  public var earlier: [String: Piece] = [:]
  /// Told each piece that is done, from any thread.
  public var onPiece: @Sendable (String, Piece) -> Void = { _, _ in }

  /// What one piece of a self-test found.
  public struct Piece: Codable, Sendable {
    public var mutants: [MutantRecord] = []
    public var checksOfCorrectCode = 0
    public var falseAlarms: [String] = []
  }

  private static let correctCode = "correct code"
  private static let oracle = "oracle"
  private static let gate = "gate"
  private static func name(_ mutant: Mutant) -> String { "\(mutant.family.rawValue)/\(mutant.name)" }
  private static func seedName(_ number: Int) -> String { "seed/\(number + 1)" }
  private static func name(_ cheat: Cheat) -> String { "\(Mutant.Family.cheats.rawValue)/\(cheat.name)" }

  /// What a self-test is made of, and what each piece costs beside the others.
  public func pieces(_ trial: CheatTrial?) -> [(name: String, cost: Double)] {
    var found: [(String, Double)] = []
    if !mutants.isEmpty { found.append((Self.correctCode, 20)) }
    // Those of size classes are looked for with random problems.
    found += mutants.map { (Self.name($0), $0.family == .classes ? 4 : 1) }
    if !mutants.isEmpty { found.append((Self.oracle, 10)) }
    if !gateMutants.isEmpty { found.append((Self.gate, 10)) }
    found += (0..<seeds).map { (Self.seedName($0), 8) }
    return found + (trial?.cheats ?? []).map { (Self.name($0), 30) }
  }

  private func isMine(_ piece: String) -> Bool { chosen?.contains(piece) ?? true }

  /// Does a piece, or takes it from an earlier run.
  private func piece(_ name: String, _ section: inout SelfTestSection, _ find: () throws -> Piece?) rethrows {
    guard isMine(name) else { return }
    var found = earlier[name]
    if found == nil {
      found = try find()
      // What was cut short is not known.
      if let found, !Task.isCancelled { onPiece(name, found) }
    }
    guard let found else { return }
    section.mutants += found.mutants
    section.checksOfCorrectCode += found.checksOfCorrectCode
    section.falseAlarms += found.falseAlarms
    keep(section)
  }

  private let items: [String: [Item]]
  private let ledger = Shared(Ledger())

  /// What is known of a run so far.
  private struct Ledger: Sendable {
    let started = ContinuousClock.now
    var section = SelfTestSection()
    /// Random problems that the correct engine fails.
    var alarms: Set<String> = []
  }

  private struct Item: Sendable {
    let verifier: CaseVerifier
    let name: String
    let work: Int
  }

  /// Every defect that is known of, family by family.
  public static let mutants: [Mutant] = {
    let all = OperationRegistry.mutants + WinogradMutants.all + MemoryMutants.all + NarrowMutants.all + ClassMutants.all
    return Mutant.Family.allCases.flatMap { family in all.filter { $0.family == family } }
  }()

  /// - Parameters:
  ///   - files: the golden corpus.
  ///   - seeds: how many seeds the correct code is checked with.
  ///   - threads: checks that run at once.
  ///   - seed: the first one.
  ///   - mutants: which defects are tried.
  ///   - selection: of them and of the gate's, those whose family and name match any of these; all where there is none.
  /// - Throws: `GoldenFileError` for a file that cannot be read.
  public init(
    files: [GoldenFile], seeds: Int, threads: Int, seed: UInt64, mutants: [Mutant] = SelfTest.mutants,
    selection: [NamePattern] = []
  ) throws(GoldenFileError) {
    self.mutants = mutants.filter { Self.isSelected($0.name, $0.family, selection) }
    gateMutants = GateMutant.all.filter { Self.isSelected($0.name, .gate, selection) }
    self.seeds = seeds
    self.threads = threads
    self.seed = seed
    let known = OperationRegistry.all
      .filter { type in (mutants + OperationRegistry.controls).contains { $0.applies(to: type.name) } }
    // By operation: the cases that defects are tried on, `nil` for every small one.
    let chosen = Dictionary(uniqueKeysWithValues: known.map { ($0.name, $0.casesForMutants.value) })
    var items: [String: [Item]] = [:]
    for file in files {
      for summary in file.cases where summary.expectError == nil && !summary.tags.contains("slow") {
        guard let names = chosen[summary.operation], names?.contains(summary.name) ?? true else { continue }
        let golden = try file.load(summary)
        let tensors = golden.expected.values.map(\.shape) + golden.inputs.values.map(\.shape)
        let size = tensors.reduce(0) { $0 + $1.count }
        guard names != nil || size <= Self.largestCase else { continue }
        let item = VerificationCase(file: file.path, oracle: file.header.oracleDType, golden: golden)
        items[summary.operation, default: []].append(
          Item(verifier: CaseVerifier(item), name: summary.name, work: size))
      }
    }
    // Small cases first, but those that hardly hold anything (batch 0, one element) last.
    func rank(_ item: Item) -> Int { item.work < 64 ? item.work + Self.largestCase : item.work }
    self.items = items.mapValues { found in found.sorted { rank($0) < rank($1) } }
  }

  /// How many golden cases an engine that cheats has to pass.
  private static let casesForCheats = 40
  private static func isSelected(_ name: String, _ family: Mutant.Family, _ selection: [NamePattern]) -> Bool {
    selection.isEmpty || selection.contains { $0.matches("\(family.rawValue)/\(name)") }
  }

  /// Elements of a case's tensors beyond which it is left to `assay verify`.
  private static let largestCase = 60_000

  /// - Parameters:
  ///   - trial: the engines that cheat; `nil` leaves them out.
  ///   - onProgress: done, of how many, what.
  /// - Throws: what keeps it from judging anything, such as a problem of its own that cannot be parsed.
  public func run(
    _ trial: CheatTrial? = nil, onProgress: @escaping @Sendable (Int, Int, String) -> Void = { _, _, _ in }
  ) throws -> SelfTestSection {
    let total = mutants.count + seeds + (trial?.cheats.count ?? 0)
    var section = SelfTestSection()
    let own = mutants.filter { isMine(Self.name($0)) }
    // What the reference passes is what mutants are tried on, whoever counts it as a check of correct code.
    let isOpen =
      own.contains { earlier[Self.name($0)] == nil } || [Self.correctCode, Self.oracle].contains { open($0) }
    var ofCorrectCode = SelfTestSection()
    let sound = mutants.isEmpty || !isOpen ? [:] : soundCases(&ofCorrectCode)
    if !mutants.isEmpty {
      piece(Self.correctCode, &section) {
        Piece(checksOfCorrectCode: ofCorrectCode.checksOfCorrectCode, falseAlarms: ofCorrectCode.falseAlarms)
      }
    }
    keep(section)
    let soundGradients = try own.contains { earlier[Self.name($0)] == nil } ? soundGradients() : [:]
    section.mutants = parallelMap(own.count, threads: threads) { index in
      let name = Self.name(own[index])
      if let record = earlier[name]?.mutants.first {
        ledger.withLock { ledger in
          ledger.section.mutants.append(record)
          ledger.alarms.formUnion(earlier[name]?.falseAlarms ?? [])
        }
        return record
      }
      let (record, alarms) = judge(own[index], sound: sound, soundGradients: soundGradients)
      ledger.withLock { ledger in
        ledger.section.mutants.append(record)
        ledger.alarms.formUnion(alarms)
      }
      if !Task.isCancelled { onPiece(name, Piece(mutants: [record], falseAlarms: alarms)) }
      onProgress(index + 1, total, own[index].name)
      return record
    }
    section.falseAlarms += ledger.withLock { $0.alarms.sorted() }
    if !mutants.isEmpty { piece(Self.oracle, &section) { Piece(mutants: oracleRecords(sound: sound)) } }
    if !gateMutants.isEmpty {
      piece(Self.gate, &section) {
        var own = SelfTestSection()
        let records = gateRecords(&own)
        return Piece(
          mutants: records, checksOfCorrectCode: own.checksOfCorrectCode, falseAlarms: own.falseAlarms)
      }
    }
    for number in 0..<seeds {
      try piece(Self.seedName(number), &section) {
        var own = SelfTestSection()
        try falseAlarms(seed: seed &+ UInt64(number), &own)
        return Piece(checksOfCorrectCode: own.checksOfCorrectCode, falseAlarms: own.falseAlarms)
      }
      if isMine(Self.seedName(number)) { section.seedCount += 1 }
      keep(section)
      onProgress(mutants.count + number + 1, total, "false alarms, seed \(number + 1)")
    }
    let goldens = (items[CheatTrial.operation] ?? []).prefix(Self.casesForCheats).map(\.verifier)
    for (number, cheat) in (trial?.cheats ?? []).enumerated() {
      onProgress(mutants.count + seeds + number, total, cheat.name)
      try piece(Self.name(cheat), &section) {
        let outcome = try trial?.outcome(of: cheat, goldens: goldens)
        // A trial that was cut short caught nobody, and spared nobody.
        guard !Task.isCancelled else { return nil }
        return switch outcome {
        case .tried(let record): Piece(mutants: [record])
        case .spared(let checks, let alarms): Piece(checksOfCorrectCode: checks, falseAlarms: alarms)
        case nil: nil
        }
      }
      if Task.isCancelled { break }
    }
    return ledger.withLock { Self.section($0, interrupted: Task.isCancelled) }
  }

  private func open(_ piece: String) -> Bool { isMine(piece) && earlier[piece] == nil }

  /// What is done at this moment, while ``run(_:onProgress:)`` goes on: what an interrupted run keeps.
  public func interruptedSection() -> SelfTestSection { ledger.withLock { Self.section($0, interrupted: true) } }

  private static func section(_ ledger: Ledger, interrupted: Bool) -> SelfTestSection {
    var section = ledger.section
    if interrupted { section.interrupted = true }
    let elapsed = ledger.started.duration(to: .now).components
    section.seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    return section
  }

  private func keep(_ section: SelfTestSection) { ledger.withLock { $0.section = section } }

  // MARK: The correct code

  private typealias SoundCases = [DType: Set<String>]

  /// The cases that the reference passes, by name; any that it does not is a false alarm.
  private func soundCases(_ section: inout SelfTestSection) -> SoundCases {
    let all = items.sorted { $0.key < $1.key }.flatMap(\.value)
    let results = parallelMap(all.count, threads: threads) { index in verdictsOnCorrectCode(all[index].verifier) }
    var sound: SoundCases = [:]
    for (item, found) in zip(all, results) {
      section.checksOfCorrectCode += found.count
      section.falseAlarms += found.compactMap { Self.alarm($0, on: item.name) }
      for result in found where result.status == .pass {
        if let dtype = DType(rawValue: result.dtype) { sound[dtype, default: []].insert(item.name) }
      }
    }
    // Layers put together correctly are no mutant.
    for control in OperationRegistry.controls {
      for item in all where control.applies(to: item.verifier.item.golden.operation) {
        let result = item.verifier.verify(MutantEngine(control), dtype: .float64)
        section.checksOfCorrectCode += 1
        if result.status != .pass {
          section.falseAlarms.append("verify \(item.name) of the control composition: \(result.message)")
        }
      }
    }
    return sound
  }

  /// The reference in every type; of 16 bits, with each result rounded. What is not judged in 16 bits is left out.
  private func verdictsOnCorrectCode(
    _ verifier: CaseVerifier, in dtypes: [DType] = DType.floats
  ) -> [CaseResult] {
    dtypes.map { dtype in
      verifier.verify(dtype.isNarrow ? NarrowReference() : ReferenceEngine() as any Engine, dtype: dtype)
    }.filter { $0.status != .unsupported || DType(rawValue: $0.dtype)?.isNarrow != true }
  }

  /// - Returns: `nil` for the verdict that is due.
  private static func alarm(_ result: CaseResult, on name: String) -> String? {
    result.status == .pass ? nil : "verify \(name) \(result.dtype): \(result.status.rawValue) \(result.message)"
  }

  /// Other values of every problem: gradients, and forward and backward in single precision and in 16 bits against double.
  private func falseAlarms(seed: UInt64, _ section: inout SelfTestSection) throws {
    let cases = OperationRegistry.gradientCases
    var options = GradientCheck.Options()
    options.seed = seed
    options.threads = 1
    let fixed = options
    let found = try parallelMap(cases.count, threads: threads) { index -> (checks: Int, alarms: [String]) in
      var alarms: [String] = []
      for precision in [DType.float64, .float32] {
        var options = fixed
        options.differences = precision == .float64
        let record = try cases[index].check(precision: precision, options: options).run()
        if record.verdict != .pass {
          alarms.append("gradcheck \(record.name) \(record.dtype), seed \(seed): \(GradientReport(record).text)")
        }
      }
      let results = verdictsOnCorrectCode(
        CaseVerifier(try Self.goldenCase(cases[index], seed: seed)), in: [.float32] + DType.narrow)
      alarms += results.compactMap { Self.alarm($0, on: "\(cases[index].name), seed \(seed),") }
      return (2 + results.count, alarms)
    }
    section.checksOfCorrectCode += found.reduce(0) { $0 + $1.checks }
    section.falseAlarms += found.flatMap(\.alarms)
  }

  /// A golden case of other values, expected from the reference in double precision.
  static func goldenCase(_ gradientCase: GradientCase, seed: UInt64) throws -> VerificationCase {
    let problem = try Problem.parse(gradientCase.text)
    let draw = OperandDraw(
      problem.operands, roles: problem.definition.roles, seed: seed, range: .init(-2, 2), fill: gradientCase.fill)
    var exercise = Exercise(problem, draw, named: "/" + gradientCase.name, dtype: .float64)
    for (name, type) in problem.outputs where type.dtype != .int64 {
      exercise.upstream[name] = .float64(
        Tensor<Float>(splitMix64Uniform: type.shape, seed: seed, low: -2, high: 2).map { Double($0) })
    }
    exercise.passes = [.forward, .backward]
    let golden = GoldenCase(
      exercise, fill: gradientCase.fill == .random ? .random : .adversarial,
      expected: try ReferenceEngine().compute(exercise))
    return VerificationCase(file: "self-test", oracle: .float64, golden: golden)
  }

  // MARK: Mutants

  /// - Returns: what noticed it, and false alarms that were met on the way.
  private func judge(
    _ mutant: Mutant, sound: SoundCases, soundGradients: [String: Set<String>]
  ) -> (MutantRecord, alarms: [String]) {
    var record = MutantRecord(name: mutant.name, family: mutant.family.rawValue)
    let engine = MutantEngine(mutant)
    if mutant.isNarrow {
      // What one type shows, the other may hide.
      let kills = mutant.dtypes.map { kill(of: mutant, engine, in: $0, sound: sound) }
      if kills.allSatisfy({ $0 != nil }) {
        record.verifyKill = kills.compactMap { $0.map { "\($0.name) \($0.dtype)" } }.joined(separator: ", ")
        record.verifyRatio = kills.compactMap { $0.map(Self.worstRatio) }.min()
        record.verifyDetail = kills.compactMap { $0?.message }.first
      } else {
        let missed = zip(mutant.dtypes, kills).filter { $0.1 == nil }.map(\.0.rawValue)
        record.verifyDetail = "not noticed in \(missed.joined(separator: " and "))"
      }
      return (record, [])
    }
    let dtypes: [DType] = mutant.base == nil ? mutant.dtypes : [.float32]
    if let found = dtypes.lazy.compactMap({ kill(of: mutant, engine, in: $0, sound: sound) }).first {
      record.verifyKill = "\(found.name) \(found.dtype)"
      record.verifyRatio = Self.worstRatio(found)
      record.verifyDetail = found.message
    }
    if mutant.family == .classes {
      let alarms = fuzz(mutant, engine, &record)
      return (record, alarms)
    }
    judgeGradients(mutant, engine, sound: soundGradients[MutantEngine.base(of: mutant).description.name] ?? [], &record)
    return (record, [])
  }

  /// The first verdict against a mutant in one type.
  private func kill(of mutant: Mutant, _ engine: MutantEngine, in dtype: DType, sound: SoundCases) -> CaseResult? {
    for operation in mutant.operations.isEmpty ? items.keys.sorted() : mutant.operations {
      for item in items[operation] ?? [] where sound[dtype]?.contains(item.name) == true {
        let result = item.verifier.verify(engine, dtype: dtype)
        if result.status == .fail || result.status == .error { return result }
      }
    }
    return nil
  }

  /// What one mutant may take.
  private static let casesForFuzzing = 5_000
  private static let secondsForFuzzing = 60.0

  /// Random problems until one fails it that the correct engine under it passes.
  /// - Returns: what the correct engine fails.
  private func fuzz(_ mutant: Mutant, _ engine: MutantEngine, _ record: inout MutantRecord) -> [String] {
    var plan = FuzzPlan(engines: [engine], operations: Set(mutant.operations), dtypes: [.float32], seed: seed)
    plan.cases = Self.casesForFuzzing
    plan.seconds = Self.secondsForFuzzing
    plan.threads = [1]
    do {
      let found = try Fuzzer(plan).firstFailure(besides: MutantEngine.base(of: mutant))
      record.fuzzCases = found.cases
      record.fuzzSeconds = found.seconds
      record.fuzzKill = found.problem
      return found.alarms.map { "fuzz \($0.name) \($0.dtype): \($0.status.rawValue) \($0.message)" }
    } catch {
      return ["fuzz \(mutant.name): the reference does not compute a case: \(error)"]
    }
  }

  private static func worstRatio(_ result: CaseResult) -> Double { result.tensors.map(\.worstRatio).max() ?? .infinity }

  private var quickOptions: GradientCheck.Options {
    var options = GradientCheck.Options()
    options.seed = seed
    options.threads = 1
    options.differences = false
    return options
  }

  /// By the name of the correct engine under a mutant, the gradient checks that it passes.
  private func soundGradients() throws -> [String: Set<String>] {
    var engines: [String: (any Engine, DType)] = [:]
    for mutant in mutants where !mutant.isNarrow {
      let correct = MutantEngine.base(of: mutant)
      engines[correct.description.name] = (correct, mutant.base == nil ? .float64 : .float32)
    }
    var sound: [String: Set<String>] = [:]
    for (name, (engine, dtype)) in engines {
      let cases = OperationRegistry.gradientCases
      let passed = try parallelMap(cases.count, threads: threads) { index in
        try cases[index].check(engine: engine, precision: dtype, options: quickOptions).run().verdict == .pass
      }
      sound[name] = Set(zip(cases, passed).filter(\.1).map(\.0.name))
    }
    return sound
  }

  private func judgeGradients(
    _ mutant: Mutant, _ engine: MutantEngine, sound: Set<String>, _ record: inout MutantRecord
  ) {
    let options = quickOptions
    let precision: DType = mutant.base == nil ? .float64 : .float32
    for gradientCase in OperationRegistry.gradientCases
    where mutant.applies(to: gradientCase.operation) && sound.contains(gradientCase.name) {
      guard let found = try? gradientCase.check(engine: engine, precision: precision, options: options).run(),
        found.verdict == .fail
      else { continue }
      record.gradcheckKill = gradientCase.name
      record.gradcheckRatio =
        found.tensors.map { tensor in
          tensor.worstElement.map { $0.bound > 0 ? tensor.worstRatio : .infinity } ?? tensor.worstRatio
        }.max() ?? .infinity
      let tensor = found.tensors.first { $0.verdict == .fail }
      record.gradcheckDetail =
        tensor.map { "\($0.tensor): \($0.pattern ?? $0.reason ?? "")" + ($0.hint.map { "; \($0)" } ?? "") }
        ?? found.contracts.first { $0.verdict == .fail }.map { "contract: \($0.name)" }
      return
    }
  }

  /// The same defects in the oracle that bounds of networks and their layers come from: the golden cases that it computes itself must
  /// show each. One that these cases show in no engine of double precision either, such as an overflow of float32, is none there.
  private func oracleRecords(sound: SoundCases) -> [MutantRecord] {
    let oracle = Oracle.blocked
    let planted = mutants.filter { mutant in
      mutant.base == nil && !mutant.isNarrow && mutant.family != .classes && !mutant.operations.isEmpty
        && oracle.operations.contains(where: mutant.applies)
    }
    let records = parallelMap(planted.count, threads: threads) { index -> MutantRecord? in
      let spoilt = oracle.spoilt(by: planted[index])
      var record = MutantRecord(name: "\(planted[index].name), in the oracle", family: planted[index].family.rawValue)
      for item in spoilt.operations.sorted().flatMap({ items[$0] ?? [] }) {
        guard let fault = item.verifier.fault(of: spoilt) else { continue }
        record.verifyKill = "\(item.name) float64"
        record.verifyDetail = fault
        return record
      }
      return kill(of: planted[index], MutantEngine(planted[index]), in: .float64, sound: sound) == nil ? nil : record
    }
    return records.compactMap { $0 }
  }

  private func gateRecords(_ section: inout SelfTestSection) -> [MutantRecord] {
    let correct = Gate()
    for probe in GateProbe.all {
      let holds = probe.holds(correct)
      // What is judged while it is told to stop says nothing: its search ended early.
      guard !Task.isCancelled else { return [] }
      section.checksOfCorrectCode += 1
      if !holds { section.falseAlarms.append("the gate itself: \(probe.name)") }
    }
    var records: [MutantRecord] = []
    for mutant in gateMutants {
      var gate = correct
      mutant.apply(&gate)
      var record = MutantRecord(name: mutant.name, family: Mutant.Family.gate.rawValue)
      let noticed = GateProbe.all.filter { $0.holds(correct) && !$0.holds(gate) }
      record.probeKill = noticed.first?.name
      guard !Task.isCancelled else { break }
      records.append(record)
    }
    return records
  }
}
