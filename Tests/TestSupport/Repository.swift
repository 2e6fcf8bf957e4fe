import Foundation

/// Where the package's own files are, seen from a test.
public enum Repository {
  /// The folder of `Package.swift`.
  public static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  public static let fixtures = root.appending(path: "Fixtures")
  /// The command as built beside the tests.
  public static let command = root.appending(path: ".build/release/assay")
}
