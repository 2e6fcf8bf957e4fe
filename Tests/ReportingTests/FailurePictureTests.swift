import Foundation
import Reporting
import Results
import TestSupport
import Testing

/// What a failing verification shows: which elements are wrong, what is alike, and the command.
@Suite struct FailurePictureTests {
  private func tensor(_ failing: [Int], _ shape: [Int], pattern: String, worst: [Int]) -> TensorResult {
    var result = TensorResult(
      path: "outputs/y", shape: shape, compared: shape.reduce(1, *), failing: failing.count, rule: "statistical",
      worstRatio: 4.05, worstUlps: 100,
      worst: WorstElement(index: worst, got: 2.5, expected: 2, bound: 0.125), pattern: pattern)
    result.map = FailureMap(failing: failing, shape: shape)
    return result
  }

  private func result(
    _ name: String, fill: String = "random", engine: String = "mine", _ tensors: [TensorResult],
    status: VerificationStatus = .fail, message: String = "outputs/y is wrong"
  ) -> CaseResult {
    CaseResult(
      file: "a.h5", name: name, operation: "op", fill: fill, engine: engine, dtype: "float32", status: status,
      message: message, tensors: tensors, reproduce: "assay verify --filter '\(name)'")
  }

  private func run(_ results: [CaseResult]) -> Run {
    var run = ReportTests.run
    run.verification?.results = results
    run.verification?.staleKnownFailures = []
    return run
  }

  private func page(_ results: [CaseResult]) throws -> String { try HTMLReport.text(run(results)) }

  /// The last column of each of two channels: what a kernel with a wrong tail does.
  private var lastColumn: TensorResult {
    tensor(
      [2, 5, 8, 11], [1, 2, 2, 3], pattern: "4 of 12 elements, all with w = 2 (the last)", worst: [0, 1, 1, 2])
  }

  @Test func `the picture has a plane for each channel and a mark for each wrong element`() throws {
    let page = try page([result("/op/a", [lastColumn])])
    let svg = try #require(page.firstMatch(of: /(?s)<svg[^>]*aria-label="Wrong elements of outputs\/y".*?<\/svg>/))
      .output
    #expect(svg.components(separatedBy: "class=\"plane\"").count - 1 == 2)
    #expect(svg.contains("<title>n 0, c 1</title>") && svg.contains(">c 0</text>"))
    // Four elements: four rectangles of one path, and the ring round the worst.
    let path = try #require(svg.firstMatch(of: /<path d="([^"]*)" class="w"\/>/)).output.1
    #expect(path.components(separatedBy: "M").count - 1 == 4)
    #expect(svg.components(separatedBy: "class=\"ring\"").count - 1 == 1)
    #expect(page.contains("A cell is one element."))
    for part in [
      ">outputs/y[0,1,1,2]<", ">2.5<", ">2.0<", ">0.125<", "4.05, at most 1", "1 × 2 × 2 × 3",
      "<pre class=\"command\"><code>assay verify --filter &#39;/op/a&#39;</code></pre>",
    ] {
      #expect(page.contains(part), "\(part)")
    }
  }

  @Test func `a large tensor's picture says that its cells are blocks`() throws {
    let page = try page([
      result("/op/a", [tensor([5], [8, 64, 56, 56], pattern: "one element", worst: [0, 0, 0, 5])])
    ])
    #expect(page.contains("too large for an element a cell") && page.contains("no wrong element is left out"))
    #expect(page.contains("class=\"w wa\""))
  }

