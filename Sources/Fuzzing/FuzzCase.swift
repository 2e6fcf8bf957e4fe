import Engines
import GoldenFiles
import Operations
import Problems
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

  /// The case of an operation by its number: it depends on the seed, the operation and the number alone.
  /// - Throws: ``Problems/EngineError`` where the reference does not compute it: a mistake of this program.
  init(_ draw: ProblemDraw, of operation: String, number: Int, seed: UInt64) throws(EngineError) {
    let name = "\(Self.file)/\(operation)/\(number)"
    var stream = SplitMix64(seed: SplitMix64.mix(seed ^ Shard.hash(name)))
    let drawn = draw.problem(seed: stream.next())
    let data = DataRecipe(kind: OperandKind(stream.below(16)), seed: stream.next() >> 32)
    let isInvalid = stream.below(Self.invalidShare) == 0
    guard isInvalid, let invalid = InvalidExercise(spoiling: data.exercise(of: drawn.problem), seed: stream.next())
    else {
      try self.init(name: name, drawn, data)
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
  /// - Throws: ``Problems/EngineError`` where the reference does not compute it: a mistake of this program.
  public init(
    name: String, _ drawn: DrawnProblem, _ data: DataRecipe, lookingAt path: String? = nil
  ) throws(EngineError) {
    var exercise = data.exercise(of: drawn.problem)
    exercise.name = "/" + name
    if let path, !path.hasPrefix("gradients/") { exercise.upstream = [:] }
    var golden = GoldenCase(
      exercise, fill: data.fill(of: drawn.problem), expected: try ReferenceEngine().compute(exercise.converted(to: .float64)))
    if let path { golden.keepOnly(path) }
    self.init(name: name, drawn: drawn, data: data, golden: golden, fault: nil)
  }

  /// The problem in one line, and what is wrong with it where it has to be refused.
  public var text: String { drawn.problem.text + (fault.map { " with \($0)" } ?? "") }

  /// What judges it.
  public var verifier: CaseVerifier {
    CaseVerifier(VerificationCase(file: Self.file, oracle: .float64, golden: golden))
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
