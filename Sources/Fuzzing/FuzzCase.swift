import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors
import Verification

/// One case of fuzzing: a problem, its operands, and what the reference says to them.
public struct FuzzCase: Sendable {
  /// What stands for a file in records.
  public static let file = "fuzz"

  /// The case's name, such as `fuzz/relu/17`.
  public let name: String
  public let drawn: DrawnProblem
  public let data: DataRecipe
  public let golden: GoldenCase
  /// What is wrong with a case that has to be refused: `stride = 0`.
  public let fault: String?

  /// A case of so many has something wrong with it.
  private static let invalidShare = 12

  /// The case of an operation by its number: it depends on the plan's seed, the operation and the number alone, and on what
  /// the plan leaves out.
  /// - Throws: ``Problems/EngineError`` where the reference does not compute it: a mistake of this program.
  init(_ draw: ProblemDraw, of operation: String, number: Int, in plan: FuzzPlan) throws(EngineError) {
    let name = "\(Self.file)/\(operation)/\(number)"
    var stream = SplitMix64(seed: SplitMix64.mix(plan.seed ^ Shard.hash(name)))
    let drawn = draw.problem(seed: stream.next())
    var data = DataRecipe(kind: OperandKind(stream.below(OperandKind.total)), seed: stream.next() >> 32)
    // Patterns are those of sums of products.
    if data.kind.pattern != nil, !drawn.problem.isSumOfProducts { data.kind = .random }
    // A refusal is asked for in the forward pass.
    let refuses = plan.asksRefusals && plan.passes?.contains(.forward) ?? true
    let isInvalid = stream.below(Self.invalidShare) == 0 && refuses
    guard isInvalid, let invalid = InvalidExercise(spoiling: data.exercise(of: drawn.problem), seed: stream.next())
    else {
      try self.init(name: name, drawn, data, passes: plan.passes)
      return
    }
    var exercise = invalid.exercise
    exercise.name = "/" + name
    self.init(
      name: name, drawn: drawn, data: data, golden: GoldenCase(exercise, expectError: invalid.category),
      fault: invalid.fault)
  }

  private init(name: String, drawn: DrawnProblem, data: DataRecipe, golden: GoldenCase, fault: String?) {
    self.name = name
    self.drawn = drawn
    self.data = data
    self.golden = golden
    self.fault = fault
  }

  /// - Parameters:
  ///   - name: the case's.
  ///   - drawn: its problem.
  ///   - data: its operands.
  ///   - path: the one tensor that is looked at, such as `outputs/y`; all where there is none.
  ///   - passes: what is looked at besides; `nil` for all.
  /// - Throws: ``Problems/EngineError`` where the reference does not compute it: a mistake of this program.
  public init(
    name: String, _ drawn: DrawnProblem, _ data: DataRecipe, lookingAt path: String? = nil,
    passes: Set<JudgedPass>? = nil
  ) throws(EngineError) {
    var exercise = data.exercise(of: drawn.problem)
    exercise.name = "/" + name
    let needsNoGradients = path.map { !$0.hasPrefix("gradients/") } ?? (passes == [.forward])
    if needsNoGradients { exercise.upstream = [:] }
    var golden = GoldenCase(
      exercise, fill: data.fill(of: drawn.problem),
      expected: try ReferenceEngine().compute(exercise.converted(to: .float64)))
    if let path { golden.keepOnly(path) }
    if let passes { _ = golden.keep(passes) }
    self.init(name: name, drawn: drawn, data: data, golden: golden, fault: nil)
  }

  /// The problem in one line, and what is wrong with it where it has to be refused.
  public var text: String { drawn.problem.text + (fault.map { " with \($0)" } ?? "") }

  /// What judges it, on one engine after the other.
  struct Judge {
    fileprivate let verifier: CaseVerifier

    /// - Returns: the verdict; UNSUPPORTED where no bound says anything.
    func verdict(on engine: any Engine, dtype: DType, threads: [Int]?) -> CaseResult {
      var result = verifier.verify(engine, dtype: dtype, threads: threads)
      if result.isUndecided {
        result.status = .unsupported
        result.message = "what rounding may do to it has no bound"
      }
      return result
    }

    /// - Returns: what mistake gives what an engine gives that fails; `nil` where nothing can be said.
    func diagnosis(of engine: any Engine, dtype: DType, threads: Int?) -> DiagnosisRecord? {
      verifier.diagnose(engine, dtype: dtype, threads: threads)
    }
  }

  var judge: Judge {
    Judge(verifier: CaseVerifier(VerificationCase(file: Self.file, oracle: .float64, golden: golden)))
  }
}

extension CaseResult {
  /// Whether it is wrong, and not merely undecided.
  var isFailure: Bool { status == .fail || status == .error }

  /// Whether what fails are elements alone that rounding may take anywhere: an average that may meet an infinite neighbour, a variance
  /// that may underflow where nothing is added to it.
  fileprivate var isUndecided: Bool {
    let failing = tensors.filter { !$0.passes }
    return status == .fail && !failing.isEmpty && !message.contains("the engine changed")
      && failing.allSatisfy { $0.problem.isEmpty && $0.failing == $0.unbounded }
  }
}

extension GoldenCase {
  /// Leaves what is expected of one tensor.
  fileprivate mutating func keepOnly(_ path: String) {
    outputs = outputs.filter { path == "outputs/\($0.key)" }
    gradients = gradients.filter { path == "gradients/\($0.key)" }
    buffersAfter = buffersAfter.filter { path == "buffers_after/\($0.key)" }
  }
}
