import Foundation

/// Which files a command means when its user names files and folders.
public enum GoldenCorpus {
  /// The corpus that comes with the project, seen from its folder.
  public static let standardFolder = "Fixtures"

  /// Files as they are named; for a folder, those that its manifest lists (whether they are there or not, so that a lost
  /// file is noticed) and every other `*.h5` beside the manifest, or below a folder without one. Each once, in order.
  /// - Throws: ``GoldenFileError`` for a path that does not exist, a folder without golden files, a damaged manifest.
  public static func files(at paths: [String]) throws(GoldenFileError) -> [String] {
    var files: [String] = []
    for path in paths {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw GoldenFileError(
          .missing, file: path, expected: "a golden file, or a folder of them", found: "no such file or folder",
          advice: "check the path")
      }
      guard isFolder.boolValue else {
        files.append(path)
        continue
      }
      let folder = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
      let manifest = try GoldenManifest.read(inFolder: folder)
      var found = manifest.map { manifest in manifest.files.map(manifest.path(of:)) } ?? []
      let below = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
      // A corpus may keep other HDF5 files, such as training data, in folders of its own.
      for name in below.sorted()
      where (name.hasSuffix(".h5") || name.hasSuffix(".hdf5")) && (manifest == nil || !name.contains("/")) {
        found.append(folder + "/" + name)
      }
      guard !found.isEmpty else {
        throw GoldenFileError(
          .missing, file: path, expected: "golden files (*.h5)", found: "a folder with none", advice: "check the path"
        )
      }
      files += found
    }
    var seen: Set<String> = []
    return files.filter { seen.insert($0).inserted }
  }
}
