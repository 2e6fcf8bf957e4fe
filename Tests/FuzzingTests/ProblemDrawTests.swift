import Operations
import Problems
import Tensors
import Testing

/// Every operation's random problems.
@Suite struct ProblemDrawTests {
  static let drawn = OperationRegistry.all.filter { $0.problemDraw.value != nil }.map { $0.name }

  private func draw(_ name: String) throws -> ProblemDraw {
    try #require(OperationRegistry.type(named: name)?.problemDraw.value)
  }

  @Test(arguments: drawn)
  func `a seed gives one problem, of the operation, within the budget, and its numbers give it again`(
    operation: String
  ) throws {
    let draw = try draw(operation)
    for seed in 0..<80 as Range<UInt64> {
      let drawn = draw.problem(seed: seed)
      let problem = drawn.problem
      #expect(type(of: problem).operation == operation)
      #expect(draw.problem(seed: seed).problem.text == problem.text, "seed \(seed)")
      #expect(problem.steps <= ProblemDraw.Budget.large.work, "\(problem.text)")
      #expect(problem.elementCount <= ProblemDraw.Budget.large.elements, "\(problem.text)")
      let again = try #require(draw.problem(drawn.values), "\(problem.text)")
      #expect(again.problem.text == problem.text)
      #expect(try Problem.parse(problem.text).text == problem.text)
    }
  }

  @Test(arguments: drawn)
  func `a problem may have to be large`(operation: String) throws {
    let draw = try draw(operation)
    for seed in 0..<20 as Range<UInt64> {
      let problem = draw.problem(seed: seed, within: .large, atLeast: 1_000).problem
      #expect(problem.largestTensor >= 1_000, "\(problem.text)")
      #expect(problem.steps <= ProblemDraw.Budget.large.work, "\(problem.text)")
      #expect(problem.elementCount <= ProblemDraw.Budget.large.elements, "\(problem.text)")
    }
  }

  @Test(arguments: drawn)
  func `the simplest numbers make a problem, and names are given once`(operation: String) throws {
    let simplest = try #require(try draw(operation).problem([:]))
    #expect(simplest.choices.allSatisfy { $0.value == $0.least }, "\(simplest.problem.text)")
    #expect(simplest.values.count == simplest.choices.count, "\(simplest.choices.map(\.name))")
  }

  /// What no draw ever shows, nobody's kernel is tried on.
  @Test(arguments: drawn)
  func `every value of an attribute and nearly every class of an extent is drawn`(operation: String) throws {
    let draw = try draw(operation)
    var missing: Set<String> = []
    var found: Set<String> = []
    // Budgets keep some extents from ever being large.
    func isNearlyAll() -> Bool { Double(missing.subtracting(found).count) <= 0.05 * Double(missing.count) }
    for seed in 0..<3_000 as Range<UInt64> {
      if seed >= 200, seed % 50 == 0, isNearlyAll() { break }
      for choice in draw.problem(seed: seed).choices {
        switch choice.domain {
        case .option(let labels):
          missing.formUnion(labels.map { "\(choice.name) \($0)" })
          found.insert("\(choice.name) \(choice.label)")
        case .size(let domain):
          missing.formUnion(SizeClass.possible(in: domain).map { "\(choice.name) \($0)" })
          found.formUnion(SizeClass.classes(of: choice.value).map { "\(choice.name) \($0)" })
        }
      }
    }
    #expect(isNearlyAll(), "\(missing.subtracting(found).sorted())")
  }

  @Test(arguments: [
    (0, ["0"]), (1, ["1"]), (2, ["prime", "between"]), (4, ["4k"]), (5, ["prime", "4k+1"]), (6, ["between"]),
    (15, ["4k−1", "8k−1", "16k−1"]), (17, ["prime", "4k+1", "8k+1", "16k+1"]),
    (512, ["4k", "8k", "16k", "32k", "64k", "≥ 256", "≥ 512"]),
  ])
  func `classes of an extent`(value: Int, expected: [String]) {
    #expect(SizeClass.classes(of: value).map(\.description) == expected)
  }
}
