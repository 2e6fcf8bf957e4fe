import Engines
import GoldenFiles
import Problems
import Results
import Tensors
import Verification

/// What the contestants of one workload are timed on and held against, the same for all of them.
final class TimedWorkload {
  let item: BenchmarkPlan.Item
  let work: WorkloadExercise
  let sets: OperandSets
  let request: TimingRequest
  private let windows: [OutputWindow]
  /// The blocks whose results are held against the reference; `nil`: all.
  private let lookedAt: Set<Int>?
  /// The numbers of the round at hand, and what is expected of the sets of it that were looked at.
  private var round = -1
  private var generator: SplitMix64
  private var choice = 0
  private var operands: [LateOperands] = []
  private var expected: [Int: CaseVerifier] = [:]

  init(
    _ item: BenchmarkPlan.Item, _ work: WorkloadExercise, blocks: Int, using generator: inout SplitMix64
  ) {
    self.item = item
    self.work = work
    request = TimingRequest(pass: item.pass, layout: item.layout, threads: item.threads)
    sets = OperandSets(of: work.exercise, resultBytes: item.resultBytes, seed: generator.next())
    windows = OutputWindow.windows(of: item, count: blocks, using: &generator)
    switch item.subject {
    case .convolution: lookedAt = nil
    case .operation(let timed):
      lookedAt = timed.isCheaplyHeld ? nil : Self.some(of: blocks, Self.networkLooks, &generator)
    // A network's reference and its bound take seconds an image: no engine knows which blocks these are.
    case .network: lookedAt = Self.some(of: blocks, Self.networkLooks, &generator)
    case .training: lookedAt = Self.some(of: blocks, Self.trainingLooks, &generator)
    }
    self.generator = SplitMix64(seed: generator.next())
  }

  /// Nanoseconds that it may take to bring one set's operands and results from memory: a line of 64 bytes each 10 ns and thread
  /// (a core waits for ten or more of them at a time, 100 ns each, where no prefetcher helps: planes of small images are read
  /// across), and twenty lines of something else.
  ///
  /// A first visit may cost so much more than a later one. On layers that do little with each byte that is as much as a later
  /// visit takes, and the rule decides nothing there; but it is first visits that are reported.
  var fetchNanoseconds: Double { Double(sets.bytes) / 64 * 10 / Double(item.threads) + 2_000 }

  /// The first sets of a round, drawn when they are first asked for.
  func operands(sets count: Int, round: Int) -> [LateOperands] {
    if round != self.round {
      self.round = round
      operands = []
      expected = [:]
      choice = Int(generator.next() >> 1)
    }
    while operands.count < count { operands.append(sets.operands(set: operands.count, round: round)) }
    return Array(operands[..<count])
  }

  /// What draws one contestant's orders of visits.
  func visitOrder() -> SplitMix64 { SplitMix64(seed: generator.next()) }

  /// Which of the round's fresh operands' results are collected: at random, and the same for all who have as many.
  func chosenIndex(of count: Int) -> Int { choice % count }

  /// Blocks of a whole network's workload whose results are held against the reference, in evaluation, as of an operation that
  /// costs as much, and in training.
  private static let (networkLooks, trainingLooks) = (3, 1)

  private static func some(of blocks: Int, _ count: Int, _ generator: inout SplitMix64) -> Set<Int> {
    Set((0..<max(blocks, 1)).shuffled(using: &generator).prefix(count))
  }

  /// The rounds of the blocks whose results are held against the reference; of all blocks where none are drawn.
  func looks(blocks: Int) -> [Int] {
    let looked: [Int] = (0..<blocks).filter { lookedAt?.contains($0) ?? true }
    return looked.flatMap { [2 * $0, 2 * $0 + 1] }
  }

  /// Whether a round's results are held against the reference. A block has two rounds.
  func looksAt(round: Int) -> Bool { lookedAt?.contains(round / 2) ?? true }

  /// What is wrong with an answer to one of the operands of the round at hand, in the window that the round looks at; `nil` when
  /// nothing is.
  func problem(with answer: Answer, to index: Int, of engine: any Engine) -> String? {
    // A block has one window.
    let window = windows[round / 2 % windows.count]
    let part = RecordedAnswer(engine.description, window.part(of: answer))
    do throws(EngineError) {
      let verifier: CaseVerifier
      if let known = expected[index] {
        verifier = known
      } else {
        let exercise: Exercise
        do throws(ProblemError) {
          exercise = try window.exercise(of: work.single.with(operands[index]))
        } catch { throw EngineError(error) }
        verifier = try work.verifier(of: exercise, isPart: window.isPart)
        expected[index] = verifier
      }
      let result = verifier.verify(part, dtype: item.dtype, threads: [item.threads], repeating: false)
      guard result.status != .pass else { return nil }
      return "of what was timed, \(window.text) is wrong: \(result.message)"
    } catch { return "no reference result: \(error)" }
  }
}

/// Answers with what was collected, so that it is judged as an engine's answer is.
struct RecordedAnswer: Engine {
  let description: EngineDescription
  private let answer: Answer

  init(_ description: EngineDescription, _ answer: Answer) {
    self.description = description
    self.answer = answer
  }

  func compute(_ exercise: Exercise) -> Answer { answer }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("an answer that was recorded is not timed")
  }
}
