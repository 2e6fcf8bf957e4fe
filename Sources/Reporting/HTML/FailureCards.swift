import Results

/// What is wrong, a card for each kind of failure: the simplest case that shows it, its picture and its command, and the rest
/// folded.
enum FailureCards {
  /// So many kinds are open, so many more have a folded card, and a case of each of the others is in a table.
  private static let open = 6
  private static let most = 40
  /// So many bytes of pictures a section, so that the page stays small.
  private static let pictureBytes = 400_000
  /// So many rows are shown of those that are wrong likewise, over all kinds.
  private static let mostRows = 600

  /// - Returns: the cards of the kinds that most results are of, and a fold of the others.
  static func cards(_ groups: [FailureGroup]) -> (cards: [HTMLPage.Card], rest: HTMLPage.Fold?) {
    var (budget, rows) = (pictureBytes, mostRows)
    let all = groups.prefix(most).map { card($0, &budget, &rows) }
    let cards = Array(all.prefix(open))
    guard groups.count > open else { return (cards, nil) }
    var fold = HTMLPage.Fold(
      title: "\(groups.count - open) more kinds of failures", cards: Array(all.dropFirst(open)))
    let rest = groups.dropFirst(most)
    guard !rest.isEmpty else { return (cards, fold) }
    let shown = rest.prefix(max(rows, 20))
    let note = shown.count < rest.count ? "The first \(shown.count) of \(rest.count); run.json has all." : ""
    let table = HTMLPage.Table(
      title: "One result of each", caption: note, headings: headings,
      rows: shown.map { row($0.representative, pattern: $0.title) })
    fold.tables = [table]
    return (cards, fold)
  }

  private static func card(_ group: FailureGroup, _ budget: inout Int, _ rows: inout Int) -> HTMLPage.Card {
    let result = group.representative
    let intro =
      (group.results.count > 1 ? "\(group.extent). The simplest of them: " : "") + FailureText.headline(result)
    var card = HTMLPage.Card(
      title: group.title, intro: intro, facts: [], command: result.reproduce.isEmpty ? nil : result.reproduce)
    if let tensor = group.tensor {
      card.facts = facts(tensor)
      card.figure = figure(tensor, &budget)
    } else {
      card.facts = [
        .init(name: "What it said", value: PrintableText.escaped(result.message, limit: 4_000), style: "code")
      ]
    }
    if let cause = group.cause {
      card.facts.insert(.init(name: "Diagnosis", value: "\(cause.text), \(cause.basis)"), at: 0)
    }
    if let count = FailureText.tellingThreads(result) {
      card.facts.append(.init(name: "Threads", value: BenchmarkText.threads(count)))
    }
    if !group.others.isEmpty {
      let shown = group.others.prefix(max(rows, 5))
      rows -= shown.count
      let note =
        shown.count < group.others.count ? "The first \(shown.count) of \(group.others.count); run.json has all." : ""
      card.fold = HTMLPage.Fold(
        title: group.others.count == 1
          ? "1 more that is wrong likewise" : "\(group.others.count) more that are wrong likewise",
        tables: [.init(title: "", caption: note, headings: headings, rows: shown.map { row($0) })])
    }
    return card
  }

  /// The worst element, and what it was held to.
  static func facts(_ tensor: TensorResult) -> [HTMLPage.Property] {
    var found: [HTMLPage.Property] = []
    if !tensor.problem.isEmpty { found.append(.init(name: tensor.path.printable, value: tensor.problem.printable)) }
    if let worst = tensor.worst {
      let place =
        worst.figure.map { "\($0) of the whole tensor" } ?? "[\(worst.index.map(String.init).joined(separator: ","))]"
      found += [
        .init(
          name: "Worst element", value: "\(tensor.path.printable)\(worst.figure == nil ? "" : ": ")\(place)",
          style: "code"),
        .init(name: "Got", value: NumberText.exact(worst.got), style: "code"),
        .init(name: "Expected", value: NumberText.exact(worst.expected), style: "code"),
        .init(name: "Bound", value: NumberText.exact(worst.bound), style: "code"),
        .init(name: "Error/bound", value: "\(NumberText.short(tensor.worstRatio)), at most 1"),
      ]
    }
    if tensor.worst != nil { found.append(.init(name: "ULPs at worst", value: NumberText.ulps(tensor.worstUlps))) }
    if !tensor.pattern.isEmpty { found.append(.init(name: "Wrong", value: tensor.pattern.printable)) }
    found.append(.init(name: "Shape", value: tensor.shape.map(String.init).joined(separator: " × ")))
    if !tensor.rule.isEmpty { found.append(.init(name: "Compared", value: FailureText.rule(tensor))) }
    return found
  }

  static func figure(_ tensor: TensorResult, _ budget: inout Int) -> HTMLPage.Figure? {
    guard let picture = FailurePicture(tensor) else { return nil }
    let figure = picture.figure(title: "Wrong elements of \(tensor.path.printable)")
    guard figure.svg.utf8.count <= budget else { return nil }
    budget -= figure.svg.utf8.count
    return figure
  }

  private static let headings = ["case", "engine", "what is wrong", "command"]

  static func row(_ result: CaseResult, pattern: String? = nil) -> HTMLPage.Row {
    let lines = FailureText.details(result).filter { !$0.hasPrefix("repeat: ") }
    return HTMLPage.Row(cells: [
      .init(result.name, "code"), .init("\(result.engine), \(result.dtype)", "line"),
      .init(([pattern].compactMap { $0 } + lines).joined(separator: "\n"), "lines"), .init(result.reproduce, "code"),
    ])
  }
}
