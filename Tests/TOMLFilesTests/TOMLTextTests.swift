import Foundation
import TOMLFiles
import TestSupport
import Testing

@Suite struct TOMLTextTests {
  @Test func aFileIsATable() throws {
    let folder = try TemporaryDirectory()
    let file = folder.file("a.toml")
    try Data("[one]\n  [ \"two\" ]\nx = 1\n[[three]]\n".utf8).write(to: file)
    #expect(Set(try TOMLText.table(at: file).keys) == ["one", "two", "three"])
  }

  /// The parser ends the process at some of these.
  @Test(arguments: ["[", "[[", "[ ", "[=", "\n [\n", "[.a]", "x = ", "x = 1\nx = 2\n"])
  func whatIsNoTableNamesTheFile(text: String) throws {
    let folder = try TemporaryDirectory()
    let file = folder.file("a.toml")
    try Data(text.utf8).write(to: file)
    let error = #expect(throws: TOMLText.Malformed.self) { try TOMLText.table(at: file) }
    #expect(error?.description.hasPrefix(file.path(percentEncoded: false) + ": ") == true)
  }

  @Test func whatCannotBeReadNamesTheFile() throws {
    let file = try TemporaryDirectory().file("none.toml")
    let error = #expect(throws: TOMLText.Malformed.self) { try TOMLText.table(at: file) }
    #expect(error?.description.contains("none.toml: cannot be read: ") == true)
  }

  @Test func theParserSaysWhere() {
    let error = #expect(throws: TOMLText.Malformed.self) { try TOMLText.table("a = 1\nb c\n") }
    #expect(error?.description.contains("line 2") == true)
  }

  @Test func otherKeysAreNamed() throws {
    let table = try TOMLText.table("a = 1\nz = 2\nc = 3\n")
    #expect(throws: Never.self) { try TOMLText.require(["a", "c", "d", "z"], in: table) }
    let error = #expect(throws: TOMLText.Malformed.self) { try TOMLText.require(["d", "a"], in: table) }
    #expect(error?.description == "expected only a, d, found 'c'")
  }
}
