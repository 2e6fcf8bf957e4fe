import Engines
import GoldenFiles
import Problems
import Results
import Tensors

/// Judges whether an operation's *exact* and *random* cases would notice a flipped kernel, a shifted window or a dropped term.
///
/// The defect is computed by the oracle on changed operands and held against the file's expected values with float32's bounds,
/// the widest ones. One case that notices is enough; an operation without a case where the defect could show is not judged.
public struct VacuityJudge: Sendable {
  public let oracle: any Engine

  public init(oracle: any Engine) { self.oracle = oracle }

  /// - Parameter files: every case in them counts, whatever the filters: vacuity is the corpus's, not a selection's.
  public func judge(operations: Set<String>, in files: [GoldenFile]) -> [VacuityRecord] {
    operations.sorted().compactMap { judge($0, in: files) }
  }

  private func judge(_ operation: String, in files: [GoldenFile]) -> VacuityRecord? {
    var open = Perturbation.all(for: operation)
    var noticedBy: [String: String] = [:]
    for file in files {
      for summary in file.cases
      where summary.operation == operation && summary.expectError == nil && summary.fill != .adversarial {
        if open.isEmpty { break }
        // A case that cannot be loaded is the run's to report.
        guard let golden = try? file.load(summary) else { continue }
        let item = VerificationCase(file: file.path, oracle: file.header.oracleDType, golden: golden)
        open.removeAll { perturbation in
          switch notices(item, perturbation) {
          case true?:
            noticedBy[perturbation.name] = summary.name
            return true
          case false?:
            noticedBy[perturbation.name] = ""
            return false
          case nil: return false
          }
        }
      }
    }
    return noticedBy.isEmpty ? nil : VacuityRecord(operation: operation, noticedBy: noticedBy)
  }

  /// - Returns: `nil` where the defect cannot show: not applicable, nothing expected, or refused.
  private func notices(_ item: VerificationCase, _ perturbation: Perturbation) -> Bool? {
    let wanted = Set(item.golden.outputs.keys.map { "outputs/\($0)" })
    let exercise = item.exercise(dtype: .float64, wanted: wanted, passes: [.forward])
    guard item.golden.outputs.values.contains(where: { $0.shape.count > 0 }),
      let changed = perturbation.apply(exercise),
      let problem = (try? exercise.problem()) ?? nil, let answer = try? oracle.compute(changed)
    else { return nil }
    let model = BoundModels.make(for: exercise, problem: problem, wanted: wanted)
    let rules = AllowanceRules(fill: item.golden.fill, candidate: .float32, oracle: item.oracle)
    return wanted.contains { path in
      guard let expected = item.golden.expected[path], let tensor = answer[path],
        let allowance = rules.allowance(for: path, expected: expected, model: model)
      else { return false }
      return !TensorComparison(path: path, expected: expected, allowance: allowance, dtype: .float64).compare(tensor)
        .passes
    }
  }
}
