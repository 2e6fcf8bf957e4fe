import Results

/// A failed case in words, the same in the terminal, in JUnit and in Markdown.
public enum FailureText {
  /// `outputs/y[0,1,2,3]: got …, expected …, bound …, error/bound …`.
  public static func worst(_ tensor: TensorResult) -> String? {
    guard let worst = tensor.worst else { return nil }
    let place = worst.figure.map { " (\($0))" } ?? "[" + worst.index.map(String.init).joined(separator: ",") + "]"
    return
      "\(tensor.path.printable)\(place): got \(NumberText.exact(worst.got)), expected \(NumberText.exact(worst.expected)), "
      + "bound \(NumberText.exact(worst.bound)), error/bound \(NumberText.short(tensor.worstRatio))"
  }

  public static func headline(_ result: CaseResult) -> String {
    "\(result.status.rawValue) \(result.name.printable) "
      + "(\(result.engine.printable), \(result.dtype), \(result.file.printable))"
  }

  /// What is wrong with one tensor: its worst element, and which others.
  public static func details(_ tensor: TensorResult) -> [String] {
    guard tensor.problem.isEmpty else { return ["\(tensor.path): \(tensor.problem)".printable] }
    return [
      worst(tensor) ?? tensor.path.printable,
      "  \(tensor.pattern); compared \(rule(tensor)); \(NumberText.ulps(tensor.worstUlps)) ULPs at worst",
    ]
  }

  /// What decided, and by which algorithms of the engine's own the bound was widened.
  public static func rule(_ tensor: TensorResult) -> String {
    tensor.rule.printable + (tensor.widening.map { ", widened for \($0.printable)" } ?? "")
  }

  /// Why a contestant of a benchmark has no time: what the audit and verification said of it, a line each.
  public static func details(_ contestant: BenchmarkContestant) -> [String] {
    let found = (contestant.audit?.violations ?? []).map(line) + (contestant.failing ?? []).flatMap(details)
    return found.isEmpty ? PrintableText.escapedLines(contestant.message) : found
  }

  /// `remembers: …`: the rule and its evidence.
  public static func line(_ finding: AuditFinding) -> String {
    "\(finding.rule.rawValue): \(finding.evidence.printable)"
  }

  /// How many results are wrong likewise, in what elements, and what they look like; of one result, its name in place of the
  /// count.
  /// - Parameter group: the results.
  /// - Returns: the first line of their report.
  package static func firstLine(_ group: FailureGroup) -> String {
    guard group.results.count == 1 else { return "\(group.representative.status.rawValue) \(group.title.printable)" }
    return headline(group.representative) + (group.cause.map { ": \(group.pattern); \($0.text)" } ?? "")
  }

  /// The number of threads that a result fails with, where it is a clue: one thread is none, if it was asked first, for
  /// nobody knows of the others then.
  static func tellingThreads(_ result: CaseResult) -> Int? {
    guard let count = result.failingThreads, count > 1 || (result.threads ?? []).count > 1 else { return nil }
    return count
  }

  /// What is wrong, a line each, ending with the command that repeats it.
  /// - Parameters:
  ///   - result: of a case.
  ///   - withCause: whether what it looks like is said, too.
  /// - Returns: the lines.
  public static func details(_ result: CaseResult, withCause: Bool = true) -> [String] {
    var lines: [String] = []
    let failing = result.tensors.filter { !$0.passes }
    if failing.isEmpty || result.status == .error, !result.message.isEmpty {
      lines += PrintableText.escapedLines(result.message)
    }
    if !failing.isEmpty, result.message.hasPrefix("the engine changed") { lines.append(result.message.printable) }
    if !failing.isEmpty, let count = tellingThreads(result) {
      lines.append("with \(count) \(count == 1 ? "thread" : "threads"):")
    }
    lines += failing.flatMap(details)
    if withCause, let cause = result.cause { lines.append(cause.text) }
    if let reason = result.knownFailure { lines.append("known failure: \(reason.printable)") }
    if !result.reproduce.isEmpty { lines.append("repeat: \(result.reproduce)") }
    return lines
  }
}
