import ArgumentParser
import Benchmarking
import Engines
import Foundation

/// Engines by the words of a command line, with the exit codes that their failures have.
enum EngineLookup {
  static let standardFile = "Benchmarks/engines.toml"

  /// Built-in engines and those of `Benchmarks/engines.toml`, where there is one.
  static func catalog(builtIn: [any Engine]) throws -> EngineCatalog {
    let file = URL(fileURLWithPath: standardFile)
    guard FileManager.default.fileExists(atPath: file.path) else { return EngineCatalog(builtIn: builtIn) }
    return try translating { () throws(EngineCatalog.Failure) in
      EngineCatalog(builtIn: builtIn, declared: try EngineCatalog.declarations(at: file))
    }
  }

  /// The engines of these words, each once.
  /// - Parameters:
  ///   - builtIn: ``BuiltInEngines/tuned`` where they are timed.
  ///   - standsIn: whether an ``UnstartedEngine`` takes the place of one that does not start, so that the others
  ///     still run; without it that ends the command.
  static func engines(
    _ words: [String], timeout: Double?, builtIn: [any Engine] = BuiltInEngines.all, standsIn: Bool = false
  ) throws -> [(word: String, engine: any Engine)] {
    let catalog = try catalog(builtIn: builtIn)
    var found: [(word: String, engine: any Engine)] = []
    for word in words {
      let engine = try translating { () throws(EngineCatalog.Failure) -> any Engine in
        do throws(EngineCatalog.Failure) { return try catalog.engine(word, timeout: timeout) } catch {
          guard standsIn, error.kind == .engine else { throw error }
          Console.error(error.description)
          return UnstartedEngine(name: String(word.prefix { $0 != "=" }), reason: error.description)
        }
      }
      let name = engine.description.name
      guard !found.contains(where: { $0.engine.description.name == name }) else {
        throw ValidationError("engine '\(name)' is given twice.")
      }
      found.append((word, engine))
    }
    return found
  }

  /// 64 for a word that names no engine, 65 for a bad declaration, 2 for an engine that does not start: nothing was decided.
  private static func translating<Result>(_ body: () throws(EngineCatalog.Failure) -> Result) throws -> Result {
    do throws(EngineCatalog.Failure) { return try body() } catch {
      if error.kind == .usage { throw ValidationError(error.description) }
      throw failure(error.description, code: error.kind == .data ? 65 : 2)
    }
  }

  /// Says what is wrong on stderr; the exit code is thrown by the caller.
  static func failure(_ message: String, code: Int32) -> ExitCode {
    Console.error("\(message)")
    return ExitCode(code)
  }
}
