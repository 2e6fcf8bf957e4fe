// The rules by which records become an outcome, all of them: a section's conclusion is never stored in it and never read from
// a file, so it cannot disagree with its records.

extension VerificationSection: RunSection {
  public var conclusion: Conclusion {
    var conclusion = Conclusion()
    let bad = files.filter { !$0.errors.isEmpty }
    if !bad.isEmpty { conclusion.add(.badData, because: "\(bad.count) of \(files.count) files have errors") }
    for status in [VerificationStatus.fail, .error, .unsupported] {
      let count = results.count { $0.status == status && $0.counts(strict: strict) }
      if count > 0 {
        conclusion.add(.fails, because: "\(count) \(status.rawValue)" + (status == .unsupported ? " (--strict)" : ""))
      }
    }
    let omissions = results.count { !$0.omittedResults.isEmpty && $0.status == .pass }
    if strict, omissions > 0 {
      conclusion.add(.fails, because: "\(omissions) cases with omitted results (--strict)")
    }
    let vacuous = vacuity.filter(\.isVacuous)
    if !vacuous.isEmpty {
      conclusion.add(.fails, because: "VACUOUS: " + vacuous.map(\.operation).joined(separator: ", "))
    }
    if !staleKnownFailures.isEmpty {
      conclusion.add(.fails, because: "\(staleKnownFailures.count) entries of known failures no longer hold")
    }
    let notRun = results.count { $0.status == .notRun }
    if notRun > 0 { conclusion.add(.inconclusive, because: "\(notRun) \(VerificationStatus.notRun.rawValue)") }
    if interrupted { conclusion.add(.inconclusive, because: "interrupted before every case was done") }
    // A part of a run may have nothing to do; the whole is judged when its parts are merged.
    if results.isEmpty, shard == nil { conclusion.add(.inconclusive, because: "no case was run") }
    for engine in engines where !results.isEmpty {
      let statuses = Set(results.lazy.filter { $0.engine == engine.name }.map(\.status))
      // For an engine that was not run another reason says so already.
      if statuses.isDisjoint(with: [.pass, .refused]), statuses != [.notRun] {
        conclusion.add(.inconclusive, because: "\(engine.name) passed no case")
      }
    }
    conclusion.add(holes)
    return conclusion
  }
}

extension FuzzingSection: RunSection {
  public var conclusion: Conclusion {
    var conclusion = Conclusion()
    if !defects.isEmpty {
      conclusion.add(
        .internalError, because: "\(defects.count) cases could not be made, the first of them \(defects[0])")
    }
    for status in [VerificationStatus.fail, .error] where count(status) > 0 {
      conclusion.add(.fails, because: "\(count(status)) \(status.rawValue)")
    }
    // Of an interrupted run, those behind a case that is not done.
    if !failures.isEmpty, count(.fail) + count(.error) == 0 {
      conclusion.add(.fails, because: "\(failures.count) kinds of failure")
    }
    if count(.notRun) > 0 {
      conclusion.add(.inconclusive, because: "\(count(.notRun)) \(VerificationStatus.notRun.rawValue)")
    }
    if interrupted { conclusion.add(.inconclusive, because: "interrupted") }
    if resultCount == 0 { conclusion.add(.inconclusive, because: "no case was run") }
    if resultCount > 0, !interrupted, !withoutTurn.isEmpty {
      conclusion.add(.inconclusive, because: "no time was left for \(withoutTurn.joined(separator: ", "))")
    }
    for engine in engines where resultCount > 0 {
      let own = tallies.filter { $0.engine == engine.name }
      // For an engine that was not run another reason says so already.
      if own.allSatisfy({ $0[.pass] + $0[.refused] == 0 }), own.contains(where: { $0[.notRun] < $0.results }) {
        conclusion.add(.inconclusive, because: "\(engine.name) passed no case")
      }
    }
    return conclusion
  }
}

extension TrainingSection: RunSection {
  public var conclusion: Conclusion {
    var conclusion = Conclusion()
    if let diverged { conclusion.add(.fails, because: diverged) }
    if let requiredAccuracy, let last = history.epochs.last, last.accuracy < requiredAccuracy {
      conclusion.add(
        .fails, because: "the \(judged) accuracy is \(last.accuracy), below the required \(requiredAccuracy)")
    }
    if interrupted { conclusion.add(.inconclusive, because: "interrupted") }
    if history.epochs.isEmpty { conclusion.add(.inconclusive, because: "no epoch was finished") }
    return conclusion
  }
}

