import ArgumentParser
import Problems
import Results

/// A word where a command should stand that is none of them.
enum UnknownCommand {
  /// - Parameters:
  ///   - words: of the command line.
  ///   - root: the command whose subcommands come first.
  /// - Returns: what is wrong, and in which command; `nil` where every word that names a command names one.
  static func refusal(
    _ words: [String], of root: any ParsableCommand.Type
  ) -> (reason: ValidationError, command: any ParsableCommand.Type)? {
    var command = root
    for (index, word) in words.enumerated() {
      let known = command.configuration.subcommands
      guard !known.isEmpty, !word.hasPrefix("-") else { return nil }
      // `assay help golden diff` names commands, too.
      if index == 0, word == "help" { continue }
      if let next = known.first(where: { $0._commandName == word || $0.configuration.aliases.contains(word) }) {
        command = next
        continue
      }
      let names = known.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
      let question =
        NearestName.of(word, among: names).map { "did you mean '\($0)'?" }
        ?? "expected \(names.joined(separator: ", "))"
      return (ValidationError("there is no command '\(word.printable)': \(question)"), command)
    }
    return nil
  }
}
