import TOMLKit

/// Tables in TOML from outside: suites, declarations of engines, known failures.
package enum TOMLText {
  /// What the parser itself would not survive.
  package struct Malformed: Error, CustomStringConvertible {
    package let description: String
  }

  /// - Throws: ``Malformed``, or the parser's own error.
  package static func table(_ text: String) throws -> TOMLTable {
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      try checkHeader(line, number: number + 1)
    }
    return try TOMLTable(string: text)
  }

  /// The parser takes for granted that a key follows a header's brackets, and ends the process where none does.
  private static func checkHeader(_ line: Substring, number: Int) throws(Malformed) {
    var rest = line.utf8.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    guard rest.first == UInt8(ascii: "[") else { return }
    rest = rest.dropFirst()
    if rest.first == UInt8(ascii: "[") { rest = rest.dropFirst() }
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    switch rest.first {
    case .some(UInt8(ascii: "a")...UInt8(ascii: "z")), .some(UInt8(ascii: "A")...UInt8(ascii: "Z")),
      .some(UInt8(ascii: "0")...UInt8(ascii: "9")), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "\""),
      UInt8(ascii: "'"), UInt8(ascii: "]"):
      return
    default:
      throw Malformed(description: "line \(number): expected a table's name after '[', found '\(line.prefix(40))'")
    }
  }
}
