import Reporting
import Testing

@Suite struct TextTableTests {
  private let table = TextTable(["shape", "ms", "by"], [["3×3", "1.5", "memory"], ["1×1", "12.25", ""]])

  @Test func wordsToTheLeftAndFiguresToTheRight() {
    #expect(table.lines == ["shape     ms      by", "3×3      1.5  memory", "1×1    12.25"])
    #expect(
      TextTable(["a", "b"], [["x", "yyy"], ["xxx", "y"]], words: 2).lines == ["a    b", "x    yyy", "xxx  y"])
  }

  @Test func oneOfSeveralColumnsHoldsFigures() {
    var table = TextTable(["file", "cases", "verdict"], figures: [1])
    #expect(table.isEmpty)
    table.add(["a.h5", "7", "sound"])
    table.add(["b.h5", "–", "bad: /x", "a note"])
    #expect(!table.isEmpty)
    #expect(table.text == "file  cases  verdict\na.h5      7  sound\nb.h5      –  bad: /x  a note\n")
  }

  @Test func withoutHeadings() {
    #expect(TextTable([], [["CPU", "x"], ["cores", "2"]]).text == "CPU    x\ncores  2\n")
  }

  @Test func paintedCellsTakeNoMoreRoom() {
    let painted = table.text(painting: 2) { row, cell in "<\(row)>\(cell)</>" }
    #expect(painted == "shape     ms      by\n3×3      1.5  <0>memory</>\n1×1    12.25\n")
    #expect(table.text(painting: 0) { "<\($0)>\($1)</>" }.hasSuffix("<1>1×1</>    12.25\n"))
    #expect(TextTable([], [["CPU", "x"]]).text(painting: 1) { "<\($0)>\($1)</>" } == "CPU  <0>x</>\n")
  }

  @Test func markdown() {
    #expect(
      table.markdown == [
        "| shape | ms | by |", "| --- | ---: | ---: |", "| 3×3 | 1.5 | memory |", "| 1×1 | 12.25 |  |", "",
      ])
  }

  /// Names from files: neither an escape sequence nor a line or cell of their own.
  @Test func foreignCellsStayCells() {
    let table = TextTable(["name", "n"], [["a\u{1B}[31m\nb|c", "1"]])
    #expect(table.lines.count == 2 && table.markdown.count == 4)
    #expect(table.lines[1].hasSuffix("|c  1") && !table.text.contains("\u{1B}"))
    #expect(table.markdown[2].hasSuffix("b\\|c | 1 |"))
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1_000, "1,000"), (-25_557_032, "-25,557,032"), (100_000, "100,000"),
    (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func thousands(number: Int, expected: String) { #expect(NumberText.grouped(number) == expected) }
}
