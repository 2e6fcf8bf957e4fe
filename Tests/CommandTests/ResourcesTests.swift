import Foundation
import TestSupport
import Testing

/// Golden files and suites are found from any folder: where they are looked for, in which order, and what is said of none.
@Suite struct ResourcesTests {
  private let folder: TemporaryDirectory
  /// A folder with nothing in it.
  private let empty: URL
  /// A program without anything beside it.
  private let bare: String

  init() throws {
    folder = try TemporaryDirectory()
    empty = folder.file("empty")
    try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
    bare = Repository.command.path(percentEncoded: false)
  }

  /// The command as `make install` puts it below a prefix.
  private func installed() throws -> String {
    let bin = folder.file("prefix/bin")
    let share = folder.file("prefix/share/assay")
    try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
    try FileManager.default.createDirectory(at: share, withIntermediateDirectories: true)
    let program = bin.appending(path: "assay")
    try FileManager.default.copyItem(at: Repository.command.resolvingSymlinksInPath(), to: program)
    for name in ["Fixtures", "Benchmarks"] {
      try FileManager.default.createSymbolicLink(
        at: share.appending(path: name), withDestinationURL: Repository.root.appending(path: name))
    }
    return program.path(percentEncoded: false)
  }

  @Test func `an installed command works from an empty folder`() throws {
    let program = try installed()
    let verified = try CommandRun(["verify", "--filter", "relu/*", "--tag", "smoke"], of: program, in: empty)
    #expect(verified.exitCode == 0 && verified.output.contains("all hold"), "\(verified.output)\(verified.errors)")
    let workloads = try CommandRun(["bench", "--quick", "--list"], of: program, in: empty)
    #expect(workloads.exitCode == 0 && workloads.output.contains("conv2d n1c3h224w224"), "\(workloads.errors)")
    // Beside what the link points to, and not beside the link.
    let link = folder.file("assay-link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: URL(fileURLWithPath: program))
    let listed = try CommandRun(
      ["golden", "list", "--operation", "relu"], of: link.path(percentEncoded: false), in: empty)
    #expect(listed.exitCode == 0 && listed.output.contains("/relu/"), "\(listed.errors)")
  }

  @Test func `the working folder comes before what is installed`() throws {
    let program = try installed()
    let own = folder.file("project/Fixtures")
    try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Repository.fixtures.appending(path: "relu.h5"), to: own.appending(path: "mine.h5"))
    let run = try CommandRun(
      ["verify", "--list"], of: program, in: own.deletingLastPathComponent())
    #expect(run.exitCode == 0 && run.output.contains("/relu/") && !run.output.contains("/conv2d/"), "\(run.errors)")
  }

  @Test func `ASSAY_HOME comes before both, and nothing else after it`() throws {
    let home = ["ASSAY_HOME": Repository.root.path(percentEncoded: false)]
    let run = try CommandRun(["golden", "list", "--operation", "relu"], of: bare, in: empty, environment: home)
    #expect(run.exitCode == 0 && run.output.contains("/relu/"), "\(run.errors)")
    let nowhere = ["ASSAY_HOME": empty.path(percentEncoded: false)]
    let none = try CommandRun(["golden", "list"], of: bare, environment: nowhere)
    #expect(none.exitCode == 65 && none.errors.contains(empty.path(percentEncoded: false)), "\(none.errors)")
    #expect(!none.errors.contains("share/assay"), "\(none.errors)")
  }

  @Test(arguments: [
    ["verify"], ["golden", "list"], ["golden", "validate"], ["selftest", "--smoke"], ["bench", "--quick"], ["overhead"],
    ["duet", "--base", "true", "--head", "true"],
  ])
  func `where nothing is found, the places are named`(words: [String]) throws {
    let run = try CommandRun(words, of: bare, in: empty)
    #expect(run.exitCode == 65, "\(run.exitCode) \(run.output)\(run.errors)")
    for place in [empty.path(percentEncoded: false), "/share/assay", "ASSAY_HOME"] {
      #expect(run.errors.contains(place), "\(place): \(run.errors)")
    }
  }
}
