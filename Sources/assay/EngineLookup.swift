import ArgumentParser
import Benchmarking
import Engines
import Foundation
import Problems
import Results
import StrategyEngines
import TOMLFiles

/// Engines by the words of a command line.
enum EngineLookup {
  static let standardFile = "Benchmarks/engines.toml"

  /// Built-in engines and those of `Benchmarks/engines.toml`, where there is one.
  static func catalog(builtIn: [any Engine]) throws -> EngineCatalog {
    guard let file = Resources().path(standardFile) else { return EngineCatalog(builtIn: builtIn) }
    return EngineCatalog(builtIn: builtIn, declared: try EngineCatalog.declarations(at: URL(fileURLWithPath: file)))
  }

  /// The folder of engines' sources; where there is none, its name, which whoever needs it then misses.
  static var sources: URL { URL(fileURLWithPath: Resources().path("Benchmarks/engines") ?? "Benchmarks/engines") }

  /// The engines that do nothing, beside which others are audited.
  static func nulls() -> NullEngines {
    NullEngines(
      program: EngineCatalog.thisProgram,
      package: sources.appending(path: "python").path)
  }

  /// The built-in engine of a word.
  /// - Throws: `ValidationError` for any other.
  static func builtIn(_ word: String, of engines: [any Engine] = BuiltInEngines.all) throws -> any Engine {
    if let engine = engines.first(where: { $0.description.name == word }) { return engine }
    let known = engines.map(\.description.name)
    throw ValidationError(
      "engine '\(word)': expected one of \(known.joined(separator: ", "))" + NearestName.question(word, among: known))
  }

  /// The engines of these words, each once.
  /// - Parameters:
  ///   - timeout: in seconds; overrides the declarations'.
  ///   - surroundings: of engines in other processes.
  ///   - builtIn: ``BuiltInEngines/tuned`` where they are timed.
  ///   - standsIn: whether an ``UnstartedEngine`` takes the place of one that does not start, so that the others
  ///     still run; without it that ends the command.
  /// - Throws: `ValidationError` for a word that names no engine, ``EngineCatalog/Failure`` for a bad declaration.
  static func engines(
    _ words: [String], timeout: Double?, surroundings: EngineSurroundings = EngineSurroundings(),
    builtIn: [any Engine] = BuiltInEngines.all, standsIn: Bool = false
  ) throws -> [(word: String, engine: any Engine)] {
    let catalog = try catalog(builtIn: builtIn)
    var found: [(word: String, engine: any Engine)] = []
    for word in words {
      let engine: any Engine
      do throws(EngineCatalog.Failure) {
        engine = try catalog.engine(word, timeout: timeout, surroundings: surroundings)
      } catch {
        if error.kind == .usage { throw ValidationError(error.description) }
        guard standsIn, error.kind == .engine else { throw error }
        Console.error(error.description)
        let name = LibraryWord(word: word)?.name ?? String(word.prefix { $0 != "=" })
        engine = UnstartedEngine(name: name, reason: error.description)
      }
      let name = engine.description.name
      guard !found.contains(where: { $0.engine.description.name == name }) else {
        throw ValidationError("engine '\(name)' is given twice.")
      }
      found.append((word, engine))
    }
    return found
  }
}
