import Foundation
import TOMLFiles
import TOMLKit

extension EngineCatalog {
  /// Reads declarations: a table for each engine, with `command` and optionally `timeout`, `engine` and `version`. Commands
  /// run in the file's folder.
  /// - Throws: ``EngineCatalog/Failure`` that names the file and the key.
  public static func declarations(at file: URL) throws(Failure) -> [String: ProcessEngine.Declaration] {
    let path = file.path(percentEncoded: false)
    let table: TOMLTable
    do { table = try TOMLText.table(at: file) } catch { throw Failure(.data, "\(error)") }
    var found: [String: ProcessEngine.Declaration] = [:]
    for name in table.keys {
      guard let entry = table[name]?.table else {
        throw Failure(.data, "\(path): \(name): expected a table with a command, found another value")
      }
      do { try TOMLText.require(["command", "timeout", "engine", "version"], in: entry) } catch {
        throw Failure(.data, "\(path): \(name): \(error)")
      }
      guard let command = entry["command"]?.string, !command.isEmpty else {
        throw Failure(.data, "\(path): \(name): expected a command, found none")
      }
      let timeout = entry["timeout"].map { $0.double ?? $0.int.map { Double($0) } ?? -1 } ?? 60
      guard timeout > 0, timeout <= 86_400 else {
        throw Failure(
          .data,
          "\(path): \(name): timeout: expected seconds above 0 and at most 86400 (a day), found \(entry["timeout"]?.debugDescription ?? "")"
        )
      }
      found[name] = ProcessEngine.Declaration(
        name: name, command: command, directory: file.deletingLastPathComponent(), timeout: timeout,
        expectedName: entry["engine"]?.string, expectedVersion: entry["version"]?.string)
    }
    return found
  }
}
