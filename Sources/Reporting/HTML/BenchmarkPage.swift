import Results

/// The benchmark's part of the page.
enum BenchmarkPage {
  static func sections(_ section: BenchmarkSection, _ provenance: Provenance) -> [HTMLPage.Section] {
    let settings = BenchmarkSetting.settings(of: section)
    var layers = HTMLPage.Section(
      anchor: "layers", title: "Layer by layer",
      intro:
        "Each distinct convolution alone, every contestant verified on it first, all of them in interleaved blocks.")
    var networks = HTMLPage.Section(
      anchor: "networks", title: "Network by network", intro: "What the layers add up to at each depth.")
    var limits = HTMLPage.Section(
      anchor: "limits", title: "Against the machine's limits",
      intro: "How near the arithmetic and the memory of this machine each engine comes.")
    var peers = HTMLPage.Section(
      anchor: "peers", title: "Peers", intro: "Other frameworks through the same protocol, verified and timed alike.")
    var costs = HTMLPage.Section(
      anchor: "costs", title: "Accuracy and memory", intro: "What speed costs in error and in scratch memory.")
    var tables = HTMLPage.Section(
      anchor: "tables", title: "All figures",
      intro: "Medians of blocks with their intervals. Each line's command measures it again.")
    for (setting, all) in settings {
      tables.tables.append(table(all, section, provenance, setting))
      if let failures = failures(all, section, provenance, setting) { layers.tables.append(failures) }
      let workloads = all.filter { !$0.isWholeNetwork }
      guard !workloads.isEmpty else { continue }
      if let figure = HeatMap.figure(workloads, section, setting: setting.name) { layers.figures.append(figure) }
      if let figure = DotCharts.peers(workloads, section, setting: setting.name) { peers.figures.append(figure) }
      if let figure = RooflineChart.figure(
        workloads, section, threads: setting.threads, title: "Roofline: \(setting.name)")
      {
        limits.figures.append(figure)
      }
      if let figure = ScatterCharts.accuracy(workloads, section, setting: setting.name) { costs.figures.append(figure) }
      if let figure = ScatterCharts.workspace(workloads, section, setting: setting.name) {
        costs.figures.append(figure)
      }
      layers.tables.append(best(workloads, section, setting))
      let totals = section.totals.filter {
        $0.batch == setting.batch && $0.pass == setting.pass && $0.layout == setting.layout
          && $0.threads == setting.threads
      }
      if let figure = TotalsChart.figure(totals, section, setting: setting.name) { networks.figures.append(figure) }
    }
    peers.tables = PeerComparison.comparisons(of: section).map { comparison in
      HTMLPage.Table(
        title: "Best strategy and fastest peer: \(comparison.setting)", caption: comparison.summary,
        headings: PeerComparison.headings,
        rows: comparison.cells.map { cells in
          HTMLPage.Row(
            cells: cells.enumerated().map { column, text in
              .init(text, column == 0 ? "code" : [2, 4, 5].contains(column) ? "num" : "line")
            })
        })
    }
    let audits = HTMLPage.Section(
      anchor: "audits", title: "Audits",
      intro: "Whether what was timed is what was verified: rules that each contestant was held to while it was timed.",
      tables: AuditTable(section).map { [rules($0)] } ?? [])
    return [WholeNetworkPage.section(section), networks, layers, peers, limits, costs, audits, tables]
      .filter { !$0.figures.isEmpty || !$0.tables.isEmpty }
  }

  private static func rules(_ table: AuditTable) -> HTMLPage.Table {
    HTMLPage.Table(
      title: "Rules and engines", caption: table.caption, headings: table.headings,
      rows: table.rows.map { row in
        HTMLPage.Row(
          cells: row.enumerated().map { column, text in
            .init(text, text.contains(AuditVerdict.violated.rawValue) ? "bad" : column < 2 ? "line" : "num")
          })
      })
  }

  /// The best strategy of each shape, and how often each depth has that shape.
  private static func best(
    _ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, _ setting: BenchmarkSetting
  ) -> HTMLPage.Table {
    let networks = section.networks.filter { network in
      network.batch == setting.batch
        && network.layers.contains { layer in workloads.contains { $0.problem == layer.problem } }
    }
    let rows = workloads.map { workload in
      let best = workload.best.flatMap { workload.contestant($0) }
      let time = best?.time
      let names = networks.compactMap { network in network.layers.first { $0.problem == workload.problem }?.name }
      return HTMLPage.Row(
        cells: [
          .init(BenchmarkText.shape(workload.problem), "code"), .init(names.first ?? ""),
          .init(workload.bestText, "line"),
          .figure(time.map { BenchmarkText.milliseconds($0.medianNanoseconds) } ?? ""),
          .figure(time.map(BenchmarkText.speedup) ?? ""),
          .figure(time.map { BenchmarkText.ratio($0.equivalentGigaflops) } ?? ""),
          .figure(workload.limitNanoseconds.map(BenchmarkText.milliseconds) ?? ""),
          .init(workload.limitText, "line"),
        ]
          + networks.map { network in
            let count = network.layers.first { $0.problem == workload.problem }?.multiplicity
            return .figure(count.map { "\($0)" } ?? "–")
          })
    }
    return HTMLPage.Table(
      title: "Best strategy for each shape: \(setting.name)",
      caption:
        "Best and the speed-up come from one figure, the median of the blocks' ratios. A tie: the interval of the ratio to the "
        + "best one spans 1, or there are too few blocks for one. Limit: the least time of any algorithm that Assay knows. The "
        + "last columns: how often each network has the shape.",
      headings: ["shape", "first at", "best", "ms", "over \(section.options.baseline)", "GF/s", "limit ms", "by"]
        + networks.map { $0.name.replacing("resnet", with: "×") }, rows: rows)
  }

