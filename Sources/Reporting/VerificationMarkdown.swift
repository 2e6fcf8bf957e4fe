import Results

/// The verification section of `report.md`.
struct VerificationMarkdown {
  private let section: VerificationSection
  private let summary: VerificationSummary

  init(_ section: VerificationSection) {
    self.section = section
    summary = VerificationSummary(section)
  }

  var lines: [String] {
    [
      verdict, failures, counts, fills, accuracy, widenings, networks, excused, unsupported, overrides, vacuity,
      calibration,
      files,
    ].flatMap { $0 }
  }

  private var verdict: [String] {
    let conclusion = section.conclusion
    let dtypes = Set(section.results.map(\.dtype)).sorted().joined(separator: " and ")
    return [
      "## Verification", "",
      "\(MarkdownReport.verdict(conclusion)). \(section.results.count) results: \(Set(section.results.map { $0.file + $0.name }).count) cases, "
        + "\(MarkdownText.inline(section.engines.map(\.name).joined(separator: ", "))), \(dtypes); \(NumberText.short(section.seconds)) s; exit code "
        + "\(conclusion.outcome.exitCode).", "",
    ] + (section.leftOutText.map { ["- \(MarkdownText.inline($0))", ""] } ?? [])
  }

  private var counts: [String] {
    let statuses = summary.statuses
    let headings = ["operation", "engine"] + statuses.map(\.rawValue) + ["known failures", "omitted tensors"]
    let rows = summary.rows.map { row in
      var cells = [MarkdownText.inline(row.operation), MarkdownText.inline(row.engine)]
      cells += statuses.map { "\(row[$0])" }
      return cells + ["\(row.excused)", "\(row.omittedTensors)"]
    }
    return ["### Results", ""] + TextTable(headings, rows, words: 2).markdown
  }

  private var fills: [String] {
    let names = ["exact", "random", "adversarial"]
    let first = summary.rows.filter { $0.engine == section.engines.first?.name }
    var rows = first.map { row in
      let counts = names.map { row.fills[$0] ?? 0 } + [row.fills.values.reduce(0, +)]
      return [MarkdownText.inline(row.operation)] + counts.map(String.init)
    }
    let totals = names.map { name in first.reduce(0) { $0 + ($1.fills[name] ?? 0) } }
    rows.append(["all"] + totals.map(String.init) + ["\(totals.reduce(0, +))"])
    return ["### Cases by fill", ""] + TextTable(["operation"] + names + ["all"], rows).markdown
  }

  private var accuracy: [String] {
    let rows = summary.rows.map { row in
      [MarkdownText.inline(row.operation), MarkdownText.inline(row.engine), "\(row.elements)"]
        + [row.medianRatio, row.worstRatio].map(NumberText.short) + [NumberText.ulps(row.worstUlps)]
    }
    let headings = ["operation", "engine", "elements", "median error/bound", "worst error/bound", "worst ULPs"]
    return [
      "### Accuracy", "",
      "error/bound: 1 is the limit. The median is over tensors, of each one's worst element.", "",
    ] + TextTable(headings, rows, words: 2).markdown
  }

  private var widenings: [String] {
    let rows = WideningTable(section).rows
    guard !rows.isEmpty else { return [] }
    return ["### Bounds of the engines' own algorithms", "", WideningTable.caption, ""]
      + TextTable(
        WideningTable.headings, rows.map { $0.map(MarkdownText.inline) }, words: WideningTable.firstFigure
      ).markdown
  }

  private var networks: [String] {
    let table = NetworkTable(section)
    guard !table.rows.isEmpty else { return [] }
    return ["### Networks by depth", "", table.caption, ""]
      + TextTable(NetworkTable.headings, table.rows.map(\.cells), words: NetworkTable.firstFigure).markdown
  }

  /// Those of one kind together: the simplest case in full, the others by their names and commands.
  private var failures: [String] {
    let groups = FailureGroup.groups(of: section)
    guard !groups.isEmpty else { return [] }
    var lines = ["### Failures", ""]
    for group in groups {
      if group.results.count > 1 {
        lines.append("- **\(MarkdownText.inline(group.title))** (\(MarkdownText.inline(group.extent))). The simplest:")
        lines.append("  \(MarkdownText.inline(FailureText.headline(group.representative)))")
      } else {
        lines.append("- \(MarkdownText.inline(FailureText.firstLine(group)))")
      }
      lines += MarkdownText.block(
        FailureText.details(group.representative, withCause: group.cause == nil))
      if let cause = group.cause, group.results.count > 1 {
        lines += ["", "  \(MarkdownText.inline("The same mistake gives it \(cause.basis)."))"]
      }
      guard !group.others.isEmpty else { continue }
      lines += ["", "  <details><summary>\(group.others.count) more</summary>", ""]
      lines += MarkdownText.block(group.others.map(Self.line))
      lines += ["", "  </details>"]
    }
    return lines + [""]
  }

  /// Name, engine, and the command: on one line.
  private static func line(_ result: CaseResult) -> String {
    let command = result.reproduce.isEmpty ? "" : "  repeat: \(result.reproduce)"
    return FailureText.headline(result) + command
  }

  private var excused: [String] {
    let excused = section.results.filter { $0.knownFailure != nil }
    guard !(excused.isEmpty && section.staleKnownFailures.isEmpty) else { return [] }
    var lines = ["### Known failures", ""]
    lines += section.staleKnownFailures.map { "- \(MarkdownText.inline("\($0.engine) \($0.caseGlob): \($0.problem)"))" }
    lines += excused.map { "- \(MarkdownText.inline("\(FailureText.headline($0)): \($0.knownFailure ?? "")"))" }
    return lines + [""]
  }

