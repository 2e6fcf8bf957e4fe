import Foundation
import Reporting
import Results
import RunAnalysis

/// The run before a run: the latest of those that lie beside it.
enum EarlierRun {
  /// So many neighbours are read, those that were written last: a run has megabytes.
  private static let most = 12

  /// - Parameters:
  ///   - path: the run's folder, or its `run.json`.
  ///   - run: what is there.
  /// - Returns: nothing where no neighbour is of the same kind, was made before, and can be read.
  static func beside(_ path: String, of run: Run) -> (path: String, run: Run)? {
    let given = URL(fileURLWithPath: path)
    let folder = path.hasSuffix(".json") ? given.deletingLastPathComponent() : given
    let parent = folder.deletingLastPathComponent()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
    let files = names.filter { $0 != folder.lastPathComponent && !$0.hasPrefix(".") }.sorted().compactMap { name in
      let file = parent.appending(path: name).appending(path: "run.json")
      let date = (try? FileManager.default.attributesOfItem(atPath: file.path))?[.modificationDate] as? Date
      return date.map { (name: name, file: file, date: $0) }
    }
    // As it was written: a relative path stays one.
    let shown = path.split(separator: "/", omittingEmptySubsequences: false)
      .dropLast(path.hasSuffix(".json") ? 2 : path.hasSuffix("/") ? 2 : 1).joined(separator: "/")
    return files.sorted { ($1.date, $0.name) < ($0.date, $1.name) }.prefix(most).compactMap { entry in
      guard let found = try? RunFile.read(entry.file.path), found.provenance.started < run.provenance.started,
        RunChanges.isSuccessor(run, of: found)
      else { return nil }
      return (shown.isEmpty ? entry.name : "\(shown)/\(entry.name)", found)
    }.max { ($0.1.provenance.started, $0.0) < ($1.1.provenance.started, $1.0) }
  }
}
