import Foundation
import OperatingSystem
import TestSupport
import Testing

@Suite("One process writes a run to a folder")
struct FolderLockTests {
  private static let words = ["verify", "--quiet", "--tag", "smoke", "--filter", "relu/*", "--out"]

  @Test func `another one is told whose the folder is, and writes nothing`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.url.path(percentEncoded: false)
    try FolderLock.hold(path)
    // For who has it already it is nothing new.
    try FolderLock.hold(path)
    let run = try CommandRun(Self.words + [path])
    #expect(run.exitCode == 74 && run.errors.contains("process \(getpid()) is writing a run to it"), "\(run.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [FolderLock.fileName])
  }

  @Test func `what a killed process left keeps nobody out, and is gone with the next`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.url.path(percentEncoded: false)
    try Data("4711\n".utf8).write(to: folder.file(FolderLock.fileName))
    let run = try CommandRun(Self.words + [path])
    #expect(run.exitCode == 0, "\(run.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    #expect(names.contains("run.json") && !names.contains(FolderLock.fileName), "\(names)")
  }
}
