import Results

/// The benchmark's part of the page.
enum BenchmarkPage {
  static func sections(_ section: BenchmarkSection, _ provenance: Provenance, engine: String?) -> [HTMLPage.Section] {
    var layers = HTMLPage.Section(
      anchor: "layers", title: "Layer by layer",
      intro:
        "Each distinct problem alone, every contestant verified on it first, all of them in interleaved blocks.")
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
    let settings = BenchmarkSetting.settings(of: section)
    let layered = settings.map { ($0.0, $0.1.filter { !$0.isWholeNetwork }) }.filter { !$0.1.isEmpty }
    func folds(_ content: (BenchmarkSetting, [BenchmarkWorkload]) -> [HTMLPage.Figure?]) -> [HTMLPage.Fold] {
      layered.map { HTMLPage.Fold(title: $0.0.title, figures: content($0.0, $0.1).compactMap { $0 }) }
    }
    networks.fold(
      folds { setting, _ in [TotalsChart.figure(totals(section, setting), section, setting: setting.name)] })
    layers.fold(folds { [HeatMap.figure($1, section, setting: $0.name)] })
    let comparisons = PeerComparison.comparisons(of: section)
    peers.fold(
      layered.map { setting, workloads in
        HTMLPage.Fold(
          title: setting.title,
          figures: [DotCharts.peers(workloads, section, setting: setting.name)].compactMap { $0 },
          tables: comparisons.filter { $0.setting == setting.name }.map(table))
      })
    limits.fold(
      folds { setting, workloads in
        [
          RooflineChart.figure(
            workloads, section, threads: setting.threads, title: "Roofline: \(setting.name)")
        ]
      })
    costs.fold(
      folds {
        [
          ScatterCharts.accuracy($1, section, setting: $0.name), ScatterCharts.workspace($1, section, setting: $0.name),
        ]
      })
    tables.fold(
      settings.map { setting, workloads in
        HTMLPage.Fold(title: setting.title, tables: [table(workloads, section, provenance, setting)])
      })
    let audits = HTMLPage.Section(
      anchor: "audits", title: "Audits",
      intro: "Whether what was timed is what was verified: rules that each contestant was held to while it was timed.",
      tables: AuditTable(section).map { [rules($0)] } ?? [])
    return
      ([
        DecisionPage.section(section, provenance, layered),
        WholeNetworkPage.section(section), networks, layers, EnginePage.section(section, provenance, engine: engine),
        peers,
        limits, costs, audits, tables,
      ] as [HTMLPage.Section?]).compactMap { $0 }.filter { !$0.isBare }
  }

  private static func totals(_ section: BenchmarkSection, _ setting: BenchmarkSetting) -> [NetworkTotal] {
    section.totals.filter {
      $0.batch == setting.batch && $0.pass == setting.pass && $0.layout == setting.layout
        && $0.threads == setting.threads
    }
  }

  private static func table(_ comparison: PeerComparison) -> HTMLPage.Table {
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
            .init(text: "not done by " + idle.joined(separator: ", "), style: "", span: 12),
          ]))
      }
    }
    return HTMLPage.Table(
      title: setting.name,
      caption:
        "Interval: \(BenchmarkText.percent(section.options.confidence)) or more for the median. GF/s: direct-equivalent; "
        + "in brackets what the multiplication really does. Of peak: the share of the measured peak; above 1 it can only be of "
        + "equivalent work, and is marked. Limit: the least time that the measured ceilings allow to any algorithm that Assay "
        + "knows, and the share of it that is reached; = where the peak's share is the same. "
        + "MiB: workspace; – where an engine does not tell. Trust: who held the clock; a time marked with ? is claimed by the "
        + "engine alone.",
      headings: [
        "shape", "engine", "median ms", "interval", "GF/s", "of peak", "of limit", "GB/s", "MiB",
        "error/bound", "trust", "what ran", "command",
      ], rows: rows)
  }

  private static func row(
    _ workload: BenchmarkWorkload, _ contestant: BenchmarkContestant, _ section: BenchmarkSection,
    _ provenance: Provenance
  ) -> HTMLPage.Row {
    let shape = HTMLPage.Cell(BenchmarkText.shape(workload.problem), "code")
    guard let time = contestant.time else {
      return .init(cells: [
        shape, .init(contestant.engine, "line"),
        .init(text: "\(contestant.status.rawValue): \(contestant.message)", style: "bad", span: 11),
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
        BenchmarkText.gigaflops(time)
          + (time.actualGigaflops.map { " (\(BenchmarkText.ratio($0)))" } ?? "")),
      .figure(BenchmarkText.peak(time, workload)),
      .figure(BenchmarkText.limit(time, workload)),
      .figure(BenchmarkText.ratio(time.gigabytesPerSecond)),
      .figure(BenchmarkText.workspace(contestant, section)),
      .figure(contestant.worstRatio.map(NumberText.short) ?? "–"),
      .init(contestant.trust?.rawValue ?? "", contestant.isClaimed ? "doubtful" : ""),
      .init(contestant.summary, "line"),
      .init("\(command)", "code"),
    ])
  }
}
