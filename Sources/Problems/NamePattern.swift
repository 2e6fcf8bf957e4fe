/// A glob over case or problem names, as every `--filter` takes it: `*` is any text, slashes included, `?` one character. The
/// whole name has to match. A pattern that begins with `=` is no glob but the name itself, byte for byte: `=/relu/a*`. A
/// leading slash is ignored on both sides.
public struct NamePattern: Sendable, Hashable, CustomStringConvertible {
  public let description: String
  private let pattern: [Character]
  /// Of a pattern that is a name.
  private let exact: [UInt8]?

  public init(_ pattern: String) {
    description = pattern
    exact = pattern.hasPrefix("=") ? Array(Self.bare(pattern.dropFirst()).utf8) : nil
    self.pattern = Array(Self.bare(pattern[...]))
  }

  /// Whether it may match several names.
  public var isGlob: Bool { exact == nil && pattern.contains { $0 == "*" || $0 == "?" } }

  private static func bare(_ name: Substring) -> Substring { name.hasPrefix("/") ? name.dropFirst() : name }

  /// The pattern that matches this name alone, whatever is in it: what a printed command passes to `--filter`.
  public static func literal(_ name: String) -> String {
    let isPlain =
      !name.hasPrefix("=") && name.utf8.allSatisfy { $0 < 0x80 && $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "?") }
    return isPlain ? name : "=" + name
  }

  public func matches(_ name: String) -> Bool {
    if let exact { return Self.bare(name[...]).utf8.elementsEqual(exact) }
    let name = Array(Self.bare(name[...]))
    var position = 0
    var index = 0
    // Where the last star stood, and how much of the name it has taken: on a mismatch it takes one character more.
    var star: (pattern: Int, name: Int)?
    while index < name.count {
      let character = position < pattern.count ? pattern[position] : nil
      if character == "*" {
        star = (position, index)
        position += 1
      } else if character == "?" || character == name[index] {
        position += 1
        index += 1
      } else if let last = star {
        star = (last.pattern, last.name + 1)
        position = last.pattern + 1
        index = last.name + 1
      } else {
        return false
      }
    }
    return pattern[position...].allSatisfy { $0 == "*" }
  }
}
