import Engines
import Foundation
import Results
import TOMLKit

extension EngineCatalog {
  /// Reads declarations: a table for each engine, with a `command` or a shared `library`, and optionally `timeout`,
  /// `engine` and `version`. Commands run in the file's folder, where relative paths of libraries begin too.
  /// - Parameters:
  ///   - file: in TOML.
  ///   - host: the path of `assay`, whose `host` command holds a library.
  /// - Throws: `EngineCatalog.Failure` that names the file and the key. Whether a library is there shows when its
  ///   engine is started, as with a command.
  public static func declarations(
    at file: URL, host: String = thisProgram
  ) throws(Failure) -> [String: ProcessEngine.Declaration] {
    let path = file.path(percentEncoded: false)
    let table: TOMLTable
    do { table = try TOMLText.table(at: file) } catch { throw Failure(.data, "\(error)") }
    var found: [String: ProcessEngine.Declaration] = [:]
    for name in table.keys {
      guard let entry = table[name]?.table else {
        throw Failure(.data, "\(path): \(name): expected a table with a command or a library, found another value")
      }
      do { try TOMLText.require(["command", "library", "timeout", "engine", "version"], in: entry) } catch {
        throw Failure(.data, "\(path): \(name): \(error)")
      }
      let timeout = entry["timeout"].map { $0.double ?? $0.int.map { Double($0) } ?? -1 } ?? 60
      guard timeout > 0, timeout <= 86_400 else {
        throw Failure(
          .data,
          "\(path): \(name): timeout: expected seconds above 0 and at most 86400 (a day), found \(entry["timeout"]?.debugDescription ?? "")"
        )
      }
      var declaration: ProcessEngine.Declaration
      let folder = file.deletingLastPathComponent()
      switch (try word("command", of: entry, "\(path): \(name)"), try word("library", of: entry, "\(path): \(name)")) {
      case (let command?, nil):
        declaration = ProcessEngine.Declaration(name: name, command: command, directory: folder)
      case (nil, let library?):
        declaration = hosted(URL(fileURLWithPath: library, relativeTo: folder), name: name, host: host)
      case (nil, nil): throw Failure(.data, "\(path): \(name): expected a command or a library, found none")
      case (_?, _?): throw Failure(.data, "\(path): \(name): expected a command or a library, found both")
      }
      declaration.timeout = timeout
      declaration.expectedName = entry["engine"]?.string
      declaration.expectedVersion = entry["version"]?.string
      found[name] = declaration
    }
    return found
  }

  /// The words of a key; `nil` where it is absent.
  private static func word(_ key: String, of entry: TOMLTable, _ place: String) throws(Failure) -> String? {
    guard let value = entry[key] else { return nil }
    guard let words = value.string, !words.allSatisfy(\.isWhitespace) else {
      throw Failure(.data, "\(place): \(key): expected words, found \(value.debugDescription)")
    }
    return words
  }
}
