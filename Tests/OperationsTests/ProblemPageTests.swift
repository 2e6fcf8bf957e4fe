import Foundation
import Operations
import Problems
import TestSupport
import Testing

/// The table of `Benchmarks/engines/PROBLEMS.md` is what the definitions say.
@Suite struct ProblemPageTests {
  private static let page = Repository.root.appending(path: "Benchmarks/engines/PROBLEMS.md")
  private static let marks = (start: "<!-- operations -->\n", end: "<!-- end of operations -->")

  /// Of operations that no gradient is checked of by themselves, where what is drawn at random is no example.
  private static let examples = [
    "residual_block":
      "residual_block n2c3h4w5 stagesconv,k=3,out=6,stride=2,pad=1;bn;relu shortcutconv,k=1,out=6,stride=2",
    "resnet": "resnet n2c3h32w32 target archcifar_resnet20 classes10",
    "training_run": "training_run n8c3h32w32 t2b4 archcifar_resnet8 classes10 optimizersgd lr0.1",
  ]

  @Test func `the page has every operation`() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    let start = try #require(text.range(of: Self.marks.start)).upperBound
    let end = try #require(text.range(of: Self.marks.end)).lowerBound
    let table = try table()
    if ProcessInfo.processInfo.environment["ASSAY_WRITE_PAGES"] == "1" {
      try Data("\(text[..<start])\(table)\(text[end...])".utf8).write(to: Self.page)
    } else {
      #expect(
        text[start..<end] == table,
        "ASSAY_WRITE_PAGES=1 swift test -c release --filter ProblemPageTests writes it again")
    }
  }

  private func table() throws -> String {
    let rows = try OperationRegistry.all.sorted { $0.name < $1.name }.map(row)
    return ["| operation | for example | tensors | flags | keys |", "| --- | --- | --- | --- | --- |"]
      .joined(separator: "\n") + "\n" + rows.joined(separator: "\n") + "\n"
  }

  private func row(_ type: any Operations.Operation.Type) throws -> String {
    let drawn = (0..<200).compactMap { type.problemDraw.value?.problem(seed: $0, within: .tiny).problem.text }
    let listed = (type.gradientCases.value ?? []).map(\.text) + (type.calibrationProblems.value ?? []).map(\.text)
    let own = Self.examples[type.name].map { [$0] } ?? []
    let best = listed.isEmpty ? own.isEmpty ? drawn : own : listed
    let example = try #require(best.max { words($0).count < words($1).count }, "\(type.name)")
    let problem = try Problem.parse(example)
    #expect(try Problem.parse(problem.text).text == problem.text)
    let count = type.problemType.attributeTokens.count
    let keys = known(after: example).prefix(count)
    // What one form of a problem excludes another may have.
    let flags = Set((listed + own + drawn).flatMap { known(after: $0).dropFirst(count) })
    let cells = [
      "`\(type.name)`", "`\(problem.text)`", tensors(of: problem),
      flags.sorted().map { "`\($0)`" }.joined(separator: ", "),
      keys.map { "`\($0)`" }.joined(separator: ", "),
    ]
    return "| \(cells.map { $0.isEmpty ? "–" : $0 }.joined(separator: " | ")) |"
  }

  private func words(_ text: String) -> [Substring] { text.split(separator: " ").dropFirst().map { $0 } }

  /// The first few of each: a network has hundreds.
  private func tensors(of problem: any OperationProblem) -> String {
    func list(_ names: [String]) -> String {
      names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
    }
    let operands = problem.operands
    return list(operands.inputs.keys.sorted() + operands.parameters.keys.sorted() + operands.buffers.keys.sorted())
      + " → " + list(problem.outputs.keys.sorted())
  }

  /// What the error for a word that is none lists: an example of each attribute, then the flags.
  private func known(after example: String) -> [String] {
    do throws(ProblemError) {
      _ = try Problem.parse(example + " ?")
      return []
    } catch {
      guard error.expected.hasPrefix("one of ") else { return [] }
      return error.expected.dropFirst(7).split(separator: ", ").map { word in
        word.split(separator: " or ").last.map(String.init) ?? ""
      }
    }
  }
}
