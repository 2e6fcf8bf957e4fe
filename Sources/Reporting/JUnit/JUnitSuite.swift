import Foundation

/// One `<testsuite>`, counted as it is filled.
struct JUnitSuite {
  enum Verdict {
    case pass
    case failure
    case error
    case skipped
  }

  let name: String
  /// Of the whole suite where its cases have no times of their own.
  var seconds: Double
  private(set) var failures = 0
  private(set) var errors = 0
  private(set) var skipped = 0
  private var cases: [String] = []

  init(_ name: String, seconds: Double = 0) {
    self.name = name
    self.seconds = seconds
  }

  var count: Int { cases.count }

  /// - Parameters:
  ///   - message: one line; not shown for a pass.
  ///   - body: what a person reads to find the fault; not shown for a pass.
  ///   - note: shown for a pass alone.
  mutating func add(
    _ name: String, className: String, seconds: Double = 0, _ verdict: Verdict, _ message: String = "",
    body: String = "", note: String? = nil
  ) {
    self.seconds += seconds
    let open =
      "    <testcase name=\"\(Self.escaped(name))\" classname=\"\(Self.escaped(className))\" "
      + "time=\"\(Self.seconds(seconds))\""
    let element: String
    switch verdict {
    case .pass:
      cases.append(
        open + (note.map { "><system-out>\(Self.escaped($0))</system-out></testcase>\n" } ?? "/>\n"))
      return
    case .skipped:
      skipped += 1
      cases.append(open + "><skipped message=\"\(Self.escaped(message))\"/></testcase>\n")
      return
    case .failure:
      failures += 1
      element = "failure"
    case .error:
      errors += 1
      element = "error"
    }
    cases.append(
      open + "><\(element) message=\"\(Self.escaped(message))\">\(Self.escaped(body))</\(element)></testcase>\n")
  }

  var text: String {
    """
      <testsuite name="\(Self.escaped(name))" tests="\(cases.count)" failures="\(failures)" errors="\(errors)" \
    skipped="\(skipped)" time="\(Self.seconds(seconds))">
    \(cases.joined())  </testsuite>

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
}
