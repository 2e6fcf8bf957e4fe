import Results

/// Fuzzing as JUnit: a case for each operation and engine, and one for each kind of failure.
enum FuzzingJUnit {
  static func suite(_ section: FuzzingSection) -> JUnitSuite {
    var suite = JUnitSuite("fuzzing", seconds: section.seconds)
    for tally in section.tallies where tally[.fail] + tally[.error] == 0 {
      let isDone = tally[.pass] + tally[.refused] > 0
      suite.add(
        "\(tally.operation) [\(tally.engine)]", className: "fuzzing",
        isDone ? .pass : tally[.notRun] > 0 ? .error : .skipped, "no random problem was computed",
        note: "\(tally.results) random problems, seed \(section.seed)")
    }
    for failure in section.failures {
      suite.add(
        "\(failure.problem) [\(failure.engine) \(failure.dtype)]", className: "fuzzing",
        failure.result.status == .error ? .error : .failure, FuzzingText.headline(failure),
        body: FuzzingText.details(failure).joined(separator: "\n"))
    }
    for (number, defect) in section.defects.enumerated() {
      suite.add("defect \(number + 1)", className: "fuzzing", .error, defect, body: defect)
    }
    return suite
  }
}
