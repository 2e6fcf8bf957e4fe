import ArgumentParser
import Engines
import OperatingSystem
import Problems
import Results
import StrategyEngines

/// A side of `assay duet`: how its engine, of which each block has a new process, is started.
///
/// A name is what it is to `assay bench`; what is none is a command. A command may begin with variables of its environment, which
/// are written in capitals, where `name=command` has a name.
enum DuetEngine {
  /// - Parameters:
  ///   - word: the option's value.
  ///   - option: `--base` or `--head`.
  /// - Throws: `ValidationError` for a word that is neither, ``EngineCatalog/Failure`` for bad declarations or a library that
  ///   is not there.
  static func declaration(of word: String, option: String) throws -> ProcessEngine.Declaration {
    // Read when a name is asked for: commands need no declarations.
    func catalog() throws -> EngineCatalog { try EngineLookup.catalog(builtIn: BuiltInEngines.all) }
    do {
      if let library = LibraryWord(word: word) { return try EngineCatalog(builtIn: []).declaration(of: library) }
      if isName(word) || isNamedCommand(word), let named = try catalog().process(word) { return named }
    } catch let error as EngineCatalog.Failure where error.kind == .usage {
      throw ValidationError("\(option): \(error)")
    }
    if let missing = missingProgram(of: word) {
      let known = try catalog().names
      throw ValidationError(
        "\(option) '\(word.printable)': expected an engine (\(known.joined(separator: ", "))), library:FILE or a command, "
          + "found no command '\(missing)'" + NearestName.question(missing, among: known))
    }
    return ProcessEngine.Declaration(name: option, command: word)
  }

  private static func isName(_ word: String) -> Bool {
    !word.contains { $0.isWhitespace || $0 == "/" || $0 == "=" }
  }

  private static func isNamedCommand(_ word: String) -> Bool {
    let name = word.prefix { $0 != "=" }
    return name.endIndex < word.endIndex && isName(String(name)) && name.contains { $0.isLowercase }
  }

  /// The program of a command that a shell cannot find by its name. A path that leads nowhere is for the engine's start to say,
  /// and what else a shell's line may begin with is for the shell.
  private static func missingProgram(of command: String) -> String? {
    let word = command.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
    let isPlain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.+".contains($0)) }
    guard isPlain, ChildProcess.output(of: "/bin/sh", ["-c", "command -v \"$1\"", "sh", word]) == nil else {
      return nil
    }
    return word
  }
}
