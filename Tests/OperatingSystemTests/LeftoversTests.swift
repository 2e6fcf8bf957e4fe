import Foundation
import TestSupport
import Testing

import OperatingSystem

@Suite struct LeftoversTests {
  @Test func namesSayWhoseTheyAre() {
    #expect(Leftovers.owner(of: Leftovers.uniqueName(Leftovers.exchangePrefix)) == getpid())
    #expect(Leftovers.owner(of: "." + Leftovers.uniqueName(Leftovers.filePrefix)) == getpid())
    for name in ["run.json", "assay-exchange-x", "assay-exchange-12-notes", ".assay-file-7", "assay-test-\(UUID())"] {
      #expect(Leftovers.owner(of: name) == nil, "\(name)")
    }
  }

  /// Only what an ended process left, and not just now.
  @Test func staleOnesAreRemoved() throws {
    let folder = try TemporaryDirectory()
    let gone = try ChildProcess("/bin/sh", ["-c", "exit 0"])
    gone.wait()
    let unique = UUID().uuidString
    let stale = ["assay-exchange-\(gone.identifier)-\(unique)", ".assay-file-\(gone.identifier)-\(unique)"]
    let kept = [
      "assay-exchange-\(getpid())-\(unique)", ".assay-file-\(getpid())-\(unique)", "assay-exchange-mine", "run.json",
    ]
    for name in stale + kept {
      try FileManager.default.createDirectory(at: folder.file(name), withIntermediateDirectories: true)
      try Data("x".utf8).write(to: folder.file(name).appending(path: "inside"))
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -3_600)], ofItemAtPath: folder.file(name).path)
    }
    let recent = "assay-exchange-\(gone.identifier)-\(UUID().uuidString)"
    try FileManager.default.createDirectory(at: folder.file(recent), withIntermediateDirectories: true)
    Leftovers.removeStale(in: folder.url.path)
    #expect(
      try Set(FileManager.default.contentsOfDirectory(atPath: folder.url.path)) == Set(kept + [recent]))
  }
}
