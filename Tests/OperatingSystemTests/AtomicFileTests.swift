import Foundation
import TestSupport
import Testing

import OperatingSystem

@Suite struct AtomicFileTests {
  private func content(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  private func mode(_ path: String) -> mode_t {
    var found = stat()
    return lstat(path, &found) == 0 ? found.st_mode : 0
  }

  @Test func foldersAreMadeAndNothingElseIsLeft() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("a/b/c.txt").path
    try AtomicFile.write("one", to: path)
    try AtomicFile.write("two", to: path)
    #expect(content(path) == "two")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("a/b").path) == ["c.txt"])
  }

  @Test func aLinkIsFollowedAndStays() throws {
    let folder = try TemporaryDirectory()
    let (target, link, second) = (folder.file("target").path, folder.file("link").path, folder.file("second").path)
    try AtomicFile.write("old", to: target)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "target")
    try FileManager.default.createSymbolicLink(atPath: second, withDestinationPath: link)
    try AtomicFile.write("new", to: second)
    #expect(content(target) == "new")
    #expect(mode(link) & S_IFMT == S_IFLNK && mode(second) & S_IFMT == S_IFLNK)
  }

  @Test func aLinkToNothingMakesItsTarget() throws {
    let folder = try TemporaryDirectory()
    let link = folder.file("link").path
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "target")
    try AtomicFile.write("new", to: link)
    #expect(content(folder.file("target").path) == "new")
    #expect(mode(link) & S_IFMT == S_IFLNK)
  }

  @Test func aFolderAndALinkToOneAreErrors() throws {
    let folder = try TemporaryDirectory()
    let (place, link) = (folder.file("place").path, folder.file("link").path)
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: place)
    for path in [place, link] { #expect(throws: AtomicFile.Failure.self) { try AtomicFile.write("x", to: path) } }
    #expect(mode(link) & S_IFMT == S_IFLNK && mode(place) & S_IFMT == S_IFDIR)
  }

  @Test func linksInACircleAreAnError() throws {
    let folder = try TemporaryDirectory()
    let (one, two) = (folder.file("one").path, folder.file("two").path)
    try FileManager.default.createSymbolicLink(atPath: one, withDestinationPath: two)
    try FileManager.default.createSymbolicLink(atPath: two, withDestinationPath: one)
    #expect(throws: AtomicFile.Failure.self) { try AtomicFile.write("x", to: one) }
  }

  @Test(arguments: [mode_t(0o600), 0o640, 0o755]) func aFileKeepsItsMode(expected: mode_t) throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("file").path
    try AtomicFile.write("old", to: path)
    chmod(path, expected)
    try AtomicFile.write("new", to: path)
    #expect(mode(path) & 0o7777 == expected && content(path) == "new")
  }

  @Test func aDeviceStaysADevice() throws {
    try AtomicFile.write("x", to: "/dev/null")
    #expect(mode("/dev/null") & S_IFMT == S_IFCHR)
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"))) func aFullDeviceIsAnError() {
    #expect(throws: AtomicFile.Failure.self) { try AtomicFile.write("x", to: "/dev/full") }
    #expect(throws: AtomicFile.Failure.self) { try AtomicFile.append("x", to: "/dev/full") }
  }

  @Test func aPipeTakesTheBytes() throws {
    let folder = try TemporaryDirectory()
    let fifo = folder.file("fifo").path
    try #require(mkfifo(fifo, 0o600) == 0)
    // Both ends, so that neither side waits for the other.
    let reader = Descriptor(open(fifo, O_RDWR))
    try AtomicFile.write("through", to: fifo)
    #expect(reader.read().map { String(decoding: $0, as: UTF8.self) } == "through")
    #expect(mode(fifo) & S_IFMT == S_IFIFO)
  }

  @Test func whatFailsLeavesTheOldFileAndNothingElse() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("file").path
    try AtomicFile.write("old", to: path)
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try AtomicFile.replace(path) { temporary in
        try Data("half".utf8).write(to: URL(filePath: temporary))
        throw Stop()
      }
    }
    #expect(content(path) == "old")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["file"])
  }

  @Test func appendingAddsAndMakes() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("summary").path
    try AtomicFile.append("one\n", to: path)
    try AtomicFile.append("two\n", to: path)
    #expect(content(path) == "one\ntwo\n")
  }
}
