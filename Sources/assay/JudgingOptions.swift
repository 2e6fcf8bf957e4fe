import ArgumentParser
import Verification

/// What of a case is judged: the same options wherever cases are.
struct JudgingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Only what these passes compute, with commas: \(JudgedPass.allCases.map(\.rawValue).joined(separator: ", ")) (default: \
      all). What is left out is counted, and never as passed.
      """, valueName: "passes"))
  var pass: String?

  @Flag(help: "Leave out what must be refused, for a kernel that checks nothing.")
  var noRefusals = false

  func validate() throws { _ = try passes }

  /// `nil` for all.
  var passes: Set<JudgedPass>? {
    get throws { try pass.map { Set(try BenchSelection.choices($0, "--pass") as [JudgedPass]) } }
  }
}
