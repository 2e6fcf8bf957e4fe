import Results

/// The gradients of a run as JUnit XML: one test case a record.
public enum GradientJUnit {
  /// - Parameter details: the text of a record that is no pass.
  public static func text(_ section: GradientSection, details: (GradientRecord) -> String) -> String {
    let failures = section.records.count { $0.verdict == .fail || $0.verdict == .inconclusive }
    let errors = section.records.count { $0.verdict == .error }
    let skipped = section.records.count { $0.verdict == .unsupported }
    var lines = [
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
      "<testsuites name=\"assay gradcheck\">",
      "  <testsuite name=\"gradients\" tests=\"\(section.records.count)\" failures=\"\(failures)\" errors=\"\(errors)\" "
        + "skipped=\"\(skipped)\" time=\"\(JUnitReport.seconds(section.seconds))\">",
    ]
    for record in section.records {
      let open =
        "    <testcase classname=\"\(JUnitReport.escaped(record.engine)).\(record.dtype)\" name=\"\(JUnitReport.escaped(record.name))\" "
        + "time=\"\(JUnitReport.seconds(record.seconds))\""
      switch record.verdict {
      case .pass: lines.append(open + "/>")
      case .unsupported:
        lines.append(open + "><skipped message=\"\(JUnitReport.escaped(record.reason ?? "unsupported"))\"/></testcase>")
      case .fail, .inconclusive, .error:
        let element = record.verdict == .error ? "error" : "failure"
        lines.append(
          open
            + "><\(element) message=\"\(record.verdict.rawValue)\">\(JUnitReport.escaped(details(record)))</\(element)></testcase>"
        )
      }
    }
    return (lines + ["  </testsuite>", "</testsuites>"]).joined(separator: "\n") + "\n"
  }
}
