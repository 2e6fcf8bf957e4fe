import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors

/// Judges whether an operation's *exact* and *random* cases would notice a flipped kernel, a shifted window or a dropped term,
/// in the outputs and in each gradient that is stored.
///
/// The defect is computed by the oracle on changed operands and held against the file's expected values with float32's bounds,
/// the widest ones. One case that notices is enough. A defect that no case notices is held against the corpus only where it
/// applies: where random operands of a case's attributes and shapes would show it. A shifted window does not change a global
/// average, whatever the data.
///
/// Adversarial cases may be odd on purpose, so that they are judged only where an operation has no others, and then only for
/// data that is one value over and over and would notice nothing at all.
public struct VacuityJudge: Sendable {
  public let oracle: any Engine

  public init(oracle: any Engine) { self.oracle = oracle }

  /// - Parameters:
  ///   - operations: which operations are judged.
  ///   - files: every case in them counts, whatever the filters: vacuity is the corpus's, not a selection's.
  /// - Returns: one record for each operation that has cases with results, in the order of names; unfinished ones when its
  ///   task is cancelled.
  public func judge(operations: Set<String>, in files: [GoldenFile]) async -> [VacuityRecord] {
    await withTaskGroup(of: VacuityRecord?.self) { group in
      for operation in operations { group.addTask { judge(operation, in: files) } }
      var records: [VacuityRecord] = []
      for await record in group { if let record { records.append(record) } }
      return records.sorted { $0.operation < $1.operation }
    }
  }

  private func judge(_ operation: String, in files: [GoldenFile]) -> VacuityRecord? {
    let cases = StoredCases(of: operation, in: files)
    return cases.isEmpty ? nil : judge(operation, by: cases, isAdversarial: cases.isAdversarial)
  }

  /// - Parameters:
  ///   - operation: whose defects are tried.
  ///   - cases: of this operation, those that count.
  ///   - isAdversarial: whether all its cases are adversarial, which may be odd on purpose.
  /// - Returns: what they would notice together.
  public func judge(
    _ operation: String, by cases: some Sequence<VerificationCase>, isAdversarial: Bool = false
  ) -> VacuityRecord {
    let perturbations = OperationRegistry.type(named: operation)?.perturbations.value ?? []
    guard !perturbations.isEmpty else {
      return VacuityRecord(operation: operation, noticedBy: [:], notJudged: ["any": "no defect is defined for it"])
    }
    var search = VacuitySearch(perturbations + Perturbation.ofCotangents, oracle: oracle)
    for item in cases where !Task.isCancelled { search.look(at: item) }
    return search.record(of: operation, isAdversarial: isAdversarial)
  }
}

/// The cases of an operation that count, loaded one at a time.
private struct StoredCases: Sequence {
  private let cases: [(file: GoldenFile, summary: GoldenCaseSummary)]
  /// None of them is *exact* or *random*.
  let isAdversarial: Bool

  init(of operation: String, in files: [GoldenFile]) {
    let all = files.flatMap { file in
      file.cases.filter { $0.operation == operation && $0.expectError == nil }.map { (file, $0) }
    }
    let judged = all.filter { $0.1.fill != .adversarial }
    isAdversarial = judged.isEmpty
    cases = judged.isEmpty ? all : judged
  }

  var isEmpty: Bool { cases.isEmpty }

  func makeIterator() -> some IteratorProtocol<VerificationCase> {
    // A case that cannot be loaded is the run's to report.
    cases.lazy.compactMap { file, summary in
      (try? file.load(summary)).map { VerificationCase(file: file.path, oracle: file.header.oracleDType, golden: $0) }
    }.makeIterator()
  }
}

/// One operation's defects, each looked for in every target.
private struct VacuitySearch {
  private struct Defect: Hashable {
    let perturbation: Int
    let target: VacuityTarget
  }

