import Foundation
import Results

/// A verification as JUnit XML, as GitLab, Jenkins and GitHub actions read it: one suite a golden file.
public enum JUnitReport {
  public static func text(_ section: VerificationSection) -> String {
    var suites: [Suite] = section.files.map { file in
      var suite = Suite(name: file.path)
      for (index, error) in file.errors.enumerated() {
        suite.add("\(file.path) error \(index + 1)", className: "file", seconds: 0, kind: .error, error, error)
      }
      for result in section.results where result.file == file.path { suite.add(result, strict: section.strict) }
      return suite
    }
    var corpus = Suite(name: "corpus")
    for record in section.vacuity {
      let unnoticed = record.unnoticed.joined(separator: ", ")
      let message = "no case of \(record.operation) that is judged would notice: \(unnoticed)"
      corpus.add(
        "\(record.operation) notices defects", className: "vacuity", seconds: 0,
        kind: record.isVacuous ? .failure : .pass, "VACUOUS: \(message)", message)
    }
    for stale in section.staleKnownFailures {
      corpus.add(
        "\(stale.engine) \(stale.caseGlob)", className: "known_failures", seconds: 0, kind: .failure, stale.problem,
        stale.problem)
    }
    if !corpus.cases.isEmpty { suites.append(corpus) }
    let cases = suites.reduce(0) { $0 + $1.cases.count }
    let failures = suites.reduce(0) { $0 + $1.failures }
    let errors = suites.reduce(0) { $0 + $1.errors }
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="assay verify" tests="\(cases)" failures="\(failures)" errors="\(errors)" \
      time="\(seconds(section.seconds))">
      \(suites.map(\.text).joined())</testsuites>

      """
  }

  /// Three decimals: Jenkins's schema admits no more.
  static func seconds(_ value: Double) -> String { String(format: "%.3f", value) }

  /// Text safe inside an attribute or an element; characters that XML 1.0 has no way to write become `?`.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += "&#10;"
      case "\t": result += "&#9;"
      case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += "?"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private struct Suite {
    enum Kind { case pass, failure, error, skipped }
    let name: String
    var cases: [String] = []
    var failures = 0
    var errors = 0
    var skipped = 0
    var time = 0.0

    init(name: String) { self.name = name }

    mutating func add(_ result: CaseResult, strict: Bool) {
      let kind: Kind =
        switch result.status {
        case _ where result.knownFailure != nil: .skipped
        case .pass, .refused: .pass
        case .fail: .failure
        case .error: .error
        case .unsupported: strict ? .failure : .skipped
        }
      let message = result.knownFailure.map { "known failure: \($0)" } ?? "\(result.status.rawValue): \(result.message)"
      add(
        "\(result.name) [\(result.engine) \(result.dtype)]", className: result.operation, seconds: result.seconds,
        kind: kind, message, FailureText.details(result).joined(separator: "\n"))
    }

    mutating func add(
      _ name: String, className: String, seconds: Double, kind: Kind, _ message: String, _ body: String
    ) {
      time += seconds
      let open =
        "    <testcase name=\"\(escaped(name))\" classname=\"\(escaped(className))\" "
        + "time=\"\(JUnitReport.seconds(seconds))\""
      let element: String
      switch kind {
      case .pass:
        cases.append(open + "/>\n")
        return
      case .skipped:
        skipped += 1
        cases.append(open + "><skipped message=\"\(escaped(message))\"/></testcase>\n")
        return
      case .failure:
        failures += 1
        element = "failure"
      case .error:
        errors += 1
        element = "error"
      }
      cases.append(
        open + "><\(element) message=\"\(escaped(message))\">\(escaped(body))</\(element)></testcase>\n")
    }

    var text: String {
      """
        <testsuite name="\(escaped(name))" tests="\(cases.count)" failures="\(failures)" errors="\(errors)" \
      skipped="\(skipped)" time="\(JUnitReport.seconds(time))">
      \(cases.joined())  </testsuite>

      """
    }
  }
}
