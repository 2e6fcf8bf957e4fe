/// A glob over case or problem names, as every `--filter` takes it: `*` is any text, slashes included, `?` one character; a
/// leading slash is ignored on both sides. The whole name has to match.
public struct NamePattern: Sendable, Hashable, CustomStringConvertible {
  public let description: String
  private let pattern: [Character]

  public init(_ pattern: String) {
    description = pattern
    self.pattern = Self.bare(pattern)
  }

  private static func bare(_ name: String) -> [Character] { Array(name.hasPrefix("/") ? name.dropFirst() : name[...]) }

  public func matches(_ name: String) -> Bool {
    let name = Self.bare(name)
    var position = 0
    var index = 0
    // Where the last star stood, and how much of the name it has taken: on a mismatch it takes one character more.
    var star: (pattern: Int, name: Int)?
    while index < name.count {
      if position < pattern.count, pattern[position] == "*" {
        star = (position, index)
        position += 1
      } else if position < pattern.count, pattern[position] == "?" || pattern[position] == name[index] {
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
