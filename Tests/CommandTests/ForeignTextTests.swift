import Foundation
import TestSupport
import Testing

/// Names and texts from files and engines reach no terminal, report or CI log raw.
@Suite struct ForeignTextTests {
  private static let trials = Repository.root.appending(path: "Tests/Trials").path(percentEncoded: false)
  private static let file = "\(trials)/M6_control_characters.h5"

  /// What an engine says may hold anything.
  private static let talker =
    #"talk=read l; echo '{"id":1,"result":{"name":"sh","version":"1","operations":["relu"],"dtypes":["float32"],"#
    + #""passes":["forward"]}}'; read l; printf '\033[31m\n::error::log\n' >&2; "#
    + #"echo '{"id":2,"error":{"category":"internal","message":"\u001b[2J\n::error::mine"}}'; read l"#

  static let commands: [[String]] = [
    ["verify", "--golden", file], ["verify", "--golden", file, "--list"], ["golden", "list", file],
    ["golden", "show", file, "/relu/line\n::error::from a file"], ["golden", "validate", file],
    ["golden", "diff", file, "\(trials)/H14_old.h5"], ["gradcheck", "--golden", file],
    ["verify", "--filter", "relu/*", "--dtype", "float32", "--engine", talker, "--verbose"],
    ["golden", "validate", "/nowhere/\u{1B}[31m\n::error::a path.h5"],
  ]

  @Test(arguments: commands) func nothingIsPrintedRaw(command: [String]) throws {
    let run = try CommandRun(command + (command[0] == "golden" ? [] : ["--quiet"]))
    #expect([0, 1, 2, 65].contains(run.exitCode), "\(run.errors)")
    for text in [run.output, run.errors] { check(text, of: command) }
    #expect(!(run.output + run.errors).isEmpty)
  }

  @Test func reportsHaveNoneEither() throws {
    let folder = try TemporaryDirectory()
    let run = try CommandRun(
      [
        "verify", "--golden", Self.file, "--fresh", "0", "--engine", "reference", "--engine", Self.talker, "--quiet",
        "--out", folder.file("out").path,
      ])
    #expect(run.exitCode == 1, "\(run.errors)")
    for name in ["report.md", "junit.xml", "report.html"] {
      let path = folder.file("out/\(name)").path
      guard FileManager.default.fileExists(atPath: path) else { continue }
      check(try String(contentsOfFile: path, encoding: .utf8), of: [name])
    }
  }

  private func check(_ text: String, of command: [String]) {
    let raw = text.unicodeScalars.first { $0.value < 0x20 && $0 != "\n" && $0 != "\t" || $0.value == 0x7F }
    #expect(raw == nil, "\(command): U+\(String(raw?.value ?? 0, radix: 16)) in \(text.debugDescription)")
    let commands = text.split(separator: "\n").filter { $0.drop { $0 == " " }.hasPrefix("::") }
    #expect(commands.isEmpty, "\(command): \(commands)")
  }
}
