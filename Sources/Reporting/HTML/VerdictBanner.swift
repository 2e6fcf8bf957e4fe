import Results

/// What a run amounts to, a line for each kind of work.
enum VerdictBanner {
  static func verdicts(_ run: Run) -> [HTMLPage.Verdict] {
    var found: [HTMLPage.Verdict] = []
    if let section = run.verification {
      let counts = VerificationStatus.allCases.map { status in
        (status, section.results.count { $0.status == status })
      }
      let text = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0.rawValue)" }.joined(separator: ", ")
      let reasons = section.reasons.isEmpty ? "" : " (\(section.reasons.joined(separator: "; ")))"
      found.append(
        .init(style: style(section.exitCode), text: "Verification: \(text.isEmpty ? "nothing" : text)\(reasons)"))
    }
    if let section = run.gradients {
      let passed = section.records.count { $0.verdict == .pass }
      let reasons = section.reasons.isEmpty ? "" : " (\(section.reasons.joined(separator: "; ")))"
      found.append(
        .init(
          style: style(section.exitCode), text: "Gradients: \(passed) of \(section.records.count) PASS\(reasons)"))
    }
    if let section = run.selfTest {
      let killed = section.mutants.count - section.survivors.count
      found.append(
        .init(
          style: style(section.exitCode),
          text:
            "Self-test: \(killed) of \(section.mutants.count) mutants killed, \(section.falseAlarms.count) false alarms"
        ))
    }
    if let section = run.duet {
      let code =
        section.verdict == "pass" || section.verdict == "improvement" ? 0 : section.verdict == "regression" ? 1 : 2
      let reasons = section.reasons.isEmpty ? "" : ": \(section.reasons.joined(separator: "; "))"
      found.append(.init(style: style(code), text: "Regression gate: \(section.verdict)\(reasons)"))
    }
    if let section = run.benchmark {
      let contestants = section.workloads.flatMap(\.contestants)
      let bad = contestants.count { $0.status == .wrong || $0.status == .failed }
      let timed = contestants.count { $0.status == .timed }
      let state = section.complete ? "" : ", interrupted"
      let failing = bad > 0 ? ", \(bad) wrong or failed" : ", each verified first"
      found.append(
        .init(
          style: bad > 0 ? "bad" : section.complete ? "good" : "doubtful",
          text: "Benchmark: \(timed) times on \(section.workloads.count) workloads\(failing)\(state)"))
      found += section.machine.warnings.map { .init(style: "doubtful", text: "Timing conditions: \($0)") }
    }
    return found
  }

  private static func style(_ exitCode: Int) -> String { exitCode == 0 ? "good" : exitCode == 2 ? "doubtful" : "bad" }
}
