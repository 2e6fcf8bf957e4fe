extension ShellCommand {
  /// The same command without some of its options.
  /// - Parameters:
  ///   - options: those that take a value, as `--out FILE` or `--out=FILE`.
  ///   - flags: those that take none.
  public func without(options: Set<String> = [], flags: Set<String> = []) -> ShellCommand {
    var kept: [String] = []
    var remaining = words[...]
    while let word = remaining.popFirst() {
      if flags.contains(word) { continue }
      if options.contains(word) {
        _ = remaining.popFirst()
      } else if !options.contains(where: { word.hasPrefix("\($0)=") }) {
        kept.append(word)
      }
    }
    return ShellCommand(kept)
  }

  /// What the last `option VALUE` or `option=VALUE` says; `nil` without one.
  public func value(of option: String) -> String? {
    for (index, word) in words.enumerated().reversed() {
      if word == option, index + 1 < words.count { return words[index + 1] }
      if word.hasPrefix("\(option)=") { return String(word.dropFirst(option.count + 1)) }
    }
    return nil
  }

  /// The values of an option that may be repeated, in order.
  public func values(of option: String) -> [String] {
    words.indices.compactMap { index in
      if words[index] == option { return index + 1 < words.count ? words[index + 1] : nil }
      return words[index].hasPrefix("\(option)=") ? String(words[index].dropFirst(option.count + 1)) : nil
    }
  }

  public func adding(_ words: String...) -> ShellCommand { ShellCommand(self.words + words) }
}
