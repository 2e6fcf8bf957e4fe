import Engines
import Problems
import Results
import Tensors
import Verification

/// Makes a failing case as small and as simple as it can be and still fail alike.
///
/// Every trial is a case of its own that the engine is asked, so what it says of an engine that remembers is what that engine does.
struct Shrinker {
  /// What shrinking one failure may take.
  struct Budget: Hashable, Sendable {
    var trials = 600
    var seconds = 15.0
  }

  /// What is left of a failure.
  struct Outcome {
    var smallest: FuzzCase
    var result: CaseResult
    var trials = 0
    /// What was tried on the way, as evidence of what decides.
    var failing: [ProblemTraits] = []
    var passing: [ProblemTraits] = []
  }

  private let draw: ProblemDraw
  private let engine: any Engine
  private let dtype: DType
  private let threads: [Int]?
  private let passes: Set<JudgedPass>?
  private let budget: Budget
  private let deadline: ContinuousClock.Instant
  private let wanted: FailureKind
  private var path: String?
  private var outcome: Outcome
  private var seen: Set<Attempt> = []
  /// The same for the same failure, so that what is left of it is.
  private var generator: SplitMix64

  private struct Attempt: Hashable {
    let values: [String: Int]
    let data: DataRecipe
    let path: String?
  }

  /// - Parameters:
  ///   - failing: the case.
  ///   - result: how it ended.
  ///   - draw: of its operation.
  ///   - engine: who failed.
  ///   - dtype: in which precision.
  ///   - threads: the numbers that it was asked with; where one of them is known to fail, that one is tried alone.
  ///   - passes: what was judged of it.
  ///   - budget: when it ends with what it has.
  init(
    _ failing: FuzzCase, _ result: CaseResult, _ draw: ProblemDraw, _ engine: any Engine, _ dtype: DType,
    threads: [Int]?, passes: Set<JudgedPass>?, budget: Budget
  ) {
    self.passes = passes
    self.draw = draw
    self.engine = engine
    self.dtype = dtype
    self.threads = result.failingThreads.map { [$0] } ?? threads
    self.budget = budget
    deadline = .now + .seconds(budget.seconds)
    wanted = FailureKind(result)
    outcome = Outcome(smallest: failing, result: result)
    generator = SplitMix64(seed: UInt64(failing.drawn.problem.elementCount))
  }

  static func shrink(
    _ failing: FuzzCase, _ result: CaseResult, _ draw: ProblemDraw, _ engine: any Engine, _ dtype: DType,
    threads: [Int]?, passes: Set<JudgedPass>? = nil, budget: Budget
  ) -> Outcome {
    // What has to be refused has nothing that could be less wrong.
    guard failing.fault == nil, !failing.drawn.choices.isEmpty else {
      return Outcome(smallest: failing, result: result)
    }
    var shrinker = Shrinker(failing, result, draw, engine, dtype, threads: threads, passes: passes, budget: budget)
    shrinker.lookAtOneTensor()
    shrinker.shrinkProblem()
    shrinker.simplifyData()
    shrinker.lookAround()
    return shrinker.outcome
  }

  private var isSpent: Bool { outcome.trials >= budget.trials || .now >= deadline || Task.isCancelled }

  // MARK: One trial

  /// - Returns: whether the case of these numbers and operands fails alike; it is the smallest then, where that is asked for.
  private mutating func fails(
    _ values: [String: Int], _ data: DataRecipe, keeping: Bool = true,
    onlyIf isBetter: (DrawnProblem) -> Bool = { _ in true }
  ) -> Bool {
    guard !isSpent, let drawn = draw.problem(values), isBetter(drawn),
      seen.insert(Attempt(values: drawn.values, data: data, path: path)).inserted,
      let trial = try? FuzzCase(name: outcome.smallest.name, drawn, data, lookingAt: path, passes: passes)
    else { return false }
    outcome.trials += 1
    let result = trial.judge.verdict(on: engine, dtype: dtype, threads: threads)
    let traits = ProblemTraits(drawn, data, dtype: dtype.rawValue)
    guard wanted.isMet(by: result) else {
      if result.status == .pass { outcome.passing.append(traits) }
      return false
    }
    outcome.failing.append(traits)
    if keeping {
      outcome.smallest = trial
      outcome.result = result
    }
    return true
  }

