import Results

/// The part of the page that says what changed since the run before.
enum ChangesPage {
  private static let most = 300

  static func section(_ record: ChangesRecord) -> HTMLPage.Section {
    let table = ChangesTable(record)
    var tables: [HTMLPage.Table] = []
    if !record.changes.isEmpty {
      tables.append(
        .init(
          title: "Times that changed", caption: ChangesTable.caption + cut(record.changes.count),
          headings: ChangesTable.headings,
          rows: table.rows.prefix(most).map { row in
            let style = row[6] == "slower" ? "bad" : "good"
            return .init(
              cells: row.enumerated().map { column, text in
                .init(text, column == 0 ? "code" : column == 1 ? "line" : column == 6 ? style : "num")
              })
          }))
    }
    if !record.statuses.isEmpty {
      tables.append(
        .init(
          title: "Golden results that ended otherwise",
          caption: "What fails now comes first." + cut(record.statuses.count),
          headings: ChangesTable.statusHeadings,
          rows: table.statusRows.prefix(most).map { row in
            let bad = row[4] == VerificationStatus.fail.rawValue || row[4] == VerificationStatus.error.rawValue
            return .init(
              cells: row.enumerated().map { column, text in
                .init(text, column == 0 ? "code" : column == 4 ? (bad ? "bad" : "good") : "line")
              })
          }))
    }
    let remarks = table.remarks
    let fold = HTMLPage.Fold(
      title: "What was not compared (\(remarks.count))", isOpen: record.refusals.isEmpty == false && remarks.count <= 8,
      tables: [
        .init(
          title: "", caption: cut(remarks.count), headings: ["why"],
          rows: remarks.prefix(most).map { .init(cells: [.init($0, "words")]) })
      ])
    return HTMLPage.Section(
      anchor: "changes", title: "What changed", intro: table.summary, tables: tables,
      folds: remarks.isEmpty ? [] : [fold])
  }

  private static func cut(_ count: Int) -> String {
    count > most ? " The first \(most) of \(count); run.json has all." : ""
  }
}
