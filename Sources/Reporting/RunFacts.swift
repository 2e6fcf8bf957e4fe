import Results

/// What a run says first: a verdict for each kind of work, and the sentences worth reading before any table.
public enum RunFacts {
  /// `Verification: 1592 PASS, 208 REFUSED`, a line for each kind of work and each doubt about the timings.
  public static func verdicts(of run: Run) -> [String] { VerdictBanner.verdicts(run).map(\.text) }

  /// Most interesting first: what is wrong, then what the benchmark found and what to know of its times, then how near to its
  /// limit the accuracy came.
  public static func facts(of run: Run) -> [String] {
    failures(run) + (run.changes.map { [ChangesTable($0).summary] } ?? []) + (run.benchmark?.facts ?? [])
      + (run.benchmark.map(BenchmarkNotes.lines) ?? [])
      + [accuracy(run)].compactMap { $0 }
  }

  private static func failures(_ run: Run) -> [String] {
    var found: [String] = []
    let failing = (run.verification?.results ?? []).filter {
      ($0.status == .fail || $0.status == .error) && $0.knownFailure == nil
    }
    if let simplest = failing.min(by: { FailureGroup.order($0) < FailureGroup.order($1) }) {
      found.append(
        "\(failing.count) golden results are wrong or missing, the simplest of them \(simplest.name.printable) by "
          + "\(simplest.engine.printable) in \(simplest.dtype).")
    }
    if let failures = run.fuzzing?.failures, let first = failures.first {
      found.append(
        "\(failures.count) kinds of failures on random problems, the first of them of \(first.engine.printable) on "
          + "\(first.problem.printable)\(first.common.map { "; it \($0)" } ?? "").")
    }
    let gradients = (run.gradients?.records ?? []).filter { $0.verdict == .fail || $0.verdict == .error }
    if let first = gradients.first {
      found.append(
        "\(gradients.count) gradient checks fail, the first of them \(first.name.printable) of \(first.engine.printable)."
      )
    }
    let caught = (run.benchmark?.workloads ?? []).flatMap { workload in
      workload.contestants.filter { $0.status == .cheated }.map { (workload, $0) }
    }
    if let (workload, contestant) = caught.first {
      let rules = contestant.audit?.violations.map(\.rule.rawValue).joined(separator: ", ") ?? ""
      found.append(
        "\(caught.count) contestants of the benchmark are caught, the first of them \(contestant.engine.printable) on "
          + "\(workload.name.printable): \(rules).")
    }
    let survivors = run.selfTest?.survivors ?? []
    if let first = survivors.first {
      found.append("\(survivors.count) wrong implementations go unnoticed, the first of them: \(first.name).")
    }
    return found
  }

  private static func accuracy(_ run: Run) -> String? {
    let tensors = (run.verification?.results ?? []).filter { $0.status == .pass }.flatMap { result in
      result.tensors.filter(\.worstRatio.isFinite).map { (result, $0) }
    }
    guard let (result, tensor) = tensors.max(by: { $0.1.worstRatio < $1.1.worstRatio }) else { return nil }
    let share =
      tensor.worstRatio == 1
      ? "1 of 1 allowed, exactly its bound" : "\(NumberText.short(tensor.worstRatio)) of 1 allowed"
    return
      "Nearest to its bound of all that pass: \(result.name) by \(result.engine) in \(result.dtype), error/bound \(share)."
  }
}
