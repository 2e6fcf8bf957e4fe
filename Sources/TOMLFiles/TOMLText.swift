import Foundation
import TOMLKit

/// Tables in TOML from outside: suites, declarations of engines, known failures.
package enum TOMLText {
  /// What is wrong with a text or a file, in one sentence.
  package struct Malformed: Error, CustomStringConvertible, Hashable {
    package let description: String
  }

  /// The table that a file holds.
  /// - Throws: ``Malformed``, which names the file.
  package static func table(at file: URL) throws(Malformed) -> TOMLTable {
    let path = file.path(percentEncoded: false)
    let text: String
    do { text = try String(contentsOf: file, encoding: .utf8) } catch {
      throw Malformed(description: "\(path): cannot be read: \(error.localizedDescription)")
    }
    do { return try table(text) } catch { throw Malformed(description: "\(path): \(error)") }
  }

  package static func table(_ text: String) throws(Malformed) -> TOMLTable {
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      try checkHeader(line, number: number + 1)
    }
    do { return try TOMLTable(string: text) } catch { throw Malformed(description: "\(error)") }
  }

  /// The keys of a table are these, or some of them.
  /// - Throws: ``Malformed`` with the first that is none of them.
  package static func require(_ known: Set<String>, in table: TOMLTable) throws(Malformed) {
    guard let other = table.keys.sorted().first(where: { !known.contains($0) }) else { return }
    throw Malformed(description: "expected only \(known.sorted().joined(separator: ", ")), found '\(other)'")
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
