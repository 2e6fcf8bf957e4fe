import Reporting
import Results

/// What a stored run amounts to, on stdout.
enum RunVerdict {
  static func print(_ run: Run, color: TerminalColor) {
    for line in RunFacts.verdicts(of: run) { Console.print(line) }
    let outcome = run.conclusion.outcome
    Console.print("outcome: " + color.painted(outcome.words, as: outcome))
  }
}
