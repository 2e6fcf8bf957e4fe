import Foundation
import Problems

/// Opens golden files, deciding for each whether this process may parse it.
///
/// libhdf5 is not made for hostile files. A file that the trusted manifest lists is checked by its SHA-256 before the
/// library sees a byte of it; any other is first parsed completely in a child process under limits of memory and time, and
/// only the very bytes that the child found sound are then parsed here.
public struct GoldenReader: Sendable {
  /// The corpus's own manifest. Manifests found beside other files are held against them too, but do not spare the child.
  public var trusted: GoldenManifest?
  /// How unlisted files are tried; nil parses them in this process, for callers whose files are their own.
  public var probe: GoldenFileProbe?
  public var limits: GoldenLimits
  /// What a case of a listed file may take, and one of any other.
  public var listed: CaseLimits
  public var unlisted: CaseLimits

  public init(
    trusted: GoldenManifest?, probe: GoldenFileProbe?, limits: GoldenLimits = .standard, listed: CaseLimits = .standard,
    unlisted: CaseLimits = .unlisted
  ) {
    self.trusted = trusted
    self.probe = probe
    self.limits = limits
    self.listed = listed
    self.unlisted = unlisted
  }

  /// Opens one file.
  /// - Throws: ``GoldenFileError`` with the file, the object, what was expected and what was found.
  public func open(_ path: String) throws(GoldenFileError) -> GoldenFile {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let listed = trusted?.entry(for: path)
    var limits = limits.with(listed == nil ? unlisted : self.listed)
    let image = try GoldenFileBytes.read(path, limits: limits)
    var entry = listed
    if entry == nil { entry = try GoldenManifest.read(inFolder: folder)?.entry(for: path) }
    if let entry {
      guard entry.sha256.lowercased() == image.sha256 else {
        throw GoldenFileError(
          .checksum, file: path, expected: "SHA-256 \(entry.sha256) (\(GoldenManifest.fileName))",
          found: "SHA-256 \(image.sha256)",
          advice: "the file was changed or is incomplete: fetch it again, or regenerate the corpus with its manifest")
      }
    }
    if listed == nil, var probe {
      probe.limits = limits
      // Its own copy of the file's bytes and the library's, one case, and what any process takes.
      let bytes = 2 * SaturatingCount(image.bytes.count) + SaturatingCount(limits.computation.maximumBytes)
      probe.resources.memoryBytes = (bytes + SaturatingCount(1 << 29)).value
      try probe.requireSound(path, sha256: image.sha256)
    }
    limits.countsInflatedBytes = listed == nil && probe == nil
    let file = try GoldenFile(
      path: path, image: image.bytes, sha256: image.sha256, isListed: listed != nil, limits: limits)
    if let entry, entry.caseCount != file.cases.count {
      throw GoldenFileError(
        .damaged, file: path, expected: "\(entry.caseCount) cases (\(GoldenManifest.fileName))",
        found: "\(file.cases.count)", advice: "regenerate the corpus with its manifest")
    }
    return file
  }
}