  // MARK: What is looked at

  /// Without the other tensors, if it fails then, too: of an output no backward pass is left.
  private mutating func lookAtOneTensor() {
    let paths = outcome.result.tensors.filter { !$0.passes }.map(\.path).sorted { first, second in
      (first.hasPrefix("gradients/") ? 1 : 0, first) < (second.hasPrefix("gradients/") ? 1 : 0, second)
    }
    for path in paths {
      self.path = path
      if fails(outcome.smallest.drawn.values, outcome.smallest.data) { return }
    }
    path = nil
  }

  // MARK: The problem

  /// First by elements, then by the numbers themselves: each step makes it less, so that it ends. A problem without elements shows
  /// nothing, and is the largest.
  private static func size(_ drawn: DrawnProblem) -> (isEmpty: Int, elements: Int, numbers: Int) {
    let isEmpty = drawn.problem.operands.inputs.values.contains { $0.shape.count == 0 }
    return (isEmpty ? 1 : 0, drawn.problem.elementCount, drawn.choices.reduce(0) { $0 + $1.value - $1.least })
  }

  private mutating func shrinkProblem() {
    var isSmaller = true
    while isSmaller, !isSpent {
      isSmaller = shrinkAllExtents()
      for choice in outcome.smallest.drawn.choices.sorted(by: { $0.value > $1.value }) where !isSpent {
        if shrink(choice.name) { isSmaller = true }
      }
      if !isSmaller { isSmaller = shrinkPairs() || shrinkAtRandom() }
    }
  }

  /// Problems drawn at random among those of fewer elements that a run of steps draws before it gives up.
  private static let randomTrials = 150

  /// Any numbers at once: a kernel, its dilation and its image may have to shrink together, and one axis take another's place.
  private mutating func shrinkAtRandom() -> Bool {
    let choices = outcome.smallest.drawn.choices
    for _ in 0..<Self.randomTrials where !isSpent {
      var values = outcome.smallest.drawn.values
      for choice in choices {
        switch choice.domain {
        case .option(let labels):
          if generator.next() % 4 == 0 { values[choice.name] = Int(generator.next() % UInt64(max(1, labels.count))) }
        case .size:
          guard generator.next() % 2 == 0, choice.value > Self.floor(choice) else { continue }
          let floor = Self.floor(choice)
          values[choice.name] = floor + Int(generator.next() % UInt64(choice.value - floor + 1))
        }
      }
      if acceptFewerElements(values) { return true }
    }
    return false
  }

  private mutating func acceptFewerElements(_ values: [String: Int]) -> Bool {
    let current = Self.size(outcome.smallest.drawn)
    return fails(values, outcome.smallest.data) { drawn in
      let size = Self.size(drawn)
      return (size.isEmpty, size.elements) < (current.isEmpty, current.elements)
    }
  }

  /// Everything at once, a half and then a quarter: far from the smallest, this saves most trials.
  private mutating func shrinkAllExtents() -> Bool {
    for divisor in [4, 2] {
      var values = outcome.smallest.drawn.values
      for choice in outcome.smallest.drawn.choices where choice.isSize {
        values[choice.name] = max(choice.least, choice.value / divisor)
      }
      if accept(values) { return true }
    }
    return false
  }

  /// One number, to the least of those below it with which it still fails.
  private mutating func shrink(_ name: String) -> Bool {
    guard let choice = outcome.smallest.drawn.choices.first(where: { $0.name == name }) else { return false }
    for value in Self.below(choice) where !isSpent {
      var values = outcome.smallest.drawn.values
      values[name] = value
      if accept(values) || acceptMoving(choice, values) { return true }
    }
    return false
  }

