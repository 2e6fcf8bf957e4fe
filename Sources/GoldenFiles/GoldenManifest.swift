import Foundation

/// `MANIFEST.json`: which golden files a folder holds, with the digest and the number of cases of each.
public struct GoldenManifest: Sendable, Hashable, Codable {
  public struct Entry: Sendable, Hashable, Codable {
    /// Relative to the manifest's folder, with forward slashes.
    public var path: String
    /// Lower-case hexadecimal.
    public var sha256: String
    public var caseCount: Int

    enum CodingKeys: String, CodingKey { case path, sha256, caseCount = "case_count" }

    public init(path: String, sha256: String, caseCount: Int) {
      self.path = path
      self.sha256 = sha256
      self.caseCount = caseCount
    }
  }

  public static let fileName = "MANIFEST.json"
  private static let schemaName = "assay.manifest"

  private var schema: String
  private var schemaVersion: Int
  public var files: [Entry]
  /// The folder that paths are relative to; not part of the file.
  public var folder: String = ""

  enum CodingKeys: String, CodingKey { case schema, schemaVersion = "schema_version", files }

  public init(files: [Entry], folder: String) {
    schema = Self.schemaName
    schemaVersion = 1
    self.files = files
    self.folder = folder
  }

  /// Reads the manifest of a folder; nil when there is none, or when the file belongs to something else.
  ///
  /// - Throws: ``GoldenFileError`` for one that cannot be read, is newer, or is not consistent: a damaged manifest must not
  ///   quietly take the checks with it.
  public static func read(inFolder folder: String) throws(GoldenFileError) -> GoldenManifest? {
    let path = folder + "/" + fileName
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let limits = GoldenLimits(maximumFileBytes: 1 << 26)
    let bytes = try GoldenFileBytes.read(path, limits: limits).bytes
    func damaged(_ expected: String, _ found: String) -> GoldenFileError {
      GoldenFileError(
        .damaged, file: path, expected: expected, found: found, advice: "`make goldens` writes it again")
    }
    struct Header: Decodable { var schema: String? }
    guard let header = try? JSONDecoder().decode(Header.self, from: Data(bytes)) else {
      throw damaged("a manifest in JSON", "other text")
    }
    guard header.schema == schemaName else { return nil }
    var manifest: GoldenManifest
    do {
      manifest = try JSONDecoder().decode(GoldenManifest.self, from: Data(bytes))
    } catch {
      throw damaged("files with path, sha256 and case_count", "other content")
    }
    guard manifest.schemaVersion <= 1 else {
      throw GoldenFileError(
        .newerSchema, file: path, expected: "schema_version 1", found: "\(manifest.schemaVersion)",
        advice: "this manifest was made for a newer Assay: update Assay")
    }
    guard Set(manifest.files.map(\.path)).count == manifest.files.count else {
      throw damaged("each file once", "a path listed twice")
    }
    manifest.folder = folder
    return manifest
  }

  /// What the manifest says of a file, by the file's real path.
  public func entry(for path: String) -> Entry? {
    let real = Self.resolved(path)
    return files.first { Self.resolved(folder + "/" + $0.path) == real }
  }

  /// The full path of an entry.
  public func path(of entry: Entry) -> String { folder.isEmpty ? entry.path : folder + "/" + entry.path }

  private static func resolved(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
  }
}
