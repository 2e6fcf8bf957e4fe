import Results

/// A gate as JUnit XML: a regression is a failure, and what could not be concluded is an error, never a pass.
public enum DuetJUnit {
  public static func text(_ duet: DuetSection) -> String {
    let time = JUnitReport.seconds(duet.seconds)
    let cases = duet.benchmarks.map { benchmark in
      let open = "    <testcase name=\"\(JUnitReport.escaped(benchmark.name))\" classname=\"duet\" time=\"0.000\""
      let message = JUnitReport.escaped(
        "\(benchmark.verdict): \(BenchmarkText.change(benchmark.change)), could have seen "
          + "\(BenchmarkText.change(benchmark.smallestDetectableChange))")
      let body = JUnitReport.escaped("base: \(duet.base)\nhead: \(duet.head)")
      switch kind(benchmark, duet) {
      case "pass": return open + "/>\n"
      case let kind: return open + "><\(kind) message=\"\(message)\">\(body)</\(kind)></testcase>\n"
      }
    }
    let failures = duet.benchmarks.count { kind($0, duet) == "failure" }
    let errors = duet.benchmarks.count { kind($0, duet) == "error" }
    let counts = "tests=\"\(duet.benchmarks.count)\" failures=\"\(failures)\" errors=\"\(errors)\""
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="assay duet" \(counts) time="\(time)">
        <testsuite name="duet" \(counts) skipped="0" time="\(time)">
      \(cases.joined())  </testsuite>
      </testsuites>

      """
  }

  private static func kind(_ benchmark: DuetBenchmark, _ duet: DuetSection) -> String {
    if duet.verdict == "inconclusive" { return "error" }
    switch benchmark.verdict {
    case "regression": return "failure"
    case "pass", "improvement": return "pass"
    default: return "error"
    }
  }
}
