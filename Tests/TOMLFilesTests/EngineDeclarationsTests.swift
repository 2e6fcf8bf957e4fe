import Engines
import Foundation
import TOMLFiles
import TestSupport
import Testing

@Suite struct EngineDeclarationsTests {
  @Test func declarationsAreRead() throws {
    let directory = try TemporaryDirectory()
    let file = directory.file("engines.toml")
    try "[mine]\ncommand = \"./mine --fast\"\ntimeout = 5\nversion = \"1.2\"\n".write(
      to: file, atomically: true, encoding: .utf8)
    let mine = try #require(try EngineCatalog.declarations(at: file)["mine"])
    #expect(mine.command == "./mine --fast" && mine.timeout == 5 && mine.expectedVersion == "1.2")
    #expect(mine.directory?.standardizedFileURL.path == directory.url.standardizedFileURL.path)
  }

  @Test(arguments: [
    ("[mine]\ncommand = \"x\"\ncolour = 1\n", "'colour'"), ("[mine]\n", "expected a command or a library, found none"),
    ("[mine]\ncommand = \"x\"\nlibrary = \"x.so\"\n", "expected a command or a library, found both"),
    ("[mine]\nlibrary = 3\n", "library: expected words"), ("[mine]\ncommand = \" \"\n", "command: expected words"),
    ("[mine]\ncommand = \"x\"\ntimeout = -1\n", "timeout"), ("mine = 3\n", "expected a table"),
    ("[mine\n", "engines.toml"),
  ])
  func badDeclarationsNameFileAndKey(text: String, expected: String) throws {
    let directory = try TemporaryDirectory()
    let file = directory.file("engines.toml")
    try text.write(to: file, atomically: true, encoding: .utf8)
    do throws(EngineCatalog.Failure) {
      _ = try EngineCatalog.declarations(at: file)
      Issue.record("read")
    } catch {
      #expect(error.kind == .data && error.description.contains(expected), "\(error)")
      #expect(error.description.contains("engines.toml"))
    }
  }
}
