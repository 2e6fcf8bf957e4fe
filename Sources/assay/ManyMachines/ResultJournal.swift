import ArgumentParser
import Foundation
import OperatingSystem
import Reporting
import Results
import Synchronization
import Verification

/// What a long command has done so far, one file for each piece of work, so that a process that is killed loses what it was
/// at and nothing else. It lies in `results/` of the run's folder until the run is complete.
///
/// `--resume` takes the pieces up again when the run is the same: the program, the machine's class, the command and what it
/// reads. Otherwise it says what is another.
final class ResultJournal<Record: Codable & Sendable>: Sendable {
  private struct Header: Codable {
    var provenance: Provenance
    /// What else must be equal, by name.
    var conditions: [String: String]
  }

  private struct Piece: Codable {
    var key: String
    var record: Record
  }

  private let folder: String
  /// The first thing that could not be written; said once.
  private let failure = Mutex<AtomicFile.Failure?>(nil)

  /// - Parameter out: the run's folder.
  init(out: String) { folder = "\(out)/results" }

  /// Begins, or goes on with what is there.
  /// - Parameters:
  ///   - provenance: of this command.
  ///   - conditions: what must be equal besides, by name.
  ///   - resumes: whether to go on; anything that is there is removed otherwise.
  /// - Returns: what is done, by its key.
  /// - Throws: `ValidationError` that names what is another, ``AtomicFile/Failure``.
  func begin(
    _ provenance: Provenance, conditions: [String: String], resumes: Bool
  ) throws -> [String: Record] {
    var conditions = conditions
    conditions["command"] = SameCommand.text(provenance)
    if resumes, let data = FileManager.default.contents(atPath: "\(folder)/header.json"),
      let header = try? JSONText.read(Header.self, from: data)
    {
      try Self.require(header.provenance, header.conditions, provenance, conditions, folder)
      return records()
    }
    try? FileManager.default.removeItem(atPath: folder)
    let parent = URL(fileURLWithPath: folder).deletingLastPathComponent().path
    let isNew = !FileManager.default.fileExists(atPath: parent)
    do {
      try AtomicFile.write(
        JSONText.data(Header(provenance: provenance, conditions: conditions)), to: "\(folder)/header.json")
    } catch {
      // Where nothing can be written, nothing is left.
      try? FileManager.default.removeItem(atPath: isNew ? parent : folder)
      throw error
    }
    return [:]
  }

  private static func require(
    _ old: Provenance, _ oldConditions: [String: String], _ new: Provenance, _ conditions: [String: String],
    _ folder: String
  ) throws {
    var differences = Run(provenance: old).differences(from: Run(provenance: new))
    func compare(_ name: String, _ first: String, _ second: String) {
      if first != second { differences.append(RunDifference(name: name, first: first, second: second)) }
    }
    compare("CPU", old.cpuModel, new.cpuModel)
    compare("cores", "\(old.coreCount)", "\(new.coreCount)")
    compare("operating system", old.operatingSystem, new.operatingSystem)
    compare("seed", "\(old.seed)", "\(new.seed)")
    for name in Set(oldConditions.keys).union(conditions.keys).sorted() {
      compare(name, oldConditions[name] ?? "none", conditions[name] ?? "none")
    }
    guard !differences.isEmpty else { return }
    throw ValidationError(
      "\(folder.printable) is of another run, so nothing can be added to it:\n"
        + differences.map { "  \($0.name): \($0.first) then, \($0.second) now".printable }.joined(separator: "\n")
        + "\nGive the same, or begin anew without --resume.")
  }

  private func records() -> [String: Record] {
    var found: [String: Record] = [:]
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    for name in names where name.hasSuffix(".json") && name != "header.json" {
      // What cannot be read is done again.
      guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)"),
        let piece = try? JSONText.read(Piece.self, from: data)
      else { continue }
      found[piece.key] = piece.record
    }
    return found
  }

  /// Keeps a piece: its file appears whole or not at all.
  func add(_ record: Record, for key: String) {
    let hash = String(Shard.hash(key), radix: 16)
    let path = "\(folder)/\(hash.suffix(2))/\(hash).json"
    do { try AtomicFile.writeBriefly(JSONText.data(Piece(key: key, record: record)), to: path) } catch {
      let isFirst = failure.withLock { known in
        defer { known = known ?? error as? AtomicFile.Failure }
        return known == nil
      }
      if isFirst { Console.error("\(error); --resume will not find it") }
    }
  }

  /// Nothing was begun: leaves nothing, also of a folder that is only there for this.
  func abandon() {
    end()
    _ = rmdir(URL(fileURLWithPath: folder).deletingLastPathComponent().path)
  }

  /// The run is complete: its record has everything.
  func end() { try? FileManager.default.removeItem(atPath: folder) }
}
