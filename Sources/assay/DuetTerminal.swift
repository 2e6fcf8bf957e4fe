import Reporting
import Results

/// A gate on stdout: its benchmarks, what leaves it undecided, the verdict.
struct DuetTerminal {
  let section: DuetSection
  let color: TerminalColor

  func printReport() {
    let text = DuetTable(section).text { row, verdict in
      // Of the base against itself nothing is fast or slow: where that differs, nothing is concluded.
      color.painted(verdict, as: row < section.benchmarks.count ? outcome(of: verdict) : doubt(verdict))
    }
    Console.print(text, terminator: "")
    for reason in section.reasons { Console.print(color.doubtful("inconclusive: \(reason.printable)")) }
    Console.print("verdict: " + color.painted(section.verdict, as: section.conclusion.outcome))
  }

  private func outcome(of verdict: String) -> Outcome {
    switch verdict {
    case "regression": .fails
    case "improvement": section.policy.failsOnImprovement == true ? .fails : .holds
    default: doubt(verdict)
    }
  }

  private func doubt(_ verdict: String) -> Outcome { verdict == "pass" ? .holds : .inconclusive }
}