  private let perturbations: [Perturbation]
  private let oracle: any Engine
  /// By defect, for every target met: the case that notices it.
  private var found: [Defect: String?] = [:]
  /// By kind of problem: whether random operands show a defect. Where they do not, no operands do.
  private var shows: [ProblemKind: [Defect: Bool]] = [:]
  /// Targets with a case whose operands are not all constant.
  private var varied: Set<VacuityTarget> = []

  init(_ perturbations: [Perturbation], oracle: any Engine) {
    self.perturbations = perturbations
    self.oracle = oracle
  }

  mutating func look(at item: VerificationCase) {
    let targets = item.golden.vacuityTargets
    varied.formUnion(targets.filter { !item.golden.isConstant(for: $0) })
    let kind = ProblemKind(item.golden)
    var stored = LazySubject { VacuitySubject(item) }
    var random = LazySubject { [oracle] in VacuitySubject(randomLike: item, seed: Self.seed, oracle: oracle) }
    for index in perturbations.indices {
      let open = targets.filter { target in
        (!perturbations[index].isOfCotangents || target != .outputs) && isUnnoticed(index, target)
      }
      let untried = open.filter { shows[kind]?[Defect(perturbation: index, target: $0)] == nil }
      let shown = random.noticed(perturbations[index], in: untried, oracle)
      for target in untried {
        shows[kind, default: [:]][Defect(perturbation: index, target: target)] = shown.contains(target)
      }
      let applicable = open.filter { shows[kind]?[Defect(perturbation: index, target: $0)] ?? false }
      let noticed = stored.noticed(perturbations[index], in: applicable, oracle)
      for target in open {
        found[Defect(perturbation: index, target: target)] = .some(noticed.contains(target) ? item.golden.name : nil)
      }
    }
  }

  private static let seed: UInt64 = 1

  private func isUnnoticed(_ perturbation: Int, _ target: VacuityTarget) -> Bool {
    (found[Defect(perturbation: perturbation, target: target)] ?? nil) == nil
  }

  func record(of operation: String, isAdversarial: Bool) -> VacuityRecord {
    var record = VacuityRecord(operation: operation, noticedBy: [:])
    let noticing = Set(found.filter { $0.value != nil }.keys.map(\.target))
    let applicable = Set(shows.values.flatMap { $0.filter(\.value).keys })
    for (defect, name) in found {
      let key = perturbations[defect.perturbation].name + defect.target.suffix
      if let name {
        record.noticedBy[key] = name
      } else if !applicable.contains(defect) {
        record.notJudged[key] = "it cannot show on any operands of these shapes and attributes"
      } else if isAdversarial, noticing.contains(defect.target) || varied.contains(defect.target) {
        record.notJudged[key] = "the operation has only adversarial cases, which may be odd on purpose"
      } else {
        record.noticedBy[key] = ""
      }
    }
    return record
  }
}

/// A subject that is made when it is first asked.
private struct LazySubject {
  private let make: () -> VacuitySubject?
  private var subject: VacuitySubject??

  init(_ make: @escaping () -> VacuitySubject?) { self.make = make }

  mutating func noticed(
    _ perturbation: Perturbation, in targets: Set<VacuityTarget>, _ oracle: any Engine
  ) -> Set<VacuityTarget> {
    guard !targets.isEmpty else { return [] }
    if subject == nil { subject = .some(make()) }
    return subject??.noticed(perturbation, in: targets, oracle: oracle) ?? []
  }
}

/// What a defect's chance to show depends on: attributes, which tensors there are, and their sizes up to one that is large
/// beside any kernel. Cases that differ beyond it show the same defects.
private struct ProblemKind: Hashable {
  private static let large = 16

  private let attributes: Attributes
  private let sizes: [String: [Int]]

  init(_ golden: GoldenCase) {
    attributes = golden.attributes
    sizes = [golden.inputs, golden.parameters, golden.buffers].reduce(into: [:]) { all, tensors in
      for (name, tensor) in tensors { all[name] = tensor.shape.dimensions.map { min($0, Self.large) } }
    }
  }
}
