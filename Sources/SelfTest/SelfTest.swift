import Engines
import Foundation
import GoldenFiles
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
  /// Whether what the failures of mutants look like is looked into.
  public var explains = false
  /// Those to be killed, besides the defects of the gate.
  public let mutants: [Mutant]
  let gateMutants: [GateMutant]

  /// Of the pieces of ``pieces(_:)``, those that are run; all where it is `nil`.
  public var chosen: Set<String>?
  /// Pieces that an earlier run did.
  public var earlier: [String: Piece] = [:]
  /// Told each piece that is done, from any thread.
  public var onPiece: @Sendable (String, Piece) -> Void = { _, _ in }

  let items: [String: [Item]]
  private let ledger = Shared(Ledger())

  /// What is known of a run so far.
  private struct Ledger: Sendable {
    let started = ContinuousClock.now
    var section = SelfTestSection()
    /// Random problems that the correct engine fails.
    var alarms: Set<String> = []
  }

  struct Item: Sendable {
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
    var section = SelfTestSection()
    let own = mutants.filter { isMine(Self.name($0)) }
    let ownSeeds = (0..<seeds).filter { isMine(Self.seedName($0)) }
    let ownCheats = (trial?.cheats ?? []).filter { isMine(Self.name($0)) }
    let total = own.count + ownSeeds.count + ownCheats.count
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
    keep(section)
    if !mutants.isEmpty { piece(Self.oracle, &section) { Piece(mutants: oracleRecords(sound: sound)) } }
    if !gateMutants.isEmpty {
      piece(Self.gate, &section) {
        var own = SelfTestSection()
        let records = gateRecords(&own)
        return Piece(
          mutants: records, checksOfCorrectCode: own.checksOfCorrectCode, falseAlarms: own.falseAlarms)
      }
    }
    for (place, number) in ownSeeds.enumerated() {
      try piece(Self.seedName(number), &section) {
        var own = SelfTestSection()
        try falseAlarms(seed: seed &+ UInt64(number), &own)
        return Piece(checksOfCorrectCode: own.checksOfCorrectCode, falseAlarms: own.falseAlarms)
      }
      section.seedCount += 1
      keep(section)
      onProgress(own.count + place + 1, total, "false alarms, seed \(number + 1)")
    }
    let goldens = (items[CheatTrial.operation] ?? []).prefix(Self.casesForCheats).map(\.verifier)
    for (place, cheat) in ownCheats.enumerated() {
      onProgress(own.count + ownSeeds.count + place, total, cheat.name)
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

  /// What is done at this moment, while ``run(_:onProgress:)`` goes on: what an interrupted run keeps.
  public func interruptedSection() -> SelfTestSection { ledger.withLock { Self.section($0, interrupted: true) } }

  private static func section(_ ledger: Ledger, interrupted: Bool) -> SelfTestSection {
    var section = ledger.section
    if interrupted { section.interrupted = true }
    let elapsed = ledger.started.duration(to: .now).components
    section.seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    return section
  }

  func keep(_ section: SelfTestSection) { ledger.withLock { $0.section = section } }
}