  @Test(arguments: [[7], [3, 4], [2, 3, 4], [2, 3, 4, 5], [1, 2, 3, 4, 5]])
  func `tensors of every rank have a picture`(shape: [Int]) throws {
    let worst = shape.map { _ in 0 }
    #expect(
      try page([result("/op/a", [tensor([0], shape, pattern: "one element", worst: worst)])]).contains("class=\"ring\"")
    )
  }

  /// A record from outside may hold anything.
  @Test func `a map that fits no tensor is no picture`() throws {
    var odd = lastColumn
    odd.map?.cells = [1, 2, 2, 4]
    #expect(try !page([result("/op/a", [odd])]).contains("Wrong elements of"))
    odd = lastColumn
    odd.map?.marks = "99999999x"
    #expect(try !page([result("/op/a", [odd])]).contains("Wrong elements of"))
    odd = lastColumn
    odd.worst?.index = [9, -9, 9, 9]
    #expect(try !page([result("/op/a", [odd])]).contains("class=\"ring\""))
    // The largest extents and counts that a file can name, which have no sums.
    odd = lastColumn
    (odd.shape, odd.compared) = ([.max, 1, 1], .max)
    odd.map?.cells = [2, 1, 1]
    odd.map?.block = [1 << 62, 1, 1]
    odd.map?.marks = "x."
    let largest = try page([result("/op/a", [odd, odd]), result("/op/b", [odd, odd])])
    #expect(largest.contains("axis 0 4611686018427387904–9223372036854775806"))
  }

  /// The same mistake at every size is one failure; the simplest case stands for it, exact before random before adversarial.
  @Test func `failures are grouped by their pattern`() throws {
    let big = tensor(
      [3, 7], [1, 1, 2, 4], pattern: "2 of 8 elements, all with w = 3 (the last)", worst: [0, 0, 0, 3])
    let results = [
      result("/op/nan", fill: "adversarial", [big]), result("/op/random", [big]),
      result("/op/exact", fill: "exact", [lastColumn]), result("/op/other", engine: "other", [big]),
      result("/op/spread", [tensor([0, 5], [8], pattern: "2 of 8 elements, spread out", worst: [0])]),
      result("/op/crash", [], status: .error, message: "signal 11 after 3 s"),
      result("/op/crash2", [], status: .error, message: "signal 11 after 40 s"),
      result("/op/good", [], status: .pass, message: ""),
    ]
    let page = try page(results)
    let titles = page.matches(of: /<article class="failure">\s*<h3>([^<]*)<\/h3>/).map { String($0.output.1) }
    #expect(
      titles == [
        "3 of 7 results of mine are wrong: outputs/y: all with w the last",
        "2 of 7 results of mine are missing: signal … after … s",
        "1 of 7 results of mine is wrong: outputs/y: spread out",
        "the only result of other is wrong: outputs/y: all with w the last",
      ])
    #expect(page.contains("The simplest of them: FAIL /op/exact (mine, float32, a.h5)"))
    #expect(page.contains("<summary>2 more that are wrong likewise</summary>"))
    // A card shows one case; those that are wrong likewise keep their commands.
    for name in ["/op/nan", "/op/random", "/op/crash2"] {
      #expect(page.contains("assay verify --filter &#39;\(name)&#39;"), "\(name)")
    }
    let markdown = MarkdownReport.text(run(results))
    #expect(
      markdown.contains(
        "**3 of 7 results of mine are wrong: outputs/y: all with w the last** (op 3; float32). The simplest:"))
    let places = ["### Failures", "### Results"].compactMap { markdown.range(of: $0)?.lowerBound }
    #expect(places.count == 2 && places[0] < places[1], "failures come first")
    for result in results where result.status != .pass { #expect(markdown.contains(result.reproduce)) }
  }

  /// However much is wrong, the page can be sent and opened, and says what it leaves out.
  @Test func `a page of thousands of failures stays small`() throws {
    let failing = (0..<100_352).filter { $0 % 3 == 0 }
    let many = tensor(failing, [1, 32, 56, 56], pattern: "33451 of 100352 elements, spread out", worst: [0, 0, 0, 0])
    let results = (0..<3_000).map { index -> CaseResult in
      var tensor = many
      tensor.path = "outputs/y\(index % 300)"
      return result("/op/\(index)", [tensor])
    }
    let page = try page(results)
    #expect(page.utf8.count < 2_000_000)
    #expect(page.contains("more kinds of failures") && page.contains("run.json has all"))
    #expect(try self.page(results) == page)
  }

  /// What fails comes before what holds, whatever it is.
  @Test func `parts that fail come first in Markdown`() {
    var run = BenchmarkReportTests.run
    run.verification = ReportTests.run.verification
    let text = MarkdownReport.text(run)
    let places = ["## Verification", "## Benchmark"].compactMap { text.range(of: $0)?.lowerBound }
    #expect(places.count == 2 && places[0] < places[1])
  }
}
