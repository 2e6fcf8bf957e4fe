import Tensors

/// How random problems of an operation are made, valid ones alone.
public struct ProblemDraw: Sendable {
  /// What a drawn problem may take, so that hundreds are checked in a second.
  public struct Budget: Hashable, Sendable {
    /// Steps of a forward pass.
    public var work: Int
    /// Elements of all operands and outputs.
    public var elements: Int

    public init(work: Int, elements: Int) {
      self.work = work
      self.elements = elements
    }

    /// Of three problems in four.
    public static let small = Budget(work: 1 << 15, elements: 1 << 11)
    /// Of problems each element of which is looked at on its own.
    public static let tiny = Budget(work: 1 << 12, elements: 1 << 9)
    /// Of the others: sums of thousands of terms, and enough elements for several threads.
    public static let large = Budget(work: 1 << 20, elements: 1 << 15)

    func holds(_ problem: any OperationProblem) -> Bool {
      problem.steps <= work && problem.elementCount <= elements
    }
  }

  private let make: @Sendable (inout ProblemChoices) throws(ProblemError) -> any OperationProblem

  /// - Parameter make: asks for the numbers of a problem, one after the other, and makes it of them. It throws where they make none;
  ///   the simplest of all always do.
  public init(_ make: @escaping @Sendable (inout ProblemChoices) throws(ProblemError) -> any OperationProblem) {
    self.make = make
  }

  /// The problem of a seed: the same on every machine.
  /// - Parameters:
  ///   - seed: of everything in it.
  ///   - budget: what it may take; small or large by the seed where there is none.
  ///   - least: elements that its largest tensor has at least; the nearest to it where no draw has as many.
  public func problem(seed: UInt64, within budget: Budget? = nil, atLeast least: Int = 0) -> DrawnProblem {
    var stream = SplitMix64(seed: seed)
    let isLarge = stream.below(4) == 0
    let budget = budget ?? (isLarge ? .large : .small)
    var largest: DrawnProblem?
    for _ in 0..<Self.attempts {
      let part = SplitMix64(seed: stream.next())
      var choices = ProblemChoices(drawnFrom: part)
      guard let problem = try? make(&choices) else { continue }
      guard let drawn = fitted(DrawnProblem(problem: problem, choices: choices.made), budget, &stream) else { continue }
      let size = drawn.problem.largestTensor
      if size >= least { return drawn }
      if size > largest?.problem.largestTensor ?? -1 { largest = drawn }
    }
    guard let simplest = largest ?? problem([:]) else {
      preconditionFailure("the simplest choices of a problem's draw make no problem")
    }
    return simplest
  }

  private static let attempts = 64
  private static let reductions = 96

  /// The problem with one extent after the other drawn anew below half of what it was, until all fits: so that any one of them may
  /// stay large.
  private func fitted(_ drawn: DrawnProblem, _ budget: Budget, _ stream: inout SplitMix64) -> DrawnProblem? {
    var drawn = drawn
    for _ in 0..<Self.reductions {
      if budget.holds(drawn.problem) { return drawn }
      let reducible = drawn.choices.filter { $0.isSize && $0.value > $0.least + 1 }
      guard !reducible.isEmpty else { return nil }
      let choice = reducible[stream.below(reducible.count)]
      guard case .size(let domain) = choice.domain else { return nil }
      var values = drawn.values
      values[choice.name] = domain.atMost(choice.value / 2).draw(&stream)
      guard let smaller = problem(values) else { return nil }
      drawn = smaller
    }
    return nil
  }

  /// The problem of numbers that were recorded, or of others.
  /// - Parameter values: by name; what is missing is the simplest.
  /// - Returns: `nil` where they make no problem.
  public func problem(_ values: [String: Int]) -> DrawnProblem? {
    var choices = ProblemChoices(given: values)
    guard let problem = try? make(&choices) else { return nil }
    return DrawnProblem(problem: problem, choices: choices.made)
  }
}

/// A problem, and the numbers that it was made of.
public struct DrawnProblem: Sendable {
  public let problem: any OperationProblem
  public let choices: [ProblemChoices.Choice]

  /// - Parameters:
  ///   - problem: what they made.
  ///   - choices: none for a problem that somebody named.
  public init(problem: any OperationProblem, choices: [ProblemChoices.Choice] = []) {
    self.problem = problem
    self.choices = choices
  }

  /// The numbers by name.
  public var values: [String: Int] { Dictionary(choices.map { ($0.name, $0.value) }) { first, _ in first } }
}

extension OperationProblem {
  /// Multiply-accumulates, or elements looked at where it is not made of them; without what layers take however small they are.
  public var steps: Int { multiplyAccumulates > 0 ? multiplyAccumulates : work.value }

  /// Elements of all operands and outputs.
  public var elementCount: Int { (operands.elements + outputs.values.map(\.shape.elements).total()).value }

  /// Elements of the operand or output that has the most of them.
  public var largestTensor: Int {
    (operands.all.values.map(\.shape.elements.value) + outputs.values.map(\.shape.elements.value)).max() ?? 0
  }
}
