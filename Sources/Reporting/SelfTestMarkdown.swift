import Results

/// The self-test of a run as Markdown.
struct SelfTestMarkdown {
  private let section: SelfTestSection

  init(_ section: SelfTestSection) { self.section = section }

  var lines: [String] {
    let killed = section.mutants.count - section.survivors.count
    var lines = [
      "## Self-test", "",
      "\(killed) of \(section.mutants.count) mutants killed, \(section.falseAlarms.count) false alarms in "
        + "\(section.checksOfCorrectCode) checks of correct code over \(section.seedCount) seeds, in "
        + "\((section.seconds * 10).rounded() / 10) s.", "",
    ]
    lines += section.falseAlarms.map { "- FALSE ALARM: \(MarkdownText.inline($0))" }
    if !section.falseAlarms.isEmpty { lines.append("") }
    let mutants = TextTable(
      ["family", "mutant", "verify", "gradcheck or probe", "error/bound (verify)", "error/bound (gradcheck)"],
      (section.survivors + section.mutants.filter(\.isKilled)).map { mutant in
        [
          mutant.family, mutant.name, mutant.verifyKill ?? (mutant.isKilled ? "" : "SURVIVED"),
          mutant.gradcheckKill ?? mutant.probeKill ?? "", mutant.verifyRatio.map(NumberText.short) ?? "",
          mutant.gradcheckRatio.map(NumberText.short) ?? "",
        ]
      }, words: 4)
    lines += mutants.markdown
    return lines
  }
}
