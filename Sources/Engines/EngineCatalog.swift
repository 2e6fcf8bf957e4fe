import Foundation
import Problems
import Results

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
  /// The path of the program that runs.
  public static let thisProgram = Bundle.main.executablePath ?? CommandLine.arguments[0]

  /// The path of the program whose `host` command holds a shared library, and whose `engine` serves a built-in one: this one.
  private let host: String

  /// - Parameters:
  ///   - builtIn: the engines inside this program.
  ///   - declared: those of a file, by name.
  ///   - host: the path of `assay`.
  public init(
    builtIn: [any Engine], declared: [String: ProcessEngine.Declaration] = [:], host: String = thisProgram
  ) {
    self.builtIn = builtIn
    self.declared = declared
    self.host = host
  }

  /// The engine of a word of the command line: `direct`, `pytorch`, `mine='./my-engine --fast'`, or a
  /// ``Results/LibraryWord``.
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
      throw unknown(word)
    }
    if let timeout { declaration.timeout = timeout }
    declaration.surroundings = surroundings
    do throws(EngineError) { return try ProcessEngine(declaration) } catch { throw Failure(.engine, "\(error)") }
  }

  /// How the engine of a word runs in a process of its own, for whoever starts it again and again. A built-in one is served by
  /// this program, and chooses strategies by what was measured on this machine, as where it is timed in this one.
  /// - Parameter word: as ``engine(_:timeout:surroundings:)`` takes it.
  /// - Returns: `nil` where no engine has this name.
  /// - Throws: ``Failure``.
  public func process(_ word: String) throws(Failure) -> ProcessEngine.Declaration? {
    if let declaration = try declaration(word) { return declaration }
    guard builtIn.contains(where: { $0.description.name == word }) else { return nil }
    return ProcessEngine.Declaration(name: word, command: "\(ShellCommand([host, "engine", word, "--tuned"]))")
  }

  /// The names that words may be, in order.
  public var names: [String] { (builtIn.map(\.description.name) + declared.keys).sorted() }

  private func unknown(_ word: String) -> Failure {
    // A path, or a command with its words: what is missing is a name for it.
    if word.contains(where: { $0 == "/" || $0.isWhitespace }) {
      let program = word.split(whereSeparator: \.isWhitespace).first ?? ""
      let name = program.split(separator: "/").last?.split(separator: ".").first ?? "mine"
      let command = ShellCommand.quoted("\(name)=\(word)")
      return Failure(.usage, "engine '\(word)': a command needs a name: --engine \(command)")
    }
    return Failure(
      .usage,
      "engine '\(word)': expected one of \(names.joined(separator: ", ")), or NAME='COMMAND …'"
        + NearestName.question(word, among: names))
  }

  private func declaration(_ word: String) throws(Failure) -> ProcessEngine.Declaration? {
    if let library = LibraryWord(word: word) { return try declaration(of: library) }
    guard let equals = word.firstIndex(of: "=") else { return declared[word] }
    let name = String(word[..<equals])
    let command = String(word[word.index(after: equals)...])
    guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || "-_.".contains($0) }) else {
      throw Failure(.usage, "engine '\(word)': expected a name of letters, digits, '-', '_' and '.' before '='")
    }
    guard !command.allSatisfy(\.isWhitespace) else {
      throw Failure(.usage, "engine '\(word)': expected a command after '='")
    }
    try requireUnused(name)
    return ProcessEngine.Declaration(name: name, command: command)
  }

  /// A child that holds the library, which can then do what it likes to its own process alone.
  /// - Throws: ``Failure`` where there is no such file, or its name is a built-in engine's.
  public func declaration(of library: LibraryWord) throws(Failure) -> ProcessEngine.Declaration {
    guard !library.file.isEmpty else {
      throw Failure(.usage, "library '': expected the path of a shared library, or NAME=PATH")
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: library.file, isDirectory: &isFolder), !isFolder.boolValue else {
      let found = isFolder.boolValue ? "a folder" : "nothing"
      throw Failure(.data, "library \(library.file): expected a shared library, found \(found) at this path")
    }
    try requireUnused(library.name)
    return Self.hosted(
      URL(fileURLWithPath: library.file), name: library.name, symbols: library.symbols, host: host)
  }

  private func requireUnused(_ name: String) throws(Failure) {
    guard !builtIn.contains(where: { $0.description.name == name }) else {
      throw Failure(.usage, "engine '\(name)': this name is a built-in engine's: choose another")
    }
  }

  /// A child of `assay` that holds the library, which can then do what it likes to its own process alone.
  /// - Parameters:
  ///   - library: the file.
  ///   - name: of the engine, where the library does not say one.
  ///   - symbols: which symbol computes an operation, where it is not `assay_<operation>`.
  ///   - host: the path of `assay`.
  package static func hosted(
    _ library: URL, name: String, symbols: [String: String] = [:], host: String
  ) -> ProcessEngine.Declaration {
    // From whichever folder the child starts in.
    let file = library.absoluteURL.path(percentEncoded: false)
    var words = [host, "host", "--name", name, "--library", file]
    for (operation, symbol) in symbols.sorted(by: { $0.key < $1.key }) {
      words += ["--symbol", "\(operation)=\(symbol)"]
    }
    var declaration = ProcessEngine.Declaration(name: name, command: "exec \(ShellCommand(words))")
    declaration.isHost = true
    return declaration
  }
}
