/// A shared library as an engine, in the one word that suites, records and `duet` keep of an engine:
/// `library:[NAME=]FILE`, and a ` --symbol OPERATION=SYMBOL` for each operation that another symbol computes.
public struct LibraryWord: Hashable, Sendable {
  /// That the engine is known by, where it was given.
  public var givenName: String?
  public var file: String
  /// Which symbol computes an operation.
  public var symbols: [String: String]

  private static let prefix = "library:"
  private static let separator = " --symbol "

  /// - Parameters:
  ///   - library: as `--library` has it: `FILE` or `NAME=FILE`.
  ///   - symbols: which symbol computes an operation.
  public init(library: String, symbols: [String: String] = [:]) {
    self.symbols = symbols
    let name = library.prefix { $0 != "=" }
    let isName = !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
    if name.endIndex < library.endIndex, isName {
      givenName = String(name)
      file = String(library[library.index(after: name.endIndex)...])
    } else {
      file = library
    }
  }

  /// `nil` where the word names an engine of another kind.
  public init?(word: String) {
    guard word.hasPrefix(Self.prefix) else { return nil }
    var (rest, symbols) = (word.dropFirst(Self.prefix.count), [String: String]())
    while let range = rest.ranges(of: Self.separator).last {
      let parts = rest[range.upperBound...].split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { break }
      symbols[parts[0]] = parts[1]
      rest = rest[..<range.lowerBound]
    }
    self.init(library: String(rest), symbols: symbols)
  }

  /// The name that reports show: the file's own without `lib` and its extensions, where none was given.
  public var name: String {
    if let givenName { return givenName }
    let base = file.split(separator: "/").last.map(String.init) ?? file
    let stem = base.hasPrefix("lib") && base.count > 3 ? base.dropFirst(3) : base[...]
    let name = stem.prefix { $0 != "." }
    return name.isEmpty ? base : String(name)
  }

  private var library: String { (givenName.map { "\($0)=" } ?? "") + file }
  private var sorted: [String] { symbols.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } }

  public var word: String { Self.prefix + library + sorted.map { Self.separator + $0 }.joined() }

  /// The options of a command that name the library again.
  var options: [String] {
    ["--library", library] + sorted.flatMap { ["--symbol", "\(name):\($0)"] }
  }
}

/// The options of a command that name an engine again, by the word that a record keeps of it.
public enum EngineOptionWords {
  public static func words(for engine: String) -> [String] {
    if let library = LibraryWord(word: engine) { return library.options }
    // A value that begins with a dash would be taken for an option.
    return engine.hasPrefix("-") ? ["--engine=\(engine)"] : ["--engine", engine]
  }
}