  /// What one option calls the width another may call its only axis: the largest extent takes the place of each in turn.
  private mutating func acceptMoving(_ choice: ProblemChoices.Choice, _ values: [String: Int]) -> Bool {
    guard case .option = choice.domain, let moved = draw.problem(values) else { return false }
    let largest = outcome.smallest.drawn.choices.filter(\.isSize).map(\.value).max() ?? 0
    for other in moved.choices where other.isSize && other.value < largest && !isSpent {
      var values = values
      values[other.name] = largest
      if accept(values) { return true }
    }
    return false
  }

  /// Below what a number may be: `least` is that beside the other numbers as they are, and the draw takes the nearest that is
  /// possible beside those of the trial.
  private static func floor(_ choice: ProblemChoices.Choice) -> Int { min(choice.least, 1) }

  /// Two numbers at once, where one alone is held by the other: a kernel and its image, groups and their channels.
  private mutating func shrinkPairs() -> Bool {
    let choices = outcome.smallest.drawn.choices.filter { $0.value > Self.floor($0) }
    for (position, first) in choices.enumerated() {
      for second in choices[(position + 1)...] where !isSpent {
        for (a, b) in [(Self.floor(first), Self.floor(second)), (first.value - 1, second.value - 1)] {
          var values = outcome.smallest.drawn.values
          values[first.name] = a
          values[second.name] = b
          if accept(values) { return true }
        }
      }
    }
    return false
  }

  private mutating func accept(_ values: [String: Int]) -> Bool {
    let current = Self.size(outcome.smallest.drawn)
    return fails(values, outcome.smallest.data) { Self.size($0) < current }
  }

  /// Smaller numbers in the place of one, the least first: all small ones, those around multiples of a unit, and those that leave the
  /// same remainder by it.
  static func below(_ choice: ProblemChoices.Choice) -> [Int] {
    let (least, value) = (choice.least, choice.value)
    guard case .size = choice.domain else { return Array(least..<max(least, value)) }
    var found = Set(least..<min(value, least + 18))
    for unit in SizeDomain.units {
      found.formUnion([unit - 1, unit, unit + 1, value % unit, value % unit + unit, value - unit])
    }
    found.formUnion([value / 2, value * 3 / 4, value - 1])
    return found.filter { $0 >= least && $0 < value }.sorted()
  }

  // MARK: The operands

  /// Small integers in place of fractions, then ones and zeros, tensor by tensor.
  private mutating func simplifyData() {
    let values = outcome.smallest.drawn.values
    if outcome.smallest.data.kind != .exact {
      _ = fails(values, DataRecipe(kind: .exact, seed: outcome.smallest.data.seed))
    }
    var all = outcome.smallest.data
    all.constants = [DataRecipe.all: .ones]
    if fails(values, all) { return }
    for name in outcome.smallest.golden.exercise.floatingTensors {
      for constant in DataRecipe.Constant.allCases {
        var data = outcome.smallest.data
        data.constants[name] = constant
        if fails(values, data) { break }
      }
    }
  }

  // MARK: What decides

  /// Other values of one number at a time, so that what merely happens to be small is not taken for what decides.
  private mutating func lookAround() {
    let (drawn, data) = (outcome.smallest.drawn, outcome.smallest.data)
    for choice in drawn.choices {
      let others: [Int] =
        switch choice.domain {
        case .option(let labels): Array(labels.indices)
        case .size(let domain):
          [1, 2, 3, 4, 7, 8, 15, 16, 17, 32, 64].map { choice.value + $0 }.filter(domain.range.contains)
            + Array(Self.below(choice).suffix(4))
        }
      for value in others where value != choice.value && !isSpent {
        var values = drawn.values
        values[choice.name] = value
        _ = fails(values, data, keeping: false) { $0.problem.elementCount <= ProblemDraw.Budget.large.elements }
      }
    }
  }
}
