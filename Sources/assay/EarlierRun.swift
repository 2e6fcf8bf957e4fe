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
    // `.` and a `run.json` of the folder that one is in have neighbours as well.
    let given = URL(fileURLWithPath: path).standardizedFileURL
    let folder = path.hasSuffix(".json") ? given.deletingLastPathComponent() : given
    let parent = folder.deletingLastPathComponent()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
    let files = names.filter { $0 != folder.lastPathComponent && !$0.hasPrefix(".") }.sorted().compactMap { name in
      let file = parent.appending(path: name).appending(path: "run.json")
      let date = (try? FileManager.default.attributesOfItem(atPath: file.path))?[.modificationDate] as? Date
      return date.map { (name: name, file: file, date: $0) }
    }
    return files.sorted { ($1.date, $0.name) < ($0.date, $1.name) }.prefix(most).compactMap { entry in
      guard let found = try? RunFile.read(entry.file.path), found.provenance.started < run.provenance.started,
        RunChanges.isSuccessor(run, of: found)
      else { return nil }
      return (shown(parent.appending(path: entry.name), for: path), found)
    }.max { ($0.1.provenance.started, $0.0) < ($1.1.provenance.started, $1.0) }
  }

  /// A path that can be typed where the command was: relative if the run's was.
  private static func shown(_ folder: URL, for path: String) -> String {
    guard !path.hasPrefix("/") else { return folder.path }
    let start = URL(fileURLWithPath: FileManager.default.currentDirectoryPath).standardizedFileURL.pathComponents
    let target = folder.pathComponents
    let common = zip(target, start).prefix { $0 == $1 }.count
    return ([String](repeating: "..", count: start.count - common) + target.dropFirst(common)).joined(separator: "/")
  }
}
