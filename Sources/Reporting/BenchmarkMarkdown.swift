import Foundation
import Results

/// A benchmark and a gate as Markdown.
enum BenchmarkMarkdown {
  static func lines(_ section: BenchmarkSection, _ provenance: Provenance) -> [String] {
    var lines = ["## Benchmark", ""]
    lines += (section.doubts ?? []).map { "- **Inconclusive:** \($0.printable)" }
    if let answer = DecisionTable.answer(section) {
      lines.append("- \(MarkdownText.inline(answer.prefix(1).uppercased() + answer.dropFirst())).")
    }
    lines += section.facts.map { "- \($0)" }
    lines += section.machine.warnings.map { "- **Timing conditions:** \($0)" }
    lines += BenchmarkNotes.lines(section).map { "- **Note:** \(MarkdownText.inline($0))" }
    lines.append("")
    lines += failures(section, provenance)
    let names = section.engines.map(\.name) + [NetworkTotal.bestMix]
    if !section.totals.isEmpty {
      lines += [
        "Convolutions of each network added up, milliseconds; in brackets those that `\(section.options.baseline)` does for it:",
        "",
      ]
      let totals = TextTable(
        ["network", "batch", "threads", "pass", "layout"] + names,
        section.totals.map { total in
          [total.network, "\(total.batch)", "\(total.threads)", total.pass, total.layout]
            + names.map { name in
              guard let entry = total.entries.first(where: { $0.engine == name }) else { return "–" }
              let note = entry.substituted > 0 ? " (\(entry.substituted))" : ""
              return BenchmarkText.milliseconds(entry.nanoseconds) + entry.mark + note
            }
        })
      lines += totals.markdown
    }
    lines += decisions(section, provenance)
    for table in WholeNetworkTable.tables(section) {
      lines += ["### \(table.title)", "", table.caption, ""]
      lines += TextTable(table.headings, table.rows, words: WholeNetworkTable.words).markdown
    }
    if let table = AuditTable(section) {
      lines += ["### Audits", "", table.caption, ""] + TextTable(table.headings, table.rows, words: 2).markdown
    }
    for comparison in PeerComparison.comparisons(of: section) {
      lines += ["### Best strategy and fastest peer: \(comparison.setting)", "", comparison.summary, ""]
      lines += TextTable(PeerComparison.headings, comparison.cells).markdown
    }
    for (setting, workloads) in BenchmarkSetting.settings(of: section) {
      lines += ["### \(setting.name), milliseconds", ""]
      let rows = workloads.map { workload in
        ["`\(BenchmarkText.shape(workload.problem))`"] + section.engines.map { cell(workload, $0.name, section) }
          + [workload.limitNanoseconds.map(BenchmarkText.milliseconds) ?? "", workload.limitText]
      }
      let headings = ["shape"] + section.engines.map(\.name) + ["limit", "by"]
      var table = TextTable(headings, figures: Set(headings.indices.dropFirst().dropLast()))
      for row in rows { table.add(row) }
      lines += table.markdown
    }
    return lines
  }

  /// Which strategy for which class of layers, without the commands, which the page has.
  private static func decisions(_ section: BenchmarkSection, _ provenance: Provenance) -> [String] {
    guard let table = DecisionTable(section, provenance) else { return [] }
    let figures = DecisionTable.classFigures
    var markdown = TextTable(DecisionTable.classHeadings.dropLast(), figures: figures)
    for row in table.classRows { markdown.add(row.dropLast().map(MarkdownText.inline)) }
    return ["### Which strategy for which layer", "", DecisionTable.classCaption, ""] + markdown.markdown
  }

  private static func cell(
    _ workload: BenchmarkWorkload, _ engine: String, _ section: BenchmarkSection
  ) -> String {
    guard let contestant = workload.contestant(engine) else { return "" }
    guard let time = contestant.time else {
      return contestant.status == .unsupported ? "–" : contestant.status.rawValue
    }
    let text = BenchmarkText.milliseconds(contestant, time)
    return !section.isDoubtful && workload.isAmongBest(engine) ? "**\(text)**" : text
  }

  /// What verification or the audit found of each contestant that has no time because of it.
  private static func failures(_ section: BenchmarkSection, _ provenance: Provenance) -> [String] {
    let found = section.workloads.flatMap { workload in
      workload.contestants.filter { $0.status.isFault }.flatMap { contestant -> [String] in
        let subject = MarkdownText.inline("\(contestant.engine) on \(workload.name)")
        let command = BenchmarkReproduction.command(contestant, on: workload, of: section, provenance)
        let details: [String] = FailureText.details(contestant) + ["repeat: \(command)"]
        return ["- \(subject): \(contestant.status.rawValue)"] + MarkdownText.block(details)
      }
    }
    return found.isEmpty ? [] : ["### Wrong, failed or caught, so without a time", ""] + found + [""]
  }

  static func lines(_ duet: DuetSection) -> [String] {
    var lines = [
      "## Regression gate: \(duet.verdict)", "",
      "Base \(MarkdownText.code(duet.base)), head \(MarkdownText.code(duet.head)).", "",
    ]
    lines += duet.reasons.map { "- \(MarkdownText.inline($0))" }
    let table = DuetTable(duet)
    lines += [""] + TextTable(table.headings, table.rows).markdown
    if let note = DuetTable.note(on: duet) { lines += ["", MarkdownText.inline(note)] }
    return lines
  }
}
