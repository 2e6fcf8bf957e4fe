import Foundation
import TestSupport
import Testing

/// `--color` in every command that prints a verdict or a warning.
@Suite(.waiting) struct ColorTests {
  /// How a command comes to print one.
  enum Way: Sendable {
    /// By a line. `$T` is the trial files, `$R` a stored run, `$W` the test's own folder.
    case line(String)
    /// By minutes of measuring, or by what happens on the machine meanwhile.
    case measured
  }

  static let table: [String: Way] = [
    "verify": .line("-q --golden $T/H14_old.h5"),
    "fuzz": .line("-q --operation relu --cases 2"),
    "gradcheck": .line("-q --operation 'relu n1c1h2w3'"),
    "selftest": .line("-q --smoke --filter 'probes/nothing*' --golden Fixtures/linear.h5"),
    "bench": .line("-q --suite $W/small.toml --engine direct --blocks 2"),
    "duet": .line("-q --suite $W/small.toml --base direct --head winograd2"),
    "compare": .line("$T/M_old.json $T/M_old.json"),
    "history": .line("$W/runs"),
    "report": .line("$R --out $W/again"),
    "merge": .line("$R --out $W/merged"),
    "golden diff": .line("$T/H14_old.h5 $T/H14_old.h5"),
    "golden validate": .line("$T/H14_old.h5"),
    "machine": .measured, "overhead": .measured,
  ]

  private static let lines = table.keys.sorted().compactMap { command -> String? in
    guard case .line(let words)? = table[command] else { return nil }
    return "\(command) \(words)"
  }

  private let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory()
    // Winograd's algorithm does no stride of 2, and two blocks decide nothing.
    try "problems = [\"conv2d n1c16h6w6 k16r3s3 stride2 pad1\"]\nslice_ms = 0.2\n".write(
      to: folder.file("small.toml"), atomically: true, encoding: .utf8)
    let runs = folder.file("runs")
    try FileManager.default.createDirectory(at: runs, withIntermediateDirectories: true)
    // A step up, in the tenth of 20 files of hyperfine.
    for run in 0..<20 {
      let times = (0..<10).map { "\((run < 10 ? 1 : 2) + 0.001 * Double((7 * run + 3 * $0) % 19))" }
      let number = run < 10 ? "0\(run)" : "\(run)"
      try "{\"results\":[{\"command\":\"kernel\",\"times\":[\(times.joined(separator: ","))]}]}".write(
        to: runs.appending(path: "\(number).json"), atomically: true, encoding: .utf8)
    }
  }

  private func run(_ line: String, _ more: String, environment: [String: String] = [:]) throws -> CommandRun {
    let variables = [
      "T": "Tests/Trials", "R": Repository.versionOneRun.path(percentEncoded: false),
      "W": folder.file("").path(percentEncoded: false), "TERM": "xterm", "NO_COLOR": "",
    ]
    return try CommandRun(
      shell: "'\(Repository.command.path)' \(line) \(more)", environment: variables.merging(environment) { $1 })
  }

  @Test func `every command that prints a colour takes the option, and no other`() throws {
    var found: Set<String> = []
    try CommandTree.whole().visit { command in
      if command.options.contains("color") { found.insert(command.path.dropFirst().joined(separator: " ")) }
    }
    #expect(found == Set(Self.table.keys))
  }

  @Test(arguments: lines) func `colours are where they are asked for, and not in a pipe`(line: String) throws {
    let painted = try run(line, "--color always")
    #expect(painted.output.contains(/\u{1B}\[3[123]m[^\u{1B}]+\u{1B}\[0m/), "\(painted.output)\(painted.errors)")
    #expect(!painted.errors.contains("\u{1B}"), "\(painted.errors)")
    let plain = try run(line, "")
    #expect(!plain.output.contains("\u{1B}") && !plain.output.isEmpty, "\(plain.output)")
    #expect(painted.exitCode == plain.exitCode)
  }

  @Test(
    arguments: [
      ("", [:], true), ("--color never", [:], false), ("", ["NO_COLOR": "1"], false), ("", ["NO_COLOR": ""], true),
      ("", ["TERM": "dumb"], false), ("--color always", ["NO_COLOR": "1"], true),
      // The text is on stderr, which is no terminal.
      ("--json", [:], false),
    ] as [(String, [String: String], Bool)])
  func `a terminal has colours unless something speaks against it`(
    option: String, environment: [String: String], isPainted: Bool
  ) throws {
    let terminal = try PseudoTerminal()
    let line = "golden diff $T/H14_old.h5 $T/H14_old.h5 \(option) >'\(terminal.path)'"
    let run = try run(line, "", environment: environment)
    #expect(run.exitCode == 0, "\(run.errors)")
    // What was written comes through in its own time.
    var text = terminal.read()
    let start = ContinuousClock.now
    while !text.hasSuffix("\r\n"), ContinuousClock.now - start < .seconds(5) {
      usleep(1_000)
      text += terminal.read()
    }
    #expect(text.hasSuffix("\r\n"))
    #expect((text + run.errors).contains("\u{1B}[32mno difference\u{1B}[0m") == isPainted)
  }

  @Test func `bad is red, doubtful yellow and good green`() throws {
    for (line, text) in [
      ("golden diff $T/H14_old.h5 $T/H14_composed_differs.h5", "\u{1B}[31m"),
      ("golden validate $T/C8_output_of_300_GB.h5", "\u{1B}[31m"),
      ("verify -q --golden $T/H14_old.h5 --filter 'nothing*'", "\u{1B}[33minconclusive"),
      ("gradcheck -q --operation 'relu n1c1h2w3' --verbose", "\u{1B}[32mPASS\u{1B}[0m  relu"),
      (
        "gradcheck -q --operation 'conv2d n1c1h3w3 k1r2s2' --spoil 'weight[0,0,0,0]'", "\u{1B}[31mFAIL\u{1B}[0m  conv2d"
      ),
      ("duet -q --suite $W/small.toml --base direct --head winograd2", "verdict: \u{1B}[33minconclusive\u{1B}[0m"),
      ("history $W/runs", "kernel     \u{1B}[31m+"),
    ] {
      let run = try run(line, "--color always")
      #expect(run.output.contains(text), "\(line): \(run.output)\(run.errors)")
    }
  }
}
