import Results

/// The self-test's part of the page: deliberately wrong kernels, and what caught each.
enum SelfTestPage {
  static func section(_ section: SelfTestSection) -> HTMLPage.Section {
    let rows = (section.survivors + section.tried.filter(\.isKilled)).map { mutant in
      HTMLPage.Row(cells: [
        .init(mutant.family), .init(mutant.name, "code"), .init(mutant.verifyKill ?? "–"),
        .figure(mutant.verifyRatio.map(NumberText.short) ?? ""),
        .init(mutant.otherKill ?? "–"),
        .figure(mutant.gradcheckRatio.map(NumberText.short) ?? ""),
        .init(mutant.isKilled ? "killed" : "SURVIVED", mutant.isKilled ? "good" : "bad"),
      ])
    }
    return HTMLPage.Section(
      anchor: "selftest", title: "Self-test",
      intro:
        "\(section.score), deliberately wrong implementations; \(section.falseAlarms.count) false alarms in \(section.checksOfCorrectCode) checks of correct code over "
        + "\(section.seedCount) seeds." + (section.firstProtocolScore.map { " For comparison, \($0)." } ?? "")
        + (section.notRun.first?.notRun.map { " Not run: \($0)" } ?? ""),
      tables: [
        HTMLPage.Table(
          title: "Mutants", caption: "What killed each, and by how many times its bound.",
          headings: ["family", "mutant", "verify", "error/bound", "gradcheck, probe or audit", "error/bound", ""],
          rows: rows)
      ])
  }
}
