import ArgumentParser
import Foundation
import OperatingSystem
import Reporting
import Results
import Synchronization
import Verification

/// What a long command has done so far, one file for each piece of work, so that a process that is killed loses what it was
/// at and nothing else. It lies in `results/` of the run's folder.
///
/// `--resume` takes the pieces up again when the run is the same: the program, the machine's class, the command and what it
/// reads. Otherwise it says what is another. Of a complete run the conditions stay, so that the same holds of it.
///
/// Without a folder it keeps nothing.
final class ResultJournal<Record: Codable & Sendable>: Sendable {
  private struct Header: Codable {
    var provenance: Provenance
    /// What else must be equal, by name.
    var conditions: [String: String]
    /// Whether nothing is left to do: the run's own record has everything.
    var isComplete = false
  }

  private struct Piece: Codable {
    var key: String
    var record: Record
  }

  /// How a command begins.
  enum Beginning {
    /// With what is done, by its key.
    case open([String: Record])
    /// Not at all: the run in the folder is this one, and complete.
    case complete(Run)
  }

  /// The run's folder, and the one of the pieces.
  private let out: String?
  private var folder: String? { out.map { "\($0)/results" } }
  /// Once the command has begun.
  private let header = Mutex<Header?>(nil)
  private let hasFailed = Mutex(false)

  /// - Parameter out: the run's folder.
  init(out: String?) { self.out = out }

  /// Begins, or goes on with what is there.
  /// - Parameters:
  ///   - provenance: of this command.
  ///   - conditions: what must be equal besides, by name; asked for where there is a folder.
  ///   - resumes: whether to go on; pieces that are there are removed otherwise.
  /// - Throws: `ValidationError` that names what is another, ``AtomicFile/Failure``.
  func begin(
    _ provenance: Provenance, conditions: @autoclosure () -> [String: String], resumes: Bool
  ) throws -> Beginning {
    guard let out, let folder else { return .open([:]) }
    var conditions = conditions()
    conditions["command"] = SameCommand.text(provenance)
    let fresh = Header(provenance: provenance, conditions: conditions)
    let known = try self.known(folder)
    if resumes, let known {
      try Self.require(known, fresh, folder)
      if !known.isComplete {
        header.withLock { $0 = known }
        return .open(records(folder))
      }
      if FileManager.default.fileExists(atPath: "\(out)/run.json") { return .complete(try ReportOutput.read(out)) }
    }
    if known != nil { try? FileManager.default.removeItem(atPath: folder) }
    header.withLock { $0 = fresh }
    try write(fresh, folder)
    return .open([:])
  }

  /// The header that is there.
  /// - Throws: `ValidationError` for a folder that is not ours.
  private func known(_ folder: String) throws -> Header? {
    let path = "\(folder)/header.json"
    if let data = FileManager.default.contents(atPath: path), let header = try? JSONText.read(Header.self, from: data) {
      return header
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    guard names.isEmpty else {
      throw ValidationError("\(folder.printable) holds something else than pieces of a run: give another --out.")
    }
    return nil
  }

  private func write(_ header: Header, _ folder: String) throws {
    let isNew = !FileManager.default.fileExists(atPath: out ?? folder)
    do { try AtomicFile.write(JSONText.data(header), to: "\(folder)/header.json") } catch {
      // Where nothing can be written, nothing is left.
      try? FileManager.default.removeItem(atPath: isNew ? out ?? folder : folder)
      throw error
    }
  }

  private static func require(_ old: Header, _ new: Header, _ folder: String) throws {
    var differences = Run(provenance: old.provenance).differences(from: Run(provenance: new.provenance))
    func compare(_ name: String, _ first: String, _ second: String) {
      if first != second { differences.append(RunDifference(name: name, first: first, second: second)) }
    }
    let (then, now) = (old.provenance, new.provenance)
    compare("CPU", then.cpuModel, now.cpuModel)
    compare("cores", "\(then.coreCount)", "\(now.coreCount)")
    compare("operating system", then.operatingSystem, now.operatingSystem)
    compare("seed", "\(then.seed)", "\(now.seed)")
    for name in Set(old.conditions.keys).union(new.conditions.keys).sorted() {
      compare(name, old.conditions[name] ?? "none", new.conditions[name] ?? "none")
    }
    guard !differences.isEmpty else { return }
    throw ValidationError(
      "\(folder.printable) is of another run, so nothing can be added to it:\n\(differences.lines)\n"
        + "Give the same, or begin anew without --resume.")
  }

  private func records(_ folder: String) -> [String: Record] {
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
    guard let folder else { return }
    let hash = String(Shard.hash(key), radix: 16)
    let path = "\(folder)/\(hash.suffix(2))/\(hash).json"
    do {
      try AtomicFile.write(JSONText.data(Piece(key: key, record: record)), to: path, survivesPowerCut: false)
    } catch {
      let isFirst = hasFailed.withLock { known in
        defer { known = true }
        return !known
      }
      if isFirst { Console.error("\(error); --resume will not find it") }
    }
  }

  /// Concludes the run, and drops the pieces once its record is written.
  /// - Parameters:
  ///   - isComplete: whether nothing is left that another try could do.
  ///   - conclude: writes the record, and throws the run's exit code.
  func concluding(isComplete: Bool, _ conclude: () throws -> Void) throws {
    do { try conclude() } catch let code as ExitCode {
      if isComplete, code.rawValue != Outcome.notWritten.exitCode { end() }
      throw code
    }
    if isComplete { end() }
  }

  private func end() {
    guard let folder, var known = header.withLock({ $0 }) else { return }
    known.isComplete = true
    // The header first: pieces without it would be nobody's.
    guard (try? AtomicFile.write(JSONText.data(known), to: "\(folder)/header.json")) != nil else { return }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name != "header.json" { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
  }
}
