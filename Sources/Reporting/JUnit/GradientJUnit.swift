import Results

/// The gradients of a run as JUnit: one test case a record.
enum GradientJUnit {
  static func suite(_ section: GradientSection) -> JUnitSuite {
    var suite = JUnitSuite("gradients")
    for record in section.records {
      let verdict: JUnitSuite.Verdict =
        switch record.verdict {
        case .pass: .pass
        case .unsupported: .skipped
        case .fail, .inconclusive: .failure
        case .error: .error
        }
      let message = record.verdict == .unsupported ? record.reason ?? "unsupported" : record.verdict.rawValue
      suite.add(
        record.name, className: "\(record.engine).\(record.dtype)", seconds: record.seconds, verdict, message,
        body: verdict == .pass ? "" : GradientReport(record).text)
    }
    return suite
  }
}
