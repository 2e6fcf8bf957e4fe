import Results

/// What changed since an earlier run, as Markdown.
enum ChangesMarkdown {
  private static let most = 100

  static func lines(_ record: ChangesRecord) -> [String] {
    let table = ChangesTable(record)
    var lines = ["## What changed", "", MarkdownText.inline(table.summary), ""]
    if !record.changes.isEmpty {
      lines += [ChangesTable.caption, ""] + markdown(ChangesTable.headings, table.rows, words: 2)
    }
    if !record.statuses.isEmpty { lines += markdown(ChangesTable.statusHeadings, table.statusRows, words: 5) }
    let remarks = table.remarks
    guard !remarks.isEmpty else { return lines }
    lines += remarks.prefix(20).map { "- \(MarkdownText.inline($0))" }
    if remarks.count > 20 { lines.append("- and \(remarks.count - 20) more") }
    return lines + [""]
  }

  private static func markdown(_ headings: [String], _ rows: [[String]], words: Int) -> [String] {
    let shown = rows.prefix(most).map { $0.map(MarkdownText.inline) }
    return TextTable(headings, Array(shown), words: words).markdown
      + (rows.count > most ? ["The first \(most) of \(rows.count).", ""] : [])
  }
}
