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
  }

  struct Row {
    var cells: [Cell]
    /// What a link leads to.
    var anchor: String?
  }

  struct Table {
    var title: String
    var caption: String
    var headings: [String]
    var rows: [Row]
    /// `commands` where the last column holds what to type, which paper leaves out.
    var style = ""
  }

  struct Section {
    var anchor: String
    var title: String
    var intro: String
    var figures: [Figure] = []
    var tables: [Table] = []

    var isEmpty: Bool { figures.isEmpty && tables.isEmpty && intro.isEmpty }
  }

  struct Fact { var text: String }
  struct Verdict {
    /// `good`, `bad` or `doubtful`.
    var style: String
    var text: String
  }
  struct Property {
    var name: String
    var value: String
  }

  var title: String
  var subtitle: String
  var style: String
  var verdicts: [Verdict]
  var facts: [Fact]
  var properties: [Property]
  var sections: [Section]
}

extension HTMLPage.Cell {
  init(_ text: String, _ style: String = "") { self.init(text: text, style: style) }
  static func figure(_ text: String) -> HTMLPage.Cell { .init(text: text, style: "num") }
}
