import Engines
import Foundation
import Fuzzing
import GradientChecking
import Operations
import Problems
import Results
import Tensors
import Verification

/// Each defect under the checks: in an engine, in the oracle of networks, and in the gate itself.
extension SelfTest {
  /// - Returns: what noticed it, and false alarms that were met on the way.
  func judge(
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
      if explains, mutant.family != .classes, let dtype = DType(rawValue: found.dtype) {
        (record.explained, record.explainedUnknown) = explanations(
          of: mutant, engine, in: dtype, of: found.operation, sound: sound)
      }
    }
    if mutant.family == .classes {
      let alarms = fuzz(mutant, engine, &record)
      return (record, alarms)
    }
    judgeGradients(mutant, engine, sound: soundGradients[MutantEngine.base(of: mutant).description.name] ?? [], &record)
    return (record, [])
  }

  /// The first verdict against a mutant in one type.
  func kill(of mutant: Mutant, _ engine: MutantEngine, in dtype: DType, sound: SoundCases) -> CaseResult? {
    for operation in mutant.operations.isEmpty ? items.keys.sorted() : mutant.operations {
      for item in items[operation] ?? [] where sound[dtype]?.contains(item.name) == true {
        let result = item.verifier.verify(engine, dtype: dtype)
        if result.status == .fail || result.status == .error { return result }
      }
    }
    return nil
  }

  /// What one mutant may take.
  static let casesForFuzzing = 5_000
  static let secondsForFuzzing = 60.0

  /// Random problems until one fails it that the correct engine under it passes.
  /// - Returns: what the correct engine fails.
  func fuzz(_ mutant: Mutant, _ engine: MutantEngine, _ record: inout MutantRecord) -> [String] {
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

  static func worstRatio(_ result: CaseResult) -> Double { result.tensors.map(\.worstRatio).max() ?? .infinity }

  func judgeGradients(
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
  func oracleRecords(sound: SoundCases) -> [MutantRecord] {
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

  func gateRecords(_ section: inout SelfTestSection) -> [MutantRecord] {
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
