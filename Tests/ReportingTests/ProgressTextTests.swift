import Reporting
import Testing

@Suite struct ProgressTextTests {
  @Test func theRestIsEstimatedByThePaceSinceTheFirstStep() {
    let text = ProgressText(from: 100)
    #expect(text.line(done: 100, of: 200, seconds: 0, subject: "a") == "100/200  a")
    #expect(text.line(done: 110, of: 200, seconds: 1, subject: "b") == "110/200, 9 s left  b")
    #expect(text.line(done: 150, of: 200, seconds: 100, subject: "c") == "150/200, 1 min 40 s left  c")
  }

  /// Of what takes two seconds in all, no estimate is of use.
  @Test func shortWorkHasNoEstimate() {
    #expect(ProgressText().line(done: 5, of: 10, seconds: 1, subject: "x") == "5/10  x")
    #expect(ProgressText().line(done: 5, of: 10, seconds: 1.1, subject: "x") == "5/10, 2 s left  x")
  }

  @Test func failuresAddUpAndForeignTextStaysALine() {
    var text = ProgressText()
    text.fail(2)
    text.fail(0)
    text.fail(1)
    #expect(text.line(done: 0, of: 4, seconds: 9, subject: "a\u{1B}[2J\n") == "0/4, 3 failing  a\\u{1B}[2J\\n")
  }

  @Test(arguments: [(0.0, "0 s"), (0.2, "1 s"), (59.5, "1 min 0 s"), (61, "1 min 1 s"), (3_725, "62 min 5 s")])
  func durations(seconds: Double, expected: String) { #expect(NumberText.duration(seconds) == expected) }
}
