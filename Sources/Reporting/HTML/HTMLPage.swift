import Results

/// What the page's template is filled with. A part without content is left out.
struct HTMLPage {
  struct Figure {
    var title: String
    /// What is shown, how to read it, and what is odd about it.
    var caption: String
    var svg: String
  }

  struct Cell {
    var text: String
    /// `num` for figures, `good`, `bad`, `code`, or nothing.
    var style: String
    /// Columns that it covers.
    var span = 1

    /// - Parameter text: may be foreign; the template escapes it as HTML, and here it loses its control characters.
    init(text: String, style: String, span: Int = 1) {
      self.text = PrintableText.escaped(text, limit: 20_000)
      self.style = style
      self.span = span
    }
  }

  struct Row {
    var cells: [Cell]
    /// What a link leads to. Named apart from a section's, which a template would find where this is `nil`.
    var rowAnchor: String?
  }

  struct Table {
    var title: String
    var caption: String
    var headings: [String]
    var rows: [Row]
  }

  /// One thing that is wrong: what, where in the tensor, by how much, and what to type.
  struct Card {
    var title: String
    var intro: String
    /// What a link leads to.
    var cardAnchor: String?
    var facts: [Property]
    var figure: Figure?
    /// To be copied as it stands.
    var command: String?
    /// What is wrong likewise.
    var fold: Fold?
  }

  /// Content that is shown when it is asked for.
  struct Fold {
    var title: String
    var isOpen = false
    /// Named apart from a section's, which a template would find where this is `nil`.
    var foldIntro: String?
    var cards: [Card] = []
    var figures: [Figure] = []
    var tables: [Table] = []

    var isEmpty: Bool { cards.isEmpty && figures.isEmpty && tables.isEmpty && foldIntro == nil }
  }

  struct Section {
    var anchor: String
    var title: String
    var intro: String
    var cards: [Card] = []
    var figures: [Figure] = []
    var tables: [Table] = []
    var folds: [Fold] = []

    /// Whether it has nothing but words.
    var isBare: Bool { cards.isEmpty && figures.isEmpty && tables.isEmpty && folds.isEmpty }
    var isEmpty: Bool { isBare && intro.isEmpty }
    /// In the order in which they stand.
    var allFigures: [Figure] { figures + folds.flatMap(\.figures) }
  }

  /// Words that the page uses, and what they mean.
  struct Glossary { var entries: [Property] }

  struct Fact { var text: String }
  struct Verdict {
    /// `good`, `bad` or `doubtful`.
    var style: String
    var text: String
  }
  struct Property {
    var name: String
    var value: String
    /// `code` or nothing.
    var style = ""
  }

  var title: String
  var subtitle: String
  var style: String
  var script: String
  var verdicts: [Verdict]
  var facts: [Fact]
  var properties: [Property]
  var sections: [Section]
  var glossary: Glossary?
}

extension HTMLPage.Cell {
  init(_ text: String, _ style: String = "") { self.init(text: text, style: style) }
  static func figure(_ text: String) -> HTMLPage.Cell { .init(text: text, style: "num") }
}

extension HTMLPage.Section {
  /// Its own words: titles, captions and headings, which say what figures mean.
  var texts: [String] {
    let tables = tables + folds.flatMap(\.tables)
    let all = [title, intro] + allFigures.flatMap { [$0.title, $0.caption] } + cards.flatMap { $0.facts.map(\.name) }
    return all + tables.flatMap { [$0.title, $0.caption] + $0.headings }
      + tables.prefix(2).flatMap { table in
        table.rows.prefix(2).flatMap { $0.cells.prefix(1).map(\.text) }
      }
  }

  /// The first of the folds is open, and one alone needs no folding.
  mutating func fold(_ found: [HTMLPage.Fold]) {
    let full = found.filter { !$0.isEmpty }
    guard let first = full.first else { return }
    guard full.count > 1 else {
      intro = [intro, first.foldIntro ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
      cards += first.cards
      figures += first.figures
      tables += first.tables
      return
    }
    folds += full.enumerated().map { index, fold in
      var fold = fold
      fold.isOpen = index == 0
      return fold
    }
  }
}
