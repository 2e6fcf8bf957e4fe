import Results

/// Failures as GitHub shows them above a workflow's log and beside a change: commands that stand on a line of its output.
package enum AnnotationText {
  /// GitHub shows so many of a step.
  private static let most = 10

  /// - Parameter section: what verification found.
  /// - Returns: a line for each kind of failure, the one that most results are of first.
  package static func lines(_ section: VerificationSection) -> [String] {
    FailureGroup.groups(of: section).prefix(most).map { group in
      let command = group.representative.reproduce
      let text = FailureText.firstLine(group) + (command.isEmpty ? "" : "\nrepeat: \(command)")
      return "::error title=assay verify::\(escaped(text))"
    }
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
  }
}
