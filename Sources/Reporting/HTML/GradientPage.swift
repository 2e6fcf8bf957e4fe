import Results

/// The gradients' part of the page.
enum GradientPage {
  static func section(_ section: GradientSection) -> HTMLPage.Section {
    let shown = section.records.prefix(400)
    let rows = shown.map { record in
      let tensors = record.tensors
      let methods = Set(tensors.map { "\($0.method.rawValue)" }).sorted().joined(separator: ", ")
      let worst = tensors.map(\.worstRatio).filter(\.isFinite).max()
      let resolution = tensors.map(\.worstResolution).filter(\.isFinite).max()
      return HTMLPage.Row(cells: [
        .init(record.name, "code"), .init("\(record.engine), \(record.dtype)"), .init(methods),
        .figure("\(tensors.reduce(0) { $0 + $1.elementCount })"),
        .figure("\(tensors.reduce(0) { $0 + $1.kinkCount })"), .figure(worst.map(NumberText.short) ?? "–"),
        .figure(resolution.map(NumberText.short) ?? "–"),
        .init(record.verdict.rawValue, style(record.verdict.rawValue)),
      ])
    }
    let failures = section.records.filter { ["FAIL", "ERROR"].contains($0.verdict.rawValue.uppercased()) }
    var tables = [
      HTMLPage.Table(
        title: "Checked gradients",
        caption: section.records.count > shown.count
          ? "The first \(shown.count) of \(section.records.count); run.json has all."
          : "Resolution: the bound of an element by its size, at worst. Difference/bound: 1 would fail.",
        headings: ["case", "engine", "method", "elements", "kinks", "difference/bound", "resolution", "verdict"],
        rows: Array(rows))
    ]
    if !failures.isEmpty {
      tables.append(
        HTMLPage.Table(
          title: "Failures", caption: "", headings: ["case", "what is wrong", "command"],
          rows: failures.prefix(100).map { record in
            let reasons = [record.reason].compactMap { $0 } + record.tensors.compactMap(\.reason)
            return HTMLPage.Row(cells: [
              .init(record.name, "code"), .init(reasons.joined(separator: "; ")), .init(record.reproduce ?? "", "code"),
            ])
          }))
    }
    return HTMLPage.Section(
      anchor: "gradients", title: "Gradients",
      intro:
        "Analytic gradients held against exact adjoints, dual numbers and finite differences with an error bound each.",
      tables: tables)
  }

  private static func style(_ verdict: String) -> String {
    switch verdict.uppercased() {
    case "PASS": "good"
    case "FAIL", "ERROR": "bad"
    default: "doubtful"
    }
  }
}
