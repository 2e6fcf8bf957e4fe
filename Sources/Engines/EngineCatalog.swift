import Foundation
import Problems

/// Every engine that a command can be asked for: the built-in ones, those that a file declares, and those that the command
/// line gives with their command.
public struct EngineCatalog: Sendable {
  /// Why a word of the command line names no engine.
  public struct Failure: Error, CustomStringConvertible, Hashable {
    /// What the exit code depends on: a wrong word, a wrong file, or an engine that does not run.
    public enum Kind: Sendable { case usage, data, engine }
    public var kind: Kind
    public var description: String

    public init(_ kind: Kind, _ description: String) {
      self.kind = kind
      self.description = description
    }
  }

  public private(set) var builtIn: [any Engine]
  public private(set) var declared: [String: ProcessEngine.Declaration]

  public init(builtIn: [any Engine], declared: [String: ProcessEngine.Declaration] = [:]) {
    self.builtIn = builtIn
    self.declared = declared
  }

  /// The engine of a word of the command line: `direct`, `pytorch`, or `mine='./my-engine --fast'`.
  /// - Parameters:
  ///   - word: as it was typed.
  ///   - timeout: in seconds; overrides the declaration's.
  ///   - surroundings: of an engine in another process.
  /// - Throws: ``Failure``; a command that does not run or answer included.
  public func engine(
    _ word: String, timeout: Double? = nil, surroundings: EngineSurroundings = EngineSurroundings()
  ) throws(Failure) -> any Engine {
    guard var declaration = try declaration(word) else {
      if let engine = builtIn.first(where: { $0.description.name == word }) { return engine }
      let known = (builtIn.map(\.description.name) + declared.keys).sorted().joined(separator: ", ")
      throw Failure(.usage, "engine '\(word)': expected one of \(known), or NAME='COMMAND …'")
    }
    if let timeout { declaration.timeout = timeout }
    declaration.surroundings = surroundings
    do throws(EngineError) { return try ProcessEngine(declaration) } catch { throw Failure(.engine, "\(error)") }
  }

  private func declaration(_ word: String) throws(Failure) -> ProcessEngine.Declaration? {
    guard let equals = word.firstIndex(of: "=") else { return declared[word] }
    let name = String(word[..<equals])
    let command = String(word[word.index(after: equals)...])
    guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || "-_.".contains($0) }) else {
      throw Failure(.usage, "engine '\(word)': expected a name of letters, digits, '-', '_' and '.' before '='")
    }
    guard !command.allSatisfy(\.isWhitespace) else {
      throw Failure(.usage, "engine '\(word)': expected a command after '='")
    }
    guard !builtIn.contains(where: { $0.description.name == name }) else {
      throw Failure(.usage, "engine '\(name)': this name is a built-in engine's: choose another")
    }
    return ProcessEngine.Declaration(name: name, command: command)
  }
}
