import Engines
import Foundation
import TOMLKit
import Verification

extension EngineCatalog {
  /// Reads declarations: a table for each engine, with `command` and optionally `timeout`, `engine` and `version`. Commands
  /// run in the file's folder.
  /// - Throws: ``EngineCatalog/Failure`` that names the file and the key.
  public static func declarations(at file: URL) throws(Failure) -> [String: ProcessEngine.Declaration] {
    let path = file.path(percentEncoded: false)
    let table: TOMLTable
    do {
      table = try TOMLText.table(String(contentsOf: file, encoding: .utf8))
    } catch let error as TOMLParseError {
      throw Failure(.data, "\(path): \(error.description)")
    } catch let error as TOMLText.Malformed {
      throw Failure(.data, "\(path): \(error.description)")
    } catch {
      throw Failure(.data, "\(path): cannot be read: \(error.localizedDescription)")
    }
    var found: [String: ProcessEngine.Declaration] = [:]
    for name in table.keys {
      guard let entry = table[name]?.table else {
        throw Failure(.data, "\(path): \(name): expected a table with a command, found another value")
      }
      let known: Set = ["command", "timeout", "engine", "version"]
      if let key = entry.keys.first(where: { !known.contains($0) }) {
        throw Failure(
          .data, "\(path): \(name): expected only \(known.sorted().joined(separator: ", ")), found '\(key)'")
      }
      guard let command = entry["command"]?.string, !command.isEmpty else {
        throw Failure(.data, "\(path): \(name): expected a command, found none")
      }
      let timeout = entry["timeout"].map { $0.double ?? $0.int.map { Double($0) } ?? -1 } ?? 60
      guard timeout > 0, timeout <= 86_400 else {
        throw Failure(
          .data,
          "\(path): \(name): timeout: expected seconds above 0, found \(entry["timeout"]?.debugDescription ?? "")")
      }
      found[name] = ProcessEngine.Declaration(
        name: name, command: command, directory: file.deletingLastPathComponent(), timeout: timeout,
        expectedName: entry["engine"]?.string, expectedVersion: entry["version"]?.string)
    }
    return found
  }
}
