import Results

/// A gate as JUnit: a regression is a failure, and what could not be concluded is an error, never a pass.
enum DuetJUnit {
  static func suite(_ duet: DuetSection) -> JUnitSuite {
    var suite = JUnitSuite("duet", seconds: duet.seconds)
    for benchmark in duet.benchmarks {
      suite.add(
        benchmark.name, className: "duet", verdict(benchmark, duet),
        "\(benchmark.verdict): \(BenchmarkText.change(benchmark.change)), could have seen "
          + "\(BenchmarkText.change(benchmark.smallestDetectableChange))",
        body: "base: \(duet.base)\nhead: \(duet.head)")
    }
    return suite
  }

  private static func verdict(_ benchmark: DuetBenchmark, _ duet: DuetSection) -> JUnitSuite.Verdict {
    if duet.verdict == "inconclusive" { return .error }
    switch benchmark.verdict {
    case "regression": return .failure
    case "pass", "improvement": return .pass
    default: return .error
    }
  }
}
