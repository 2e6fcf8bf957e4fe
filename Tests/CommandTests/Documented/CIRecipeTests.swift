import Foundation
import TestSupport
import Testing

/// The recipes of `Benchmarks/ci`: what they type exists, and nothing that they use may change behind somebody's back.
@Suite struct CIRecipeTests {
  private static let folder = Repository.root.appending(path: "Benchmarks/ci")

  private func texts() throws -> [(name: String, text: String)] {
    try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
      .sorted { $0.path < $1.path }
      .map { ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8)) }
  }

  @Test func `every command has its options`() throws {
    let tree = try CommandTree.whole()
    var commands = 0
    for (name, text) in try texts() {
      let lines = text.replacing(/\\\n\s*/, with: "")
        .replacing(/\$\{\{[^}]*\}\}/, with: "1").replacing(/\$\{[^}]*\}|\$[A-Z_]+/, with: "x")
      for match in lines.matches(of: /(?:^|[\s'])(assay (?:verify|bench|duet|merge|report)[ ][^\n|]*)/) {
        let words = match.1.replacing("\"", with: "").split(separator: " ").dropFirst().map(String.init)
        #expect(tree.unknownWord(in: words) == nil, "\(name): \(match.1)")
        commands += 1
      }
    }
    #expect(commands >= 9)
  }

  @Test func `actions are pinned to a commit, and jobs have permissions and an end`() throws {
    var actions = 0
    for (name, text) in try texts() where name.hasPrefix("assay") {
      for match in text.matches(of: /uses: (\S+)/) {
        #expect(
          match.1.hasPrefix("./") || match.1.contains(/@[0-9a-f]{40}$/), "\(name): \(match.1) is not pinned")
        actions += 1
      }
      #expect(text.contains("\npermissions:\n  contents: read\n"), "\(name)")
      let jobs = text.matches(of: /\n    runs-on:/).count
      #expect(jobs > 0 && jobs == text.matches(of: /\n    timeout-minutes:/).count, "\(name)")
    }
    #expect(actions > 10)
  }

  @Test func `the page tells of every recipe and of every exit code`() throws {
    let texts = Dictionary(uniqueKeysWithValues: try texts())
    let page = try #require(texts["README.md"])
    for name in texts.keys where name != "README.md" { #expect(page.contains("[\(name)](\(name))"), "\(name)") }
    for code in [0, 1, 2, 64, 65, 70, 74] { #expect(page.contains("\n| \(code) |"), "\(code)") }
  }
}
