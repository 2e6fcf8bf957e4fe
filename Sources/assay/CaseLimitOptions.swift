import ArgumentParser
import GoldenFiles
import Problems

/// How much memory and work one case may take: the same two options in every command that reads or is given problems.
struct CaseLimitOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Memory that one case may take, such as 8GB or 512MiB (default: 4GiB; 1GiB in golden files that the corpus's manifest \
      does not list).
      """, valueName: "size"))
  var maxMemory: Magnitude?

  @Option(
    help: ArgumentHelp(
      """
      Multiply-accumulates that one case may take, such as 500G or 5e11 (default: 2^38; 2^35 in golden files that the \
      corpus's manifest does not list).
      """, valueName: "n"))
  var maxWork: Magnitude?

  /// A number of at least 1, with a unit if that is easier to read.
  struct Magnitude: ExpressibleByArgument {
    let value: Int

    init?(argument: String) {
      guard let value = CaseLimits.size(argument) else { return nil }
      self.value = value
    }
  }

  /// The limits, with what the command line says otherwise.
  func limits(_ standard: CaseLimits = .standard) -> CaseLimits {
    CaseLimits(
      maximumBytes: maxMemory?.value ?? standard.maximumBytes, maximumWork: maxWork?.value ?? standard.maximumWork)
  }

  /// ``GoldenSession``'s reader, for cases within these limits.
  func reader() throws(GoldenFileError) -> GoldenReader {
    try GoldenSession.reader(listed: limits(.standard), unlisted: limits(.unlisted))
  }

  /// The words that give these limits again, for commands that repeat a run.
  var words: [String] {
    (maxMemory.map { ["--max-memory", "\($0.value)"] } ?? []) + (maxWork.map { ["--max-work", "\($0.value)"] } ?? [])
  }
}
