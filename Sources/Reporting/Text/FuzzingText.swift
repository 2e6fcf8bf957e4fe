import Results

/// What fuzzing found in words, the same in the terminal, in JUnit and in Markdown.
public enum FuzzingText {
  /// `FAIL relu shape17 (mine, float32), the first of 12 cases that fail so`.
  public static func headline(_ failure: FuzzFailure) -> String {
    let others = failure.count > 1 ? ", the first of \(failure.count) cases that fail so" : ""
    return "\(failure.result.status.rawValue) \(failure.problem.printable) "
      + "(\(failure.engine.printable), \(failure.dtype))\(others)"
  }

  /// What is wrong, a line each, ending with the command that repeats it.
  public static func details(_ failure: FuzzFailure) -> [String] {
    var lines: [String] = []
    if let common = failure.common { lines.append(common.printable) }
    lines.append("operands \(failure.data.printable)")
    if failure.drawn != failure.problem {
      lines.append("first seen as \(failure.name), \(failure.drawn.printable); shrunk in \(failure.trials) trials")
    } else if failure.trials == 0 {
      lines.append("seen as \(failure.name); not shrunk")
    }
    return lines + FailureText.details(failure.result)
  }

  /// What the tables do not show: cases that were not done, and failures that are not listed; a line each.
  public static func remarks(_ section: FuzzingSection) -> [String] {
    var lines: [String] = []
    if section.casesNotDone > 0 {
      let end = section.interrupted ? "the run was interrupted" : "time was over"
      lines.append("\(section.casesNotDone) of the cases that were asked for are not done: \(end)")
    }
    let idle = section.withoutTurn
    if !idle.isEmpty { lines.append("without a turn: \(idle.joined(separator: ", "))".printable) }
    if let passes = section.passes {
      lines.append("left out: what is not of \(passes.joined(separator: ", ")) (--pass)".printable)
    }
    if section.withoutRefusals == true { lines.append("left out: problems that must be refused (--no-refusals)") }
    if let count = section.unlisted { lines.append("\(count) failures of further kinds are not listed") }
    return lines
  }

  /// `conv2d: 3 of 212 classes never drawn`.
  public static func coverage(_ operation: FuzzedOperation) -> String {
    let (missing, all) = (operation.neverDrawn.count, operation.drawn.reduce(0) { $0 + $1.counts.count })
    let pairs = operation.possiblePairs > 0 ? ", \(operation.pairs.count) of \(operation.possiblePairs) pairs" : ""
    return "\(all - missing) of \(all) classes\(pairs)"
  }
}
