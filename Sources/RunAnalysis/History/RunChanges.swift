import Results

/// What a run's reader wants to know of the one before it.
public enum RunChanges {
  /// - Parameters:
  ///   - old: the earlier run.
  ///   - path: where it was found.
  ///   - new: the later one.
  ///   - policy: the smallest change of a time that counts, as a fraction.
  public static func record(since old: Run, at path: String, in new: Run, policy: Double = 0.05) -> ChangesRecord {
    var record = ChangesRecord(
      against: path, started: old.provenance.started, oldCommit: old.provenance.gitCommit,
      newCommit: new.provenance.gitCommit, policy: policy)
    if new.benchmark != nil, old.benchmark != nil {
      do throws(BaselineComparison.Refusal) {
        add(try BaselineComparison(old: old, new: new, policy: policy), to: &record)
      } catch { record.refusals = error.reasons }
    }
    if let before = old.verification, let after = new.verification { add(before, after, to: &record) }
    return record
  }

  /// Whether the two were made on the same machine, by the same compiler and of the same suite, so that one follows the other.
  public static func isSuccessor(_ new: Run, of old: Run) -> Bool {
    guard let before = old.benchmark, let after = new.benchmark else {
      guard old.benchmark == nil, new.benchmark == nil, let first = old.verification, let second = new.verification
      else {
        return false
      }
      return first.engines.map(\.name) == second.engines.map(\.name) && first.filters == second.filters
    }
    return before.suite == after.suite && before.complete
      && zip(BaselineComparison.key(of: old, before), BaselineComparison.key(of: new, after)).allSatisfy {
        $0.1 == $1.1
      }
  }

  private static func add(_ comparison: BaselineComparison, to record: inout ChangesRecord) {
    record.compared = comparison.rows.count
    record.unclear = comparison.rows.count { $0.verdict == .unclear }
    record.missing = comparison.missing
    record.changes = comparison.rows.filter { $0.verdict == .slower || $0.verdict == .faster }
      .sorted { ($1.normalisedRatio, $0.workload, $0.engine) < ($0.normalisedRatio, $1.workload, $1.engine) }
      .map { row in
        ChangesRecord.Change(
          workload: row.workload, engine: row.engine, oldNanoseconds: row.oldNanoseconds,
          newNanoseconds: row.newNanoseconds, ratio: row.normalisedRatio, lower: row.interval?.lowerBound,
          upper: row.interval?.upperBound, verdict: row.verdict.rawValue, isClaimed: row.isClaimed)
      }
  }

  private static func add(
    _ before: VerificationSection, _ after: VerificationSection, to record: inout ChangesRecord
  ) {
    struct Key: Hashable {
      var file: String
      var name: String
      var engine: String
      var dtype: String

      init(_ result: CaseResult) {
        (file, name, engine, dtype) = (result.file, result.name, result.engine, result.dtype)
      }
    }
    let old = Dictionary(before.results.map { (Key($0), $0.status) }, uniquingKeysWith: { first, _ in first })
    for result in after.results {
      guard let status = old[Key(result)] else { continue }
      record.comparedResults += 1
      guard status != result.status else { continue }
      record.statuses.append(
        .init(name: result.name, engine: result.engine, dtype: result.dtype, old: status, new: result.status))
    }
  }
}