  /// What verification or the audit found of each contestant that has no time because of it, where the heat map's marks
  /// lead to.
  private static func failures(
    _ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, _ provenance: Provenance,
    _ setting: BenchmarkSetting
  ) -> HTMLPage.Table? {
    let rows = workloads.flatMap { workload in
      workload.contestants.filter { $0.status.isFault }.map { contestant in
        let command = BenchmarkReproduction.command(contestant, on: workload, of: section, provenance)
        return HTMLPage.Row(
          cells: [
            .init(BenchmarkText.shape(workload.problem), "code"), .init(contestant.engine, "line"),
            .init(contestant.status.rawValue, "bad"),
            .init(FailureText.details(contestant).joined(separator: "\n"), "code lines"),
            .init("\(command)", "code"),
          ], anchor: BenchmarkText.anchor(workload, contestant.engine))
      }
    }
    guard !rows.isEmpty else { return nil }
    return HTMLPage.Table(
      title: "Wrong, failed or caught, so without a time: \(setting.name)",
      caption:
        "What verification found before anything was timed, or the audit while it was. Each line's command shows it again.",
      headings: ["shape", "engine", "", "what was found", "command"], rows: rows, style: "commands")
  }

  private static func table(
    _ workloads: [BenchmarkWorkload], _ section: BenchmarkSection, _ provenance: Provenance,
    _ setting: BenchmarkSetting
  ) -> HTMLPage.Table {
    var rows: [HTMLPage.Row] = []
    for workload in workloads {
      for contestant in workload.contestants where contestant.status != .unsupported {
        rows.append(row(workload, contestant, section, provenance))
      }
      let idle = workload.contestants.filter { $0.status == .unsupported }.map(\.engine)
      if !idle.isEmpty {
        rows.append(
          .init(cells: [
            .init(BenchmarkText.shape(workload.problem), "code"),
            .init(text: "not done by " + idle.joined(separator: ", "), style: "", span: 13),
          ]))
      }
    }
    return HTMLPage.Table(
      title: setting.name,
      caption:
        "Interval: \(BenchmarkText.percent(section.options.confidence)) or more for the median. GF/s: direct-equivalent; "
        + "in brackets what the multiplication really does; a share of the peak above 1 can only be of equivalent work, and "
        + "is marked. Limit: the least time that the measured ceilings allow to any algorithm that Assay knows, and the share "
        + "of it that is reached. Trust: who held the clock; a time marked with ? is claimed by the engine alone.",
      headings: [
        "shape", "engine", "median ms", "interval", "GF/s", "of peak", "limit ms", "of limit", "GB/s", "MiB",
        "error/bound", "trust", "what ran", "command",
      ], rows: rows, style: "commands")
  }

  private static func row(
    _ workload: BenchmarkWorkload, _ contestant: BenchmarkContestant, _ section: BenchmarkSection,
    _ provenance: Provenance
  ) -> HTMLPage.Row {
    let shape = HTMLPage.Cell(BenchmarkText.shape(workload.problem), "code")
    guard let time = contestant.time else {
      return .init(cells: [
        shape, .init(contestant.engine, "line"),
        .init(text: "\(contestant.status.rawValue): \(contestant.message)", style: "bad", span: 12),
      ])
    }
    let interval = time.lowerNanoseconds.flatMap { low in
      time.upperNanoseconds.map { "\(BenchmarkText.milliseconds(low)) to \(BenchmarkText.milliseconds($0))" }
    }
    let command = BenchmarkReproduction.command(contestant, on: workload, of: section, provenance)
    return .init(cells: [
      shape, .init(contestant.engine, workload.isAmongBest(contestant.engine) ? "line good" : "line"),
      .figure(BenchmarkText.milliseconds(contestant, time)), .figure(interval ?? "too few blocks"),
      .figure(
        BenchmarkText.ratio(time.equivalentGigaflops)
          + (time.actualGigaflops.map { " (\(BenchmarkText.ratio($0)))" } ?? "")),
      .figure(BenchmarkText.peak(time)),
      .figure(workload.limitNanoseconds.map(BenchmarkText.milliseconds) ?? ""),
      .figure(BenchmarkText.limit(time, workload)),
      .figure(BenchmarkText.ratio(time.gigabytesPerSecond)),
      .figure(BenchmarkText.mebibytes(contestant.workspaceBytes)),
      .figure(contestant.worstRatio.map(NumberText.short) ?? ""),
      .init(contestant.trust?.rawValue ?? "", contestant.isClaimed ? "doubtful" : ""),
      .init(contestant.summary, "line"),
      .init("\(command)", "code"),
    ])
  }
}
