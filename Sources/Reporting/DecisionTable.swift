import Results

/// Which strategy to take, as cells: by class of layers, and layer by layer.
struct DecisionTable {
  private let section: BenchmarkSection
  private let provenance: Provenance
  let classes: [DecisionClass]

  /// `nil` where the times decide nothing, or none of them is of a layer.
  init?(_ section: BenchmarkSection, _ provenance: Provenance) {
    guard !section.isDoubtful else { return nil }
    classes = DecisionClass.classes(of: section)
    guard !classes.isEmpty else { return nil }
    self.section = section
    self.provenance = provenance
  }

  static let classCaption =
    "Layers with the same kernel, stride and size of image. Take: the strategy that nobody certainly beats on any layer of the "
    + "class; where there is none, the one that loses least. A tie: the intervals of the blocks' ratios span 1. Error/bound and "
    + "MiB of workspace are the largest, the share of the limit is the median."
  /// What the last column is, where it is shown.
  static let commandCaption = "The command times the class's longest layer again, with the strategies in question."

  static let classHeadings = [
    "kernel, stride", "image edge", "take", "why", "layers", "of limit", "error/bound", "MiB", "timed as", "command",
  ]
  /// Columns that hold figures.
  static let classFigures: Set<Int> = [4, 5, 6, 7]

  var classRows: [[String]] {
    classes.map { found in
      let names =
        found.choice.map(\.engine)
        + found.standings.map(\.engine).filter { name in
          !found.choice.contains { $0.engine == name }
        }.prefix(1)
      let command = found.heaviest.map { again($0.workload, names) } ?? ""
      return [
        found.kind, found.size, found.choiceText, found.reason, "\(found.decisions.count)",
        found.limitShare.map(BenchmarkText.percent) ?? "–", found.worstError.map(NumberText.short) ?? "–",
        found.mostWorkspace.map { BenchmarkText.workspace($0, section) } ?? "–", found.setting.name, command,
      ]
    }
  }

  static let layerCaption =
    "Faster than: the fastest strategy that is certainly slower, the median of the blocks' ratios with its interval. A tie: the "
    + "interval of the ratio to the best one spans 1, or there are too few blocks for one. Limit: the least time of any algorithm "
    + "that Assay knows, what it is set by, and the share of it that is reached."

  /// Of the layers of one setting.
  func layerHeadings(_ networks: [BenchmarkNetwork]) -> [String] {
    [
      "layer", "first at", "take", "ms", "faster than", "over \(section.options.baseline)", "GF/s", "limit ms",
      "of limit",
      "error/bound", "MiB",
    ] + (hasPeers ? ["faster elsewhere"] : []) + networks.map { $0.name.replacing(/^[a-z_]+(?=\d)/, with: "×") }
      + ["command"]
  }

  private var hasPeers: Bool { section.engines.contains { !$0.isBuiltIn } }

  func layerRow(_ decision: Decision, _ networks: [BenchmarkNetwork]) -> [HTMLPage.Cell] {
    let (workload, time) = (decision.workload, decision.time)
    let counts = networks.map { network in network.layers.first { $0.problem == workload.problem } }
    var cells: [HTMLPage.Cell] = [
      .init(BenchmarkText.shape(workload.problem), "code"), .init(counts.compactMap { $0?.name }.first ?? "", "line"),
      .init(decision.choice, decision.isTie ? "words" : "line good"),
      .figure(BenchmarkText.milliseconds(time.medianNanoseconds)), .init(decision.margin, "line"),
      .figure(BenchmarkText.speedup(time)), .figure(BenchmarkText.gigaflops(time)),
      .figure(workload.limitNanoseconds.map(BenchmarkText.milliseconds) ?? "–"),
      .figure(BenchmarkText.limit(time, workload)),
      .figure(decision.contestant.worstRatio.map(NumberText.short) ?? "–"),
      .figure(BenchmarkText.workspace(decision.contestant, section)),
    ]
    if hasPeers {
      cells.append(.init(decision.elsewhere, "line"))
    }
    cells += counts.map { .figure($0.map { "\($0.multiplicity)" } ?? "–") }
    let names =
      [decision.contestant.engine] + decision.ties + [decision.next?.engine, decision.ahead?.engine].compactMap { $0 }
    cells.append(.init(again(workload, names), "code"))
    return cells
  }

  private func again(_ workload: BenchmarkWorkload, _ names: [String]) -> String {
    let contestants = names.compactMap { workload.contestant($0) }
    return "\(BenchmarkReproduction.command(contestants, on: workload, of: section, provenance))"
  }

  /// What the run answers in one sentence: who is the fastest where.
  static func answer(_ section: BenchmarkSection) -> String? {
    guard !section.isDoubtful else { return nil }
    let decisions = section.workloads.filter { !$0.isWholeNetwork }.compactMap { Decision($0, section) }
    guard !decisions.isEmpty else { return nil }
    let alone = Dictionary(grouping: decisions.filter { !$0.isTie }) { $0.contestant.engine }
      .sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { "\($0.key) \($0.value.count)" }
    let ties = decisions.count(where: \.isTie)
    let ahead = decisions.count { $0.ahead != nil }
    return "fastest on \(decisions.count) layer\(decisions.count == 1 ? "" : "s"): "
      + (alone + (ties > 0 ? ["a tie \(ties)"] : [])).joined(separator: ", ")
      + (ahead > 0 ? "; on \(ahead) another engine is faster than every strategy" : "")
  }
}