extension GradientSection: RunSection {
  public var conclusion: Conclusion {
    var conclusion = Conclusion()
    if !badFiles.isEmpty { conclusion.add(.badData, because: "\(badFiles.count) files or cases cannot be read") }
    for verdict in [GradientVerdict.fail, .error, .inconclusive] {
      let count = records.count { $0.verdict == verdict }
      if count > 0 {
        conclusion.add(verdict == .inconclusive ? .inconclusive : .fails, because: "\(count) \(verdict.rawValue)")
      }
    }
    if interrupted == true { conclusion.add(.inconclusive, because: "interrupted before every check was done") }
    if records.isEmpty {
      if shard == nil { conclusion.add(.inconclusive, because: "nothing was checked") }
    } else if !records.contains(where: { $0.verdict == .pass }) {
      conclusion.add(.inconclusive, because: "nothing passed")
    }
    return conclusion
  }
}

extension SelfTestSection: RunSection {
  public var conclusion: Conclusion {
    var conclusion = Conclusion()
    if !survivors.isEmpty { conclusion.add(.fails, because: "\(survivors.count) mutants survived") }
    if !falseAlarms.isEmpty { conclusion.add(.fails, because: "\(falseAlarms.count) false alarms") }
    if interrupted == true { conclusion.add(.inconclusive, because: "interrupted before every mutant was tried") }
    if tried.isEmpty, shard == nil { conclusion.add(.inconclusive, because: "no mutant was tried") }
    if strict == true, let first = notRun.first {
      conclusion.add(.inconclusive, because: "\(notRun.count) mutants were not run: \(first.notRun ?? "")")
    }
    return conclusion
  }
}

extension BenchmarkSection: RunSection {
  public var conclusion: Conclusion {
    var conclusion = Conclusion()
    let contestants = workloads.flatMap(\.contestants)
    for status in BenchmarkStatus.allCases where status.isFault {
      let count = contestants.count { $0.status == status }
      if count > 0 { conclusion.add(.fails, because: "\(count) contestants \(status.rawValue)") }
    }
    if !complete {
      let all = planned.map { " of \($0.count)" } ?? ""
      conclusion.add(.inconclusive, because: "interrupted: \(workloads.count)\(all) workloads are done")
    } else if !contestants.contains(where: { $0.status == .timed }) {
      conclusion.add(.inconclusive, because: "nothing was timed")
    }
    for doubt in doubts ?? [] { conclusion.add(.inconclusive, because: doubt) }
    if strict == true {
      let undone = contestants.count { $0.status == .unsupported }
      let claimed = contestants.count { $0.status == .timed && $0.isClaimed }
      for (count, what) in [(undone, "unsupported"), (claimed, "timed by the engine's word alone")] where count > 0 {
        conclusion.add(.inconclusive, because: "\(count) of \(contestants.count) contestants \(what) (--strict)")
      }
    }
    conclusion.add(holes)
    return conclusion
  }
}

extension DuetSection: RunSection {
  public var conclusion: Conclusion {
    var conclusion = Conclusion()
    switch verdict {
    case "pass": break
    case "improvement":
      if policy.failsOnImprovement == true { conclusion.add(.fails, because: "an improvement: the baseline is stale") }
    case "regression":
      let slower = benchmarks.filter { $0.verdict == "regression" }.map(\.name)
      conclusion.add(.fails, because: "regression: " + slower.joined(separator: ", "))
    case "underpowered":
      let advice = "; run by root, or with CAP_SYS_NICE, a gate goes before other work of its container"
      let reason = "underpowered: a slowdown of the policy's size could not have been seen"
      conclusion.add(.inconclusive, because: nice == nil ? reason + advice : reason)
    default:
      for reason in reasons.isEmpty ? [verdict] : reasons { conclusion.add(.inconclusive, because: reason) }
    }
    if !complete, conclusion.outcome == .holds {
      conclusion.add(.inconclusive, because: "interrupted before every block was measured")
    }
    return conclusion
  }
}

extension HistorySection: RunSection {
  public var conclusion: Conclusion {
    series.isEmpty ? Conclusion(.inconclusive, reasons: ["no series"]) : Conclusion()
  }
}
