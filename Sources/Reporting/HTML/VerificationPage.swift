import Results

/// Verification's part of the page.
enum VerificationPage {
  static func section(_ section: VerificationSection) -> HTMLPage.Section {
    var tables = [summary(section)]
    if let widenings = widenings(section) { tables.append(widenings) }
    if let networks = networks(section) { tables.append(networks) }
    if !section.vacuity.isEmpty { tables.append(vacuity(section)) }
    let fresh = section.files.filter(\.isFresh)
    let made = fresh.map { " and \($0.caseCount) fresh cases" }.joined()
    let leftOut = section.leftOutText.map { "; \($0)" } ?? ""
    let (cards, rest) = FailureCards.cards(FailureGroup.groups(of: section))
    return HTMLPage.Section(
      anchor: "verification", title: "Verification",
      intro:
        "\(section.results.count) results on \(section.files.count - fresh.count) golden files\(made) by "
        + "\(section.engines.count) engine\(section.engines.count == 1 ? "" : "s"), each element held against its own error bound\(leftOut).",
      cards: cards,
      tables: tables,
      folds: [rest, excused(section)].compactMap { $0 })
  }

  /// A line for each engine and operation.
  private static func summary(_ section: VerificationSection) -> HTMLPage.Table {
    struct Key: Hashable, Comparable {
      var engine: String
      var operation: String
      static func < (a: Key, b: Key) -> Bool { (a.engine, a.operation) < (b.engine, b.operation) }
    }
    let groups = Dictionary(grouping: section.results) { Key(engine: $0.engine, operation: $0.operation) }
    let statuses = VerificationSummary(section).statuses
    let rows = groups.keys.sorted().map { key in
      let results = groups[key] ?? []
      let ratios = results.filter { $0.status == .pass }.flatMap(\.tensors).map(\.worstRatio).filter(\.isFinite)
      return HTMLPage.Row(
        cells: [.init(key.engine), .init(key.operation)]
          + statuses.map { status in
            let count = results.count { $0.status == status }
            let style =
              switch status {
              case .fail, .error: " bad"
              case .notRun: " doubtful"
              case .pass, .refused, .unsupported: ""
              }
            return .init("\(count)", "num" + (count > 0 ? style : ""))
          } + [.figure(ratios.max().map(NumberText.short) ?? "–")])
    }
    return HTMLPage.Table(
      title: "Engines and operations",
      caption:
        "Error/bound: the largest of all passing tensors; 1 would fail. UNSUPPORTED is what an engine declared it does "
        + "not do; it is counted, not hidden.",
      headings: ["engine", "operation"] + statuses.map(\.rawValue) + ["error/bound"], rows: rows)
  }

  private static func widenings(_ section: VerificationSection) -> HTMLPage.Table? {
    let rows = WideningTable(section).rows
    guard !rows.isEmpty else { return nil }
    return HTMLPage.Table(
      title: "Bounds of the engines' own algorithms", caption: WideningTable.caption, headings: WideningTable.headings,
      rows: rows.map { row in
        HTMLPage.Row(
          cells: row.enumerated().map { column, text in
            column < WideningTable.firstFigure ? .init(text) : .figure(text)
          })
      })
  }

  private static func networks(_ section: VerificationSection) -> HTMLPage.Table? {
    let table = NetworkTable(section)
    guard !table.rows.isEmpty else { return nil }
    return HTMLPage.Table(
      title: "Networks by depth", caption: table.caption, headings: NetworkTable.headings,
      rows: table.rows.map { row in
        HTMLPage.Row(
          cells: row.cells.enumerated().map { column, text in
            column < NetworkTable.firstFigure ? .init(text, column == 0 ? "code" : "") : .figure(text)
          })
      })
  }

  /// Failures that are known, each with its reason.
  private static func excused(_ section: VerificationSection) -> HTMLPage.Fold? {
    let known = section.results.filter { $0.knownFailure != nil }
    guard !known.isEmpty else { return nil }
    let shown = known.prefix(200)
    return HTMLPage.Fold(
      title: "\(known.count) known failure\(known.count == 1 ? "" : "s")",
      tables: [
        HTMLPage.Table(
          title: "Known failures",
          caption: known.count > shown.count ? "The first \(shown.count) of \(known.count); run.json has all." : "",
          headings: ["case", "engine", "status", "reason", "command"],
          rows: shown.map { result in
            HTMLPage.Row(cells: [
              .init(result.name, "code"), .init("\(result.engine), \(result.dtype)", "line"),
              .init(result.status.rawValue, "doubtful"), .init(result.knownFailure ?? "", "words"),
              .init(result.reproduce, "code"),
            ])
          })
      ])
  }

  private static func vacuity(_ section: VerificationSection) -> HTMLPage.Table {
    HTMLPage.Table(
      title: "Would the corpus notice?",
      caption:
        "For each operation: defects that a case notices, defects that no case notices, and defects that cannot show here.",
      headings: ["operation", "noticed", "unnoticed", "not judged"],
      rows: section.vacuity.map { record in
        HTMLPage.Row(cells: [
          .init(record.operation),
          .init(record.noticedBy.filter { !$0.value.isEmpty }.keys.sorted().joined(separator: ", ")),
          .init(record.unnoticed.joined(separator: ", "), record.isVacuous ? "bad" : ""),
          .init(record.notJudged.keys.sorted().joined(separator: ", ")),
        ])
      })
  }
}
