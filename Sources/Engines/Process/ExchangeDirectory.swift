import Foundation
import GoldenFiles
import OperatingSystem
import Operations
import Problems

/// The folder of one engine's exchange files, removed when the engine is.
final class ExchangeDirectory: Sendable {
  /// The files of one request.
  struct Files: Sendable {
    var input: URL
    var output: URL
    /// The same for every case: what a golden case is called could tell an engine what is expected.
    let caseName = Exercise.neutralName
  }

  private let folder: URL

  var path: String { folder.path(percentEncoded: false) }

  /// - Throws: ``EngineError/failed(_:detail:)`` when the folder cannot be made.
  init() throws(EngineError) {
    let temporaries = FileManager.default.temporaryDirectory
    Leftovers.removeStale(in: temporaries.path(percentEncoded: false))
    folder = temporaries.appending(path: Leftovers.uniqueName(Leftovers.exchangePrefix))
    Leftovers.register(path: folder.path(percentEncoded: false))
    try make()
  }

  deinit { Leftovers.remove(path: folder.path(percentEncoded: false)) }

  /// Makes the folder, again where an engine removed it.
  func make() throws(EngineError) {
    guard !Leftovers.isEnding else { throw .failed("this run is ending") }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw .failed("the folder for exchange files cannot be made: \(error.localizedDescription)")
    }
  }

  /// Paths of a new request, at which nothing is yet.
  func files() throws(EngineError) -> Files {
    try make()
    let name = UUID().uuidString
    return Files(
      input: folder.appending(path: "\(name)-in.h5"), output: folder.appending(path: "\(name)-out.h5"))
  }

  /// - Parameter withoutLate: whether inputs and cotangents are shapes alone.
  func write(_ exercise: Exercise, withoutLate: Bool = false) throws(EngineError) -> Files {
    try written { (path) throws(GoldenFileError) in
      try ExchangeFile.writeRequest(exercise, case: Exercise.neutralName, to: path, withoutLate: withoutLate)
    }
  }

  /// Writes an exercise's inputs and cotangents alone.
  func writeLate(_ exercise: Exercise) throws(EngineError) -> Files {
    try written { (path) throws(GoldenFileError) in
      try ExchangeFile.writeLate(exercise, case: Exercise.neutralName, to: path)
    }
  }

  private func written(_ write: (String) throws(GoldenFileError) -> Void) throws(EngineError) -> Files {
    let files = try files()
    do throws(GoldenFileError) { try write(files.input.path(percentEncoded: false)) } catch {
      remove(files)
      throw .failed("the exchange file cannot be written: \(error)")
    }
    return files
  }

  /// What the engine wrote.
  /// - Throws: ``EngineError/failed(_:detail:)`` when it wrote nothing that can be read.
  func answer(_ files: Files, to exercise: Exercise) throws(EngineError) -> Answer {
    let path = files.output.path(percentEncoded: false)
    guard FileManager.default.fileExists(atPath: path) else {
      throw .failed("the engine replied without writing its output file")
    }
    do throws(GoldenFileError) {
      return try ExchangeFile.readAnswer(path, case: files.caseName, wanted: exercise.wantedSizes)
    } catch { throw .failed("the engine's output file cannot be read: \(error)") }
  }

  func remove(_ files: Files) {
    try? FileManager.default.removeItem(at: files.input)
    try? FileManager.default.removeItem(at: files.output)
  }
}

extension Exercise {
  /// What is read of an answer: what is wanted, or everything that the problem has where nothing is named. Each with the most
  /// elements that are read: somewhat more than are right, so that a wrong shape is still seen as one.
  var wantedSizes: [String: Int?] {
    var sizes: [String: Int] = [:]
    for (name, type) in (try? problem())??.outputs ?? [:] { sizes["outputs/\(name)"] = type.shape.count }
    for (name, tensor) in inputs.merging(parameters, uniquingKeysWith: { first, _ in first })
    where tensor.dtype != .int64 { sizes["gradients/\(name)"] = tensor.shape.count }
    for (name, tensor) in buffers { sizes["buffers_after/\(name)"] = tensor.shape.count }
    let names = wanted.isEmpty ? Set(sizes.keys) : wanted
    return Dictionary(uniqueKeysWithValues: names.map { ($0, sizes[$0].map { max(2 * $0, 1 << 16) }) })
  }
}
