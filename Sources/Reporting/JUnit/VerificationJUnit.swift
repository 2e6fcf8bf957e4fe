import Results

/// A verification as JUnit: one suite a golden file, and one for the corpus as a whole.
enum VerificationJUnit {
  static func suites(_ section: VerificationSection) -> [JUnitSuite] {
    var suites = section.files.map { file in
      var suite = JUnitSuite(file.path)
      for (index, error) in file.errors.enumerated() {
        suite.add("\(file.path) error \(index + 1)", className: "file", .error, error, body: error)
      }
      for result in section.results where result.file == file.path { add(result, section, to: &suite) }
      return suite
    }
    var corpus = JUnitSuite("corpus")
    for record in section.vacuity {
      let unnoticed = record.unnoticed.joined(separator: ", ")
      let message = "no case of \(record.operation) that is judged would notice: \(unnoticed)"
      corpus.add(
        "\(record.operation) notices defects", className: "vacuity", record.isVacuous ? .failure : .pass,
        "VACUOUS: \(message)", body: message)
    }
    for stale in section.staleKnownFailures {
      corpus.add(
        "\(stale.engine) \(stale.caseGlob)", className: "known_failures", .failure, stale.problem, body: stale.problem)
    }
    if corpus.count > 0 { suites.append(corpus) }
    return suites
  }

  private static func add(_ result: CaseResult, _ section: VerificationSection, to suite: inout JUnitSuite) {
    let verdict: JUnitSuite.Verdict =
      switch result.status {
      case _ where result.knownFailure != nil: .skipped
      case .pass, .refused: .pass
      case .fail: .failure
      // A case that was not run has no result, and no reader of JUnit may count it as a success.
      case .error, .notRun: .error
      case .unsupported: section.strict ? .failure : .skipped
      }
    let message = result.knownFailure.map { "known failure: \($0)" } ?? "\(result.status.rawValue): \(result.message)"
    suite.add(
      "\(result.name) [\(result.engine) \(result.dtype)]", className: result.operation, seconds: result.seconds,
      verdict, message, body: FailureText.details(result).joined(separator: "\n"))
  }
}
