import Engines
import Foundation
import GoldenFiles
import Problems

/// What comes with the program: golden files, suites, declarations of engines, the Python package.
///
/// Looked for in one order, which the help of the command states: in `ASSAY_HOME` alone where that is set; else in the working
/// folder, so that a checkout is its own; else in `../share/assay` beside the program, where `make install` and the wheel put it.
struct Resources {
  static let variable = "ASSAY_HOME"

  static let help = """
    Golden files, suites and declared engines (Fixtures, Benchmarks) are looked for in the folder that \(variable) names, and \
    nowhere else where it is set; else in the working folder, then in share/assay beside the program's own bin.
    """

  /// Nothing of this name in any of the places.
  struct Missing: Error, Hashable, CustomStringConvertible {
    var name: String
    var places: [String]
    /// How else it can be named.
    var advice: String

    var description: String {
      let looked = places.map(\.printable).joined(separator: ", and in ")
      return "\(name): expected in \(looked), found nothing of this name; \(advice)"
    }
  }

  /// The folders that are looked in, best first.
  private let folders: [URL]

  /// - Parameters:
  ///   - environment: of the process.
  ///   - program: the path of the executable, through whichever links it was found.
  init(
    environment: [String: String] = ProcessInfo.processInfo.environment, program: String = EngineCatalog.thisProgram
  ) {
    if let home = environment[Self.variable], !home.isEmpty {
      folders = [URL(fileURLWithPath: home)]
      return
    }
    let binary = URL(fileURLWithPath: program).resolvingSymlinksInPath()
    let share = binary.deletingLastPathComponent().deletingLastPathComponent().appending(path: "share/assay")
    folders = [URL(fileURLWithPath: FileManager.default.currentDirectoryPath), share]
  }

  /// - Returns: the path of the first that there is. One in the working folder keeps its relative name, so that what is printed can
  ///   be typed again.
  func path(_ name: String) -> String? {
    let here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath).standardizedFileURL.path
    for folder in folders {
      let path = folder.appending(path: name).path(percentEncoded: false)
      guard FileManager.default.fileExists(atPath: path) else { continue }
      return folder.standardizedFileURL.path == here ? name : path
    }
    return nil
  }

  /// - Parameters:
  ///   - name: relative to the project's folder.
  ///   - option: that names another one.
  /// - Throws: ``Missing``, which says where it was looked for.
  func require(_ name: String, option: String) throws(Missing) -> String {
    if let path = path(name) { return path }
    throw Missing(
      name: name, places: folders.map { $0.path(percentEncoded: false) },
      advice: "name it with \(option), or set \(Self.variable) to the folder that holds it")
  }

  /// The corpus of golden files.
  /// - Throws: ``GoldenFileError`` that says where it was looked for.
  func corpus() throws(GoldenFileError) -> String {
    do throws(Missing) {
      return try require(GoldenCorpus.standardFolder, option: "a path of golden files")
    } catch {
      throw GoldenFileError(
        .missing, file: error.name,
        expected: "golden files in " + error.places.map(\.printable).joined(separator: ", or in "),
        found: "nothing of this name", advice: error.advice)
    }
  }

  /// The corpus's manifest, whose files are parsed in this process; `nil` without a corpus.
  func manifest() throws(GoldenFileError) -> GoldenManifest? {
    try path(GoldenCorpus.standardFolder).flatMap { path throws(GoldenFileError) in
      try GoldenManifest.read(inFolder: path)
    }
  }
}
