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
    }
    return lines + FailureText.details(failure.result)
  }

  /// `conv2d: 3 of 212 classes never drawn`.
  public static func coverage(_ operation: FuzzedOperation) -> String {
    let (missing, all) = (operation.neverDrawn.count, operation.drawn.reduce(0) { $0 + $1.counts.count })
    let pairs = operation.possiblePairs > 0 ? ", \(operation.pairs.count) of \(operation.possiblePairs) pairs" : ""
    return "\(all - missing) of \(all) classes\(pairs)"
  }
}
