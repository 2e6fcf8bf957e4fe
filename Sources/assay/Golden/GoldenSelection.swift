import ArgumentParser
import Foundation
import GoldenFiles
import Problems
import Results

/// Which files and cases a `golden` subcommand is about.
struct GoldenSelection: ParsableArguments {
  @Argument(
    help: "Golden files, or folders of them (default: \(GoldenCorpus.standardFolder)).",
    completion: .file(extensions: ["h5", "hdf5"]))
  var files: [String] = []

  @Option(
    help: "Only cases whose name matches this glob; '*' crosses slashes, '=NAME' is a name as it is. May be repeated.")
  var filter: [String] = []

  /// The files that these words name.
  func paths() throws(GoldenFileError) -> [String] {
    try GoldenCorpus.files(at: files.isEmpty ? [Resources().corpus()] : files)
  }

  /// What was probably meant by filters that choose nothing.
  func hints(among names: [String]) -> [String] {
    filter.compactMap { PatternHint.text($0, option: "--filter", among: names) }
  }

  func matches(_ summary: GoldenCaseSummary) -> Bool {
    filter.isEmpty || filter.contains { NamePattern($0).matches(summary.name) }
  }
}

/// What the `golden` subcommands have in common: opening files, and reporting what is wrong with them.
enum GoldenSession {
  /// A reader that parses the project's own files here, and all others in a child process first.
  static func reader(
    listed: CaseLimits = .standard, unlisted: CaseLimits = .unlisted
  ) throws(GoldenFileError) -> GoldenReader {
    GoldenReader(
      trusted: try Resources().manifest(), probe: .ofThisExecutable(),
      listed: listed, unlisted: unlisted)
  }

  static func report(_ error: GoldenFileError) {
    Console.error("\(error)")
  }

  /// Runs a command's work; a bad file ends it with its message, the command that repeats it and its exit code.
  static func run(_ body: () throws(GoldenFileError) -> Void) throws {
    do { try body() } catch {
      report(error)
      Console.note("repeat: \(ShellCommand(["assay", "golden", "validate", error.file]))")
      throw ExitCode(Outcome(error).exitCode)
    }
  }
}
