import Foundation
import TOMLFiles
import TestSupport
import Testing
import Verification

/// `Benchmarks/FILES.md`: its tables have the keys that the program knows, and its examples are read.
@Suite struct WrittenFileTests {
  private static let page = Repository.root.appending(path: "Benchmarks/FILES.md")

  private func section(_ title: String) throws -> Substring {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    let start = try #require(text.range(of: "\n## \(title)\n")).upperBound
    return text[start...].split(separator: "\n## ", maxSplits: 1)[0]
  }

  private func keys(_ section: Substring) -> Set<String> {
    Set(section.matches(of: /\n\| `([a-z_]+)` \|/).map { String($0.1) })
  }

  private func example(_ section: Substring) throws -> String {
    String(try #require(section.firstMatch(of: /```toml\n((?s:.*?))```/)).1)
  }

  /// The keys that an error lists where one is not known.
  private func known(_ message: some StringProtocol) throws -> Set<String> {
    let list = try #require(String(message).firstMatch(of: /expected only ([a-z_, ]+), found/)).1
    return Set(list.split(separator: ", ").map(String.init))
  }

  @Test func `the keys of suites`() throws {
    let folder = try TemporaryDirectory()
    let (bad, good) = (folder.file("bad.toml"), folder.file("good.toml"))
    try Data("nonsense = 1\n".utf8).write(to: bad)
    let section = try section("Suites")
    #expect(try keys(section) == known(CommandRun(["bench", "--suite", bad.path]).errors))
    try Data(example(section).utf8).write(to: good)
    let run = try CommandRun(["bench", "--suite", good.path, "--dry-run"])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }

  @Test func `the keys of known failures`() throws {
    let section = try section("Known failures")
    let error = #expect(throws: KnownFailures.Malformed.self) {
      try KnownFailures(text: "[[known_failure]]\nnonsense = 1\n", path: "file")
    }
    #expect(try keys(section) == known(#require(error).description))
    #expect(try KnownFailures(text: example(section), path: "file").entries.count == 1)
  }
}
