/// What was probably meant by a pattern that matches no name.
package enum PatternHint {
  /// - Parameters:
  ///   - pattern: as it was typed.
  ///   - option: that it was given to, such as `--filter`.
  ///   - names: all that it could have matched.
  /// - Returns: one sentence; `nil` where it matches one of them.
  package static func text(_ pattern: String, option: String, among names: [String]) -> String? {
    let found = NamePattern(pattern)
    guard !names.contains(where: found.matches) else { return nil }
    let start = "\(option) '\(pattern)' matches nothing"
    guard !names.isEmpty else { return start }
    for other in candidates(pattern, names) {
      let count = names.count { NamePattern(other).matches($0) }
      if count > 0 { return "\(start): did you mean '\(other)' (\(count))?" }
    }
    return "\(start): the whole name has to match, '*' is any text, and --list prints the names"
  }

  /// The likeliest first.
  private static func candidates(_ pattern: String, _ names: [String]) -> [String] {
    var bare = pattern[...]
    if bare.hasPrefix("=") { bare = bare.dropFirst() }
    if bare.hasPrefix("/") { bare = bare.dropFirst() }
    guard !bare.isEmpty else { return ["*"] }
    var found = ["\(bare)/*", "\(bare)*", "*/\(bare)", "*\(bare)*"]
    var parts = bare.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let firsts = Set(names.compactMap { $0.split(separator: "/").first.map(String.init) })
    if let first = parts.first, let near = NearestName.of(first, among: firsts) {
      parts[0] = near
      found += [parts.joined(separator: "/"), "\(near)/*"]
    }
    return found
  }
}
