import Foundation
import TestSupport
import Testing

/// The subcommands as the built command itself describes them.
struct CommandTree: Decodable {
  struct Argument: Decodable {
    struct Name: Decodable { var name: String }
    var names: [Name]?
    /// `option` where a value follows.
    var kind: String
    var shouldDisplay: Bool
  }

  var commandName: String
  var discussion: String
  var subcommands: [CommandTree]
  /// Whether the help of the command above names it.
  var isDisplayed: Bool
  /// Names of options and flags, without their hyphens.
  var options: Set<String>
  /// Of those, the ones that a help names.
  var displayed: Set<String>
  /// The long names of the ones that take a value.
  var valued: Set<String>
  /// From `assay` on.
  var path: [String]

  private enum Key: String, CodingKey {
    case commandName, discussion, subcommands, arguments, superCommands, shouldDisplay
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    commandName = try container.decode(String.self, forKey: .commandName)
    discussion = try container.decodeIfPresent(String.self, forKey: .discussion) ?? ""
    subcommands = try container.decodeIfPresent([CommandTree].self, forKey: .subcommands) ?? []
    isDisplayed = try container.decodeIfPresent(Bool.self, forKey: .shouldDisplay) ?? true
    let arguments = try container.decodeIfPresent([Argument].self, forKey: .arguments) ?? []
    options = Set(arguments.flatMap { $0.names ?? [] }.map(\.name))
    displayed = Set(arguments.filter(\.shouldDisplay).flatMap { $0.names ?? [] }.map(\.name))
    valued = Set(
      arguments.filter { $0.kind == "option" }.compactMap { $0.names?.map(\.name).max { $0.count < $1.count } })
    path = try (container.decodeIfPresent([String].self, forKey: .superCommands) ?? []) + [commandName]
  }

  static func whole() throws -> CommandTree {
    struct Dump: Decodable { var command: CommandTree }
    let run = try CommandRun(["--experimental-dump-help"])
    try #require(run.exitCode == 0)
    return try JSONDecoder().decode(Dump.self, from: Data(run.output.utf8)).command
  }

  func visit(_ body: (CommandTree) throws -> Void) rethrows {
    try body(self)
    for subcommand in subcommands { try subcommand.visit(body) }
  }

  /// What of these words, without `assay` itself, the command does not know: a subcommand or an option; `nil` when it knows
  /// them all. Values are not looked at.
  func unknownWord(in words: [String]) -> String? {
    var command = self
    var rest = words[...]
    while let next = rest.first, let subcommand = command.subcommands.first(where: { $0.commandName == next }) {
      command = subcommand
      rest.removeFirst()
    }
    if !command.subcommands.isEmpty, let word = rest.first, !word.hasPrefix("-") { return word }
    return rest.first { word in
      guard word.hasPrefix("-") else { return false }
      let name = word.drop { $0 == "-" }.prefix { $0 != "=" }
      return !command.options.contains(String(name)) && name != "help"
    }
  }
}
