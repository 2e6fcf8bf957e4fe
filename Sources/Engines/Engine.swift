import Problems
import Results
import Tensors

/// Anything that can compute the operations of the golden format: built in, or another process.
///
/// Verification, gradient checking and benchmarking see this protocol alone. An engine never sees an expected value.
public protocol Engine: Sendable {
  var description: EngineDescription { get }

  /// Computes one exercise.
  /// - Throws: ``Problems/EngineError``; nothing of the exercise is changed then.
  func compute(_ exercise: Exercise) throws(EngineError) -> Answer

  /// Does what a user does once (pack weights, compile, warm up) and returns the operation ready to be timed.
  ///
  /// Of the exercise's inputs and cotangents the shapes alone may be used: their numbers are stand-ins that are never timed.
  /// - Throws: ``Problems/EngineError/unsupported(_:)`` where the engine cannot be timed on it.
  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation
}

/// What an engine says of itself, before it is asked for anything.
public struct EngineDescription: Hashable, Sendable, Codable {
  public var name: String
  public var version: String
  /// Operation names; empty means every operation of the golden format.
  public var operations: Set<String>
  public var dtypes: Set<DType>
  public var passes: Set<Pass>
  /// Expected datasets that it does not produce, such as `outputs/indices`: UNSUPPORTED, not FAIL.
  public var omits: Set<String>
  /// Whether NaN and infinities follow the definition of the operation.
  public var nonfinite: Bool
  /// Whether denormals are kept, and not taken for zeros.
  public var denormals: Bool
  /// Whether the same exercise gives the same bits again.
  public var deterministic: Bool
  /// Whether more threads may share the work, so that it has to be asked with several as well.
  public var usesThreads: Bool
  /// Built into this program, so that a refusal must carry the right category.
  public var isBuiltIn: Bool
  /// How it computes sums of products, by operation, and so which bounds hold for it: the definition's where there is none.
  public var algorithms: [String: OperationAlgorithm]
  /// What it keeps sums in where it computes in 16 bits, and says nothing else of the operation.
  public var accumulate: DType
  /// What it tells of itself for people.
  public var info: [String: String]
  /// How far its times are to be trusted.
  public var trust: Trust
  /// Where it computes: `cpu`, or a device whose limits are not this machine's.
  public var device = "cpu"

  public init(
    name: String, version: String, operations: Set<String> = [], dtypes: Set<DType> = [.float32, .float64],
    passes: Set<Pass> = [.forward, .backward], omits: Set<String> = [], nonfinite: Bool = true, denormals: Bool = true,
    deterministic: Bool = true, usesThreads: Bool = true, isBuiltIn: Bool = false,
    algorithms: [String: OperationAlgorithm] = [:], accumulate: DType = .float32, info: [String: String] = [:],
    trust: Trust = .audited
  ) {
    self.name = name
    self.version = version
    self.operations = operations
    self.dtypes = dtypes
    self.passes = passes
    self.omits = omits
    self.nonfinite = nonfinite
    self.denormals = denormals
    self.deterministic = deterministic
    self.usesThreads = usesThreads
    self.isBuiltIn = isBuiltIn
    self.algorithms = algorithms
    self.accumulate = accumulate
    self.info = info
    self.trust = trust
  }
}

extension EngineDescription {
  /// The thread counts that it is verified with where nobody names any.
  public var standardThreads: [Int] { usesThreads ? [1, 2] : [1] }

  /// How it may compute the sums of products of an operation, by the operation's name in the golden format.
  public func sums(of operation: String) -> Set<SumAlgorithm> { algorithms[operation]?.sums ?? [] }

  /// What it keeps an operation's sums in where it computes in 16 bits.
  public func accumulate(of operation: String) -> DType { algorithms[operation]?.accumulate ?? accumulate }

  /// The member of ``omits`` that says of one operation alone that no gradients of it are produced.
  public static func omission(ofGradientsOf operation: String) -> String { "\(operation):gradients" }

  /// Whether an expected dataset of an operation is one that the engine produces.
  /// - Parameters:
  ///   - path: such as `outputs/y`.
  ///   - operation: by its name in the golden format.
  public func produces(_ path: String, of operation: String) -> Bool {
    guard !omits.contains(path) else { return false }
    guard path.hasPrefix("gradients/") else { return passes.contains(.forward) }
    return passes.contains(.backward) && !omits.contains(Self.omission(ofGradientsOf: operation))
  }
}
