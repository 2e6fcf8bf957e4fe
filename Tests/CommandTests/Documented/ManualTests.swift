import Foundation
import TestSupport
import Testing

/// The manual pages that `make install` puts beside the command.
@Suite struct ManualTests {
  /// Of the argument parser's package; `make test` builds it.
  private static let generator = Repository.command.resolvingSymlinksInPath().deletingLastPathComponent()
    .appending(path: "generate-manual").path(percentEncoded: false)

  @Test func `every command has a page with its examples and options`() throws {
    try #require(
      FileManager.default.fileExists(atPath: Self.generator),
      "swift build -c release --product generate-manual makes \(Self.generator)")
    let folder = try TemporaryDirectory()
    let run = try CommandRun(
      [Self.generator, Repository.command.path(percentEncoded: false), folder.file("").path(percentEncoded: false)],
      of: Repository.root.appending(path: "Packaging/manual.sh").path(percentEncoded: false))
    try #require(run.exitCode == 0 && run.errors.isEmpty, "\(run)")
    var expected: Set<String> = []
    try CommandTree.whole().visit { command in
      guard command.isDisplayed, command.commandName != "help" else { return }
      let name = command.path.joined(separator: "-")
      expected.insert("\(name).1")
      let page = try String(contentsOf: folder.file("\(name).1"), encoding: .utf8)
      #expect(page.contains(".Nm \(name)\n") && page.contains(".Nm \"\(command.path.joined(separator: " "))\"\n"))
      for option in command.displayed where option.count > 1 {
        #expect(page.contains(try Regex("\\.It Fl (. , )?-\(option)( |\\n)")), "\(name): --\(option)")
      }
      let lines = page.split(separator: "\n")
      for example in command.discussion.replacing("…", with: "...").split(separator: "\n") where example.hasPrefix("  ")
      {
        #expect(lines.contains(example), "\(name): \(example)")
      }
      // What is no macro that these pages have would be taken for one, and vanish.
      let macros = [
        "\\\"", "Dd", "Dt", "Os", "Sh", "Nm", "Nd", "Fl", "Ar", "Op", "Pp", "Bd", "Ed", "Bl", "It", "El", "Xr", "Oo",
        "Oc",
      ]
      for line in lines where line.hasPrefix(".") || line.hasPrefix("'") {
        #expect(macros.contains { line.hasPrefix(".\($0)") }, "\(name): \(line)")
      }
    }
    #expect(Set(try FileManager.default.contentsOfDirectory(atPath: folder.file("").path)) == expected)
  }
}
