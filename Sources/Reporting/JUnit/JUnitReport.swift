import Results

/// A run as JUnit XML, as GitLab, Jenkins and GitHub actions read it.
///
/// The last suite, `outcome`, has a case for each part of the run: it passes where the part holds, is a failure where it fails,
/// and an error where nothing was decided. So a reader of JUnit sees red exactly when the exit code is not 0, also for what no
/// other case stands for (an interruption, a missing shard).
public enum JUnitReport {
  public static func text(_ run: Run) -> String {
    var suites: [JUnitSuite] = []
    if let section = run.verification { suites += VerificationJUnit.suites(section) }
    if let section = run.fuzzing { suites.append(FuzzingJUnit.suite(section)) }
    if let section = run.gradients { suites.append(GradientJUnit.suite(section)) }
    if let section = run.selfTest { suites.append(selfTest(section)) }
    if let section = run.benchmark { suites.append(benchmark(section, run.provenance)) }
    if let section = run.duet { suites.append(DuetJUnit.suite(section)) }
    suites.append(outcome(run))
    let total = { (count: (JUnitSuite) -> Int) in suites.reduce(0) { $0 + count($1) } }
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="assay" tests="\(total(\.count))" failures="\(total(\.failures))" errors="\(total(\.errors))" \
      time="\(JUnitSuite.seconds(suites.reduce(0) { $0 + $1.seconds }))">
      \(suites.map(\.text).joined())</testsuites>

      """
  }

  private static func outcome(_ run: Run) -> JUnitSuite {
    var suite = JUnitSuite("outcome")
    for (part, conclusion) in run.conclusions {
      suite.add(
        part.rawValue, className: "outcome", verdict(conclusion.outcome), conclusion.text,
        body: conclusion.reasons.joined(separator: "\n"))
    }
    for hole in run.holes ?? [] {
      suite.add(hole.reason, className: "outcome", verdict(hole.outcome), hole.reason, body: hole.command ?? "")
    }
    if run.conclusions.isEmpty { suite.add("run", className: "outcome", .error, run.conclusion.text) }
    return suite
  }

  private static func verdict(_ outcome: Outcome) -> JUnitSuite.Verdict {
    switch outcome {
    case .holds: .pass
    case .fails: .failure
    case .inconclusive, .notWritten, .badData, .internalError: .error
    }
  }

  private static func selfTest(_ section: SelfTestSection) -> JUnitSuite {
    var suite = JUnitSuite("selftest", seconds: section.seconds)
    for mutant in section.mutants {
      if let reason = mutant.notRun {
        suite.add(mutant.name, className: mutant.family, .skipped, reason)
      } else {
        suite.add(mutant.name, className: mutant.family, mutant.isKilled ? .pass : .failure, "SURVIVED")
      }
    }
    for (number, alarm) in section.falseAlarms.enumerated() {
      suite.add("false alarm \(number + 1)", className: "false alarms", .failure, alarm)
    }
    return suite
  }

  private static func benchmark(_ section: BenchmarkSection, _ provenance: Provenance) -> JUnitSuite {
    var suite = JUnitSuite("benchmark", seconds: section.seconds)
    for workload in section.workloads {
      for contestant in workload.contestants {
        let verdict: JUnitSuite.Verdict =
          switch contestant.status {
          case .timed: .pass
          case .unsupported: .skipped
          case .wrong, .cheated: .failure
          case .failed: .error
          }
        let command = BenchmarkReproduction.command(contestant, on: workload, of: section, provenance)
        suite.add(
          "\(workload.name) [\(contestant.engine)]", className: "benchmark", verdict,
          "\(contestant.status.rawValue): \(contestant.message)",
          body: verdict == .skipped
            ? "" : (FailureText.details(contestant) + ["repeat: \(command)"]).joined(separator: "\n"),
          note: contestant.time == nil ? nil : contestant.trust.map { "time: \($0.rawValue)" })
      }
    }
    return suite
  }
}
