import Results

/// The self-test of a run as Markdown.
struct SelfTestMarkdown {
  private let section: SelfTestSection

  init(_ section: SelfTestSection) { self.section = section }

  var lines: [String] {
    var lines = [
      "## Self-test", "",
      "\(section.score), \(section.falseAlarms.count) false alarms in "
        + "\(section.checksOfCorrectCode) checks of correct code over \(section.seedCount) seeds, in "
        + "\((section.seconds * 10).rounded() / 10) s.", "",
    ]
    lines += section.falseAlarms.map { "- FALSE ALARM: \(MarkdownText.inline($0))" }
    if !section.falseAlarms.isEmpty { lines.append("") }
    if let score = section.fuzzScore {
      lines += ["Of kernels that are wrong for one class of problems, \(score).", ""]
    }
    lines += (section.explanationScore ?? []).flatMap { ["\($0.prefix(1).uppercased())\($0.dropFirst()).", ""] }
    if let score = section.firstProtocolScore { lines += ["For comparison, \(score).", ""] }
    if let reason = section.notRun.first?.notRun { lines += ["Not run: \(MarkdownText.inline(reason))", ""] }
    let mutants = TextTable(
      ["family", "mutant", "verify", "gradcheck, probe or audit", "error/bound (verify)", "error/bound (gradcheck)"],
      (section.survivors + section.tried.filter(\.isKilled)).map { mutant in
        [
          mutant.family, mutant.name, mutant.verifyKill ?? (mutant.isKilled ? "" : "SURVIVED"),
          mutant.otherKill ?? "", mutant.verifyRatio.map(NumberText.short) ?? "",
          mutant.gradcheckRatio.map(NumberText.short) ?? "",
        ]
      }, words: 4)
    lines += mutants.markdown
    return lines
  }
}
