import Results

/// Foreign text in Markdown: names in files, messages of engines, commands.
enum MarkdownText {
  /// Within a line: one line of plain text, no code, emphasis, link or tag of its own.
  static func inline(_ text: String) -> String {
    var result = ""
    for character in text.printable {
      if "`*<[".contains(character) { result += "\\" }
      result.append(character)
    }
    return result
  }

  /// As code within a line, between more backticks than it has in a row.
  static func code(_ text: String) -> String {
    let text = text.printable
    let fence = String(repeating: "`", count: longestRun(in: [text]) + 1)
    return text.contains("`") ? "\(fence) \(text) \(fence)" : "\(fence)\(text)\(fence)"
  }

  /// A block of code of an item of a list, which none of its lines can end.
  static func block(_ lines: [String]) -> [String] {
    let fence = "  " + String(repeating: "`", count: max(3, longestRun(in: lines) + 1))
    return [fence] + lines.map { "  " + $0 } + [fence]
  }

  private static func longestRun(in lines: [String]) -> Int {
    lines.lazy.flatMap { $0.split { $0 != "`" } }.map(\.count).max() ?? 0
  }
}