  private var unsupported: [String] {
    let unsupported = section.results.filter { $0.status == .unsupported }
    guard !unsupported.isEmpty else { return [] }
    let groups = Dictionary(grouping: unsupported) { "\($0.engine): \($0.message)" }
    var lines = ["### Unsupported", ""]
    for (reason, results) in groups.sorted(by: { $0.key < $1.key }) {
      lines.append("- \(MarkdownText.inline(reason)): \(results.count)")
    }
    return lines + [""]
  }

  private var overrides: [String] {
    let rows = Set(
      section.results.flatMap { result in
        result.tensors.filter { $0.overrideReason != nil }.map {
          ["\(result.name)/\($0.path)", $0.rule, $0.overrideReason ?? ""].map(MarkdownText.inline)
        }
      })
    guard !rows.isEmpty else { return [] }
    return ["### Tolerances given by files", ""]
      + TextTable(
        ["tensor", "tolerance", "reason"], rows.sorted { $0.lexicographicallyPrecedes($1) }, words: 3
      ).markdown
  }

  private var vacuity: [String] {
    guard !section.vacuity.isEmpty else { return [] }
    var rows: [[String]] = []
    for record in section.vacuity {
      let operation = MarkdownText.inline(record.operation)
      rows += Self.grouped(record.noticedBy).map { name, defects in
        [operation, name.isEmpty ? "**nothing: VACUOUS**" : MarkdownText.inline(name), defects]
      }
      rows += Self.grouped(record.notJudged).map { reason, defects in
        [operation, "not judged: \(MarkdownText.inline(reason))", defects]
      }
    }
    return [
      "### Would the corpus notice?", "",
      "Each defect is applied to the reference; the case named is the first that would fail.", "",
    ] + TextTable(["operation", "noticed by", "defects"], rows, words: 3).markdown
  }

  /// The keys of each value, in order.
  private static func grouped(_ values: [String: String]) -> [(value: String, keys: String)] {
    Dictionary(grouping: values.keys) { values[$0] ?? "" }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value.sorted().joined(separator: ", ")) }
  }

  private var calibration: [String] {
    guard let calibration = section.calibration, let first = calibration.first else { return [] }
    let used = NumberText.short(section.lambda)
    let several = calibration.contains { $0.engine != nil }
    var headings = (several ? ["engine"] : []) + ["operation", "tensor", "precision", "elements"]
    headings += first.alarms.map { "λ = \(NumberText.short($0.lambda))" }
    headings += ["rigorous", "decisive", "λ needed", "worst of rigorous"]
    let rows = calibration.map { record in
      var row = several ? [MarkdownText.inline(record.engine ?? "reference")] : []
      row += [record.operation, record.tensor, record.dtype ?? "float32", "\(record.elements)"]
      row += record.alarms.map { "\($0.count)" }
      row += ["\(record.rigorousAlarms)", "\(record.decisiveAlarms)", NumberText.short(record.leastLambda)]
      row.append(NumberText.short(record.worstRigorous))
      return row
    }
    return [
      "### False alarms", "",
      "Each engine in each precision against the reference in float64 on random problems: elements beyond the statistical "
        + "bound for each λ (λ = \(used) is used), beyond the rigorous bound, and beyond what decides (the smaller of both). In "
        + "16 bits the reference computes in float32 and rounds each result once; λ is what its error beyond this rounding needs.",
      "",
    ] + TextTable(headings, rows, words: several ? 3 : 2).markdown + [""] + spreads(calibration, several: several)
  }

  private func spreads(_ calibration: [CalibrationRecord], several: Bool) -> [String] {
    let rows = calibration.compactMap { record -> [String]? in
      guard let spread = record.spread else { return nil }
      func beside(_ measured: Double, _ assumed: Double) -> String {
        "\(NumberText.short(measured)) (\(NumberText.short(assumed)))"
      }
      return (several ? [MarkdownText.inline(record.engine ?? "reference")] : []) + [
        record.operation, record.tensor, record.dtype ?? "float32", "\(spread.tensors)",
        beside(spread.meanSquare, 1), beside(spread.scatter, spread.assumedScatter),
        beside(spread.common, spread.assumedCommon), beside(spread.drift, spread.assumedDrift),
        NumberText.short(spread.worst),
      ]
    }
    guard !rows.isEmpty else { return [] }
    let headings =
      (several ? ["engine"] : []) + [
        "operation", "tensor", "precision", "tensors", "mean z²", "scatter", "in common", "drift", "worst",
      ]
    return [
      "### Errors of whole tensors", "",
      "Each figure is the worst of any problem, and in parentheses what the tests of whole tensors assume at most; `worst` is the "
        + "largest of any tensor's figures over its limit, above 1 a false alarm.", "",
    ] + TextTable(headings, rows, words: several ? 4 : 3).markdown
  }

  private var files: [String] {
    ["### Files", ""]
      + TextTable(
        ["file", "cases", "generator", "oracle", "SHA-256"],
        section.files.map {
          [$0.path, "\($0.caseCount)", $0.generator, $0.oracleDtype, String($0.sha256.prefix(16))].map(
            MarkdownText.inline)
        },
        words: 5
      ).markdown
      + section.files.flatMap { file in file.errors.map { "- **error**: \(MarkdownText.inline($0))" } }
  }
}
