/// A command line that a reader may paste into a shell, whatever is in its words.
///
/// Every `repeat:` and `reproduce:` line, and every command in a report, is made by this type alone.
public struct ShellCommand: Sendable, Hashable, CustomStringConvertible {
  public var words: [String]

  public init(_ words: [String]) { self.words = words }

  /// On one line, quoted for a POSIX shell (bash's `$'…'` where a word has control characters).
  public var description: String { words.map(Self.quoted).joined(separator: " ") }

  private static let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-=,:@+%".utf8)

  /// One word as a shell reads it back: as it is, in single quotes, or with escapes where it holds what would move a
  /// terminal's cursor or end the line.
  public static func quoted(_ word: String) -> String {
    if !word.isEmpty, word.utf8.allSatisfy(plain.contains) { return word }
    if word.unicodeScalars.contains(where: PrintableText.isUnprintable) {
      var text = "$'"
      for scalar in word.unicodeScalars {
        switch scalar {
        case "'": text += "\\'"
        case "\\": text += "\\\\"
        case _ where PrintableText.isUnprintable(scalar):
          // Bytes, not code points: what `\u` means depends on the shell's locale.
          for byte in String(scalar).utf8 {
            let digits = String(byte, radix: 16)
            text += "\\x" + (digits.count < 2 ? "0" : "") + digits
          }
        default: text.unicodeScalars.append(scalar)
        }
      }
      return text + "'"
    }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
