import Foundation

/// Where the package's own files are, seen from a test.
public enum Repository {
  /// The folder of `Package.swift`.
  public static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  public static let sources = root.appending(path: "Sources")
  public static let fixtures = root.appending(path: "Fixtures")
  /// A run.json as version 1 of its schema had it, shortened.
  public static let versionOneRun = root.appending(path: "Tests/TestSupport/Samples/run-version-1.json")
  public static let runSchema = root.appending(path: "Reports/run.schema.json")
  /// The command as built beside the tests.
  public static let command = root.appending(path: ".build/release/assay")
}
