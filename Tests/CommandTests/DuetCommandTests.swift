import Foundation
import Reporting
import Results
import TestSupport
import Testing

/// Which engines `assay duet` takes, by its words.
@Suite struct DuetCommandTests {
  private let folder: TemporaryDirectory
  private let suite: String

  /// One convolution, of a stride that Winograd's algorithm does not do: the gate is undecided at once, and says of which side.
  init() throws {
    folder = try TemporaryDirectory()
    suite = folder.file("strided.toml").path(percentEncoded: false)
    try """
    problems = ["conv2d n1c16h6w6 k16r3s3 stride2 pad1"]
    slice_ms = 0.2
    """.write(toFile: suite, atomically: true, encoding: .utf8)
  }

  private func duet(_ base: String, _ head: String, _ more: [String] = []) throws -> CommandRun {
    try CommandRun(["duet", "--base", base, "--head", head, "--suite", suite, "--quiet"] + more)
  }

  private static let assay = Repository.command.path(percentEncoded: false)

  @Test(arguments: [
    "winograd2", "mine='\(assay)' engine winograd2", "'\(assay)' engine winograd2",
    "OMP_NUM_THREADS=1 '\(assay)' engine winograd2", "exec '\(assay)' engine winograd2",
  ])
  func aNameIsAsGoodAsItsCommand(head: String) throws {
    let out = folder.file("gate").path(percentEncoded: false)
    let found = try duet("direct", head, ["--out", out])
    #expect(found.exitCode == 2 && found.output.contains("head does not do conv2d"), "\(found)")
    // What is kept can be typed again, also where the name will mean another program.
    let gate = try #require(try RunFile.read(out + "/run.json").duet)
    #expect(gate.base.hasSuffix(" engine direct --tuned") && gate.base.contains("/"), "\(gate.base)")
    #expect(gate.head.contains("engine winograd2"), "\(gate.head)")
  }

  @Test func declaredNamesAreTakenFromTheirFile() throws {
    let home = folder.file("home/Benchmarks")
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      at: home.appending(path: "here"), withDestinationURL: Repository.command.resolvingSymlinksInPath())
    try "[near]\ncommand = \"./here engine winograd2\"\n".write(
      to: home.appending(path: "engines.toml"), atomically: true, encoding: .utf8)
    let found = try CommandRun(
      ["duet", "--base", "direct", "--head", "near", "--suite", suite, "--quiet"],
      environment: ["ASSAY_HOME": home.deletingLastPathComponent().path(percentEncoded: false)])
    #expect(found.exitCode == 2 && found.output.contains("head does not do conv2d"), "\(found)")
  }

  @Test(arguments: [
    ("diret", "did you mean 'direct'?"), ("no-such-program --fast", "found no command 'no-such-program'"),
    ("direct=./mine", "built-in engine's"), ("mine=", "expected a command"), ("library:", "path of a shared library"),
  ])
  func wordsThatAreNeitherAreUsage(word: String, reason: String) throws {
    for (base, head, option) in [(word, "direct", "--base"), ("direct", word, "--head")] {
      let found = try duet(base, head)
      #expect(found.exitCode == 64, "\(found)")
      #expect(found.errors.contains(option) && found.errors.contains(reason), "\(found.errors)")
    }
  }

  @Test func theHelpSaysWhatHoldsWithoutOptions() throws {
    let help = try CommandRun(["duet", "--help"]).output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    for (option, value) in [("policy", "5%"), ("margin", "2%"), ("steal-limit", "10%")] {
      let words = try #require(help.firstRange(of: "--\(option) <"), "\(option)")
      let text = help[words.lowerBound...].prefix(160)
      #expect(text.contains("(default: \(value))"), "\(text)")
    }
  }
}
