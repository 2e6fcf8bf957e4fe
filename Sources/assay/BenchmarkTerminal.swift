import Foundation
import Reporting
import Results

/// A benchmark as tables for a terminal.
struct BenchmarkTerminal {
  private let section: BenchmarkSection
  private let color: TerminalColor
  private let showsLayers: Bool

  init(_ section: BenchmarkSection, color: TerminalColor, showsLayers: Bool) {
    self.section = section
    self.color = color
    self.showsLayers = showsLayers
  }

  var text: String {
    var lines = (section.doubts ?? []).map { color.doubtful("inconclusive: \($0.printable)") }
    for ceiling in section.ceilings {
      let l3 = ceiling.l3GigabytesPerSecond.map { String(format: ", L3 %.0f GB/s", $0) } ?? ""
      lines.append(
        String(
          format: "t%d: FMA peak %.0f GF/s, L2 %.0f GB/s%@, memory %.0f GB/s", ceiling.threads, ceiling.peakGigaflops,
          ceiling.l2GigabytesPerSecond, l3 as CVarArg, ceiling.memoryGigabytesPerSecond))
    }
    lines += section.machine.warnings.map { color.doubtful("warning: \($0)") }
    if showsLayers { lines += layers }
    lines += totals
    lines += networks
    lines += problems
    lines += audits
    lines += BenchmarkNotes.lines(section).map { "note: \($0.printable)" }
    lines += peers
    if !section.facts.isEmpty, !ReportOutput.isPart { lines += [""] + section.facts.map { "* \($0)" } }
    return lines.map { $0 + "\n" }.joined()
  }

  /// One table for each pass, layout and thread count: milliseconds, the fastest marked.
  private var layers: [String] {
    var lines: [String] = []
    var settings: [String] = []
    for workload in section.workloads where !settings.contains(setting(workload)) { settings.append(setting(workload)) }
    for name in settings {
      let workloads = section.workloads.filter { setting($0) == name }
      let rows = workloads.map { workload in
        let limit = workload.limitNanoseconds.map { String(format: "%.3f", $0 * 1e-6) } ?? ""
        return [workload.problem] + section.engines.map { cell(workload, $0.name) } + [limit, workload.limitText]
      }
      let isClaimed = workloads.contains { $0.contestants.contains { $0.isClaimed && $0.time != nil } }
      let claimed = isClaimed ? "; \(Trust.claimedMark) claimed by the engine alone" : ""
      lines += ["", "\(name), milliseconds (* fastest, several that tie\(claimed)):"]
      let headings = [""] + section.engines.map(\.name) + ["limit", "by"]
      var table = TextTable(headings, figures: Set(headings.indices.dropFirst().dropLast()))
      for row in rows { table.add(row) }
      lines += table.lines
    }
    return lines
  }

  private func setting(_ workload: BenchmarkWorkload) -> String {
    "\(workload.pass), \(workload.layout), \(workload.threads) thread\(workload.threads == 1 ? "" : "s")"
  }

  private func cell(_ workload: BenchmarkWorkload, _ engine: String) -> String {
    guard let contestant = workload.contestant(engine) else { return "" }
    guard let time = contestant.time else {
      return contestant.status == .unsupported ? "–" : contestant.status.rawValue
    }
    let isMarked = !section.isDoubtful && workload.isAmongBest(engine)
    return (isMarked ? "*" : "") + String(format: "%.3f", time.medianNanoseconds * 1e-6)
      + contestant.mark
  }

  private var totals: [String] {
    guard !section.totals.isEmpty else { return [] }
    let names = section.engines.map(\.name) + [NetworkTotal.bestMix]
    let rows = section.totals.map { total in
      [
        "\(total.network) n\(total.batch) t\(total.threads) \(total.pass) \(total.layout)",
        "\(total.convolutions)",
      ]
        + names.map { name in
          guard let entry = total.entries.first(where: { $0.engine == name }) else { return "–" }
          return String(format: "%.2f", entry.nanoseconds * 1e-6)
            + entry.mark + (entry.substituted > 0 ? " (\(entry.substituted))" : "")
        }
    }
    return [
      "",
      "Convolutions of each network added up, milliseconds ((n): convolutions that \(section.options.baseline) does for it):",
    ] + TextTable(["network", "convs"] + names, rows).lines
  }

  private var networks: [String] {
    WholeNetworkTable.tables(section).flatMap { table in
      ["", "\(table.title). \(table.caption)"]
        + TextTable(table.headings, table.rows, words: WholeNetworkTable.words).lines
    }
  }

  /// The best strategy beside the fastest peer, where there are peers.
  private var peers: [String] {
    PeerComparison.comparisons(of: section).flatMap { comparison in
      ["", "Best strategy and fastest peer, \(comparison.setting):"]
        + TextTable(PeerComparison.headings, comparison.cells).lines + [comparison.summary]
    }
  }

  private var audits: [String] {
    guard let table = AuditTable(section) else { return [] }
    return ["", "Audits. \(table.caption)"] + TextTable(table.headings, table.rows, words: 2).lines
  }

  private var problems: [String] {
    section.workloads.flatMap { workload in
      workload.contestants.filter { $0.status.isFault }.flatMap { contestant in
        let title = "\(contestant.status.rawValue.uppercased()) \(contestant.engine) on \(workload.name)"
        return [color.bad(title.printable)] + FailureText.details(contestant).map { "  \($0)" }
      }
    }
  }
}
