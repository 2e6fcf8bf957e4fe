/// A glob over case or problem names, as every `--filter` takes it: `*` is any text, slashes included, `?` one character; a
/// leading slash is ignored on both sides. A backslash before `*`, `?` or another backslash makes that character stand for
/// itself; before anything else it is a backslash. The whole name has to match.
public struct NamePattern: Sendable, Hashable, CustomStringConvertible {
  public let description: String
  private let tokens: [Token]

  private enum Token: Sendable, Hashable {
    case anyText, anyCharacter
    case character(Character)
  }

  public init(_ pattern: String) {
    description = pattern
    var tokens: [Token] = []
    var isEscaped = false
    for character in Self.bare(pattern) {
      switch character {
      case _ where isEscaped:
        if !Self.special.contains(character) { tokens.append(.character("\\")) }
        tokens.append(.character(character))
        isEscaped = false
      case "\\": isEscaped = true
      case "*": tokens.append(.anyText)
      case "?": tokens.append(.anyCharacter)
      default: tokens.append(.character(character))
      }
    }
    if isEscaped { tokens.append(.character("\\")) }
    self.tokens = tokens
  }

  private static let special: Set<Character> = ["*", "?", "\\"]

  private static func bare(_ name: String) -> Substring { name.hasPrefix("/") ? name.dropFirst() : name[...] }

  /// The pattern that matches this name alone, whatever is in it: what a printed command passes to `--filter`.
  public static func literal(_ name: String) -> String {
    name.reduce(into: "") { pattern, character in
      if special.contains(character) { pattern.append("\\") }
      pattern.append(character)
    }
  }

  public func matches(_ name: String) -> Bool {
    let name = Array(Self.bare(name))
    var position = 0
    var index = 0
    // Where the last star stood, and how much of the name it has taken: on a mismatch it takes one character more.
    var star: (pattern: Int, name: Int)?
    while index < name.count {
      let token = position < tokens.count ? tokens[position] : nil
      if token == .anyText {
        star = (position, index)
        position += 1
      } else if token == .anyCharacter || token == .character(name[index]) {
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
    return tokens[position...].allSatisfy { $0 == .anyText }
  }
}
