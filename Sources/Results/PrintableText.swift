/// Text from outside (names in files, messages of engines, paths) as it may stand on a terminal, in a report or in a CI's
/// log.
///
/// Left raw, an escape sequence moves a cursor, a newline starts a line of its own, and a line that starts with `::` is a
/// command to a CI.
public enum PrintableText {
  /// Control characters, and characters that reorder or break a line: what no name may do to the text around it.
  public static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: true
    // Line and paragraph separators; marks and overrides of direction.
    case 0x2028, 0x2029, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0x061C, 0xFEFF: true
    default: false
    }
  }

  /// The text on one line, with `\n`, `\t` and `\u{1B}` in words, cut where it is longer than `limit` characters.
  public static func escaped(_ text: String, limit: Int = 2_000) -> String {
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
      guard count < limit else { return result + "… (\(text.utf8.count) bytes)" }
      count += 1
      switch scalar {
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where isUnprintable(scalar): result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    // GitHub obeys a line that starts with `::`, Azure one with `##`.
    if result.hasPrefix("::") || result.hasPrefix("##") { result = "\\" + result }
    return result
  }

  /// The same for text of several lines, such as an engine's log: lines stay lines.
  public static func escapedLines(_ text: String, limit: Int = 2_000) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0), limit: limit) }
  }
}

extension String {
  /// ``PrintableText/escaped(_:limit:)`` of this text.
  public var printable: String { PrintableText.escaped(self) }
}
