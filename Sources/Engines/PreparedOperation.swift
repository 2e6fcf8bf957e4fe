import Problems
import Results
import Tensors

/// What is to be timed.
public struct TimingRequest: Hashable, Sendable, Codable {
  public enum TimedPass: String, Hashable, Sendable, Codable, CaseIterable {
    case forward
    case backwardData = "backward_data"
    case backwardWeight = "backward_weight"
    case inference
    case trainingStep = "training_step"
  }
  public enum Layout: String, Hashable, Sendable, Codable, CaseIterable {
    /// From and to plain NCHW.
    case nchw
    /// In whatever layout the engine would keep between layers.
    case native
  }

  public var pass: TimedPass
  public var layout: Layout
  public var threads: Int

  public init(pass: TimedPass, layout: Layout, threads: Int) {
    self.pass = pass
    self.layout = layout
    self.threads = threads
  }
}

extension TimingRequest.TimedPass {
  /// The operand whose gradient alone it computes; `nil` where it computes outputs.
  package var gradientOperand: String? {
    switch self {
    case .backwardData: "x"
    case .backwardWeight: "weight"
    case .forward, .inference, .trainingStep: nil
    }
  }

  /// What it computes, by path: of a whole network what is timed of it. Buffers that it changes are not collected.
  package func results(of problem: any OperationProblem) -> [String: TensorType] {
    if let network = problem as? ResNetProblem {
      return self == .trainingStep
        ? ["outputs/loss": TensorType([])] : ["outputs/logits": TensorType(network.plan.logitsShape)]
    }
    guard let operand = gradientOperand else {
      return Dictionary(uniqueKeysWithValues: problem.outputs.map { ("outputs/\($0.key)", $0.value) })
    }
    return problem.operands.all[operand].map { ["gradients/\(operand)": $0] } ?? [:]
  }
}

/// One slice: which sets of operands are visited, and how often the operation runs.
public struct TimedRun: Hashable, Sendable {
  /// Iteration i uses the set at place i modulo their count.
  public var sets: [Int]
  public var iterations: Int
  /// Whether caches of weights and activations are flushed before each iteration.
  public var cold: Bool

  public init(sets: [Int], iterations: Int, cold: Bool = false) {
    self.sets = sets
    self.iterations = iterations
    self.cold = cold
  }

  /// Each of these sets once, in this order.
  public init(visiting sets: [Int], cold: Bool = false) {
    self.init(sets: sets, iterations: sets.count, cold: cold)
  }
}

/// An operation that was prepared once, on weights and shapes, and can be run many times on sets of operands that come later.
/// Released when it goes out of scope.
///
/// Each set has input and output buffers of its own, which stay where they are when it is loaded again.
public protocol PreparedOperation: AnyObject {
  /// Scratch memory in bytes, without the packed weights and the sets.
  var workspaceBytes: Int { get }
  /// What runs, for a person: `direct AVX-512 14×32`.
  var summary: String { get }

  /// Puts fresh inputs and cotangents into a set, and fills its output buffers with ``Problems/UnwrittenMark``. Does no part of
  /// the operation.
  func load(_ operands: LateOperands, set: Int) throws(EngineError)

  /// Runs the operation alone, each iteration into its set's own output buffers, which hold the mark when the slice begins.
  /// - Returns: one duration in nanoseconds for each iteration.
  func time(_ run: TimedRun) throws(EngineError) -> [UInt64]

  /// What the last timed run on that set left.
  func collect(set: Int) throws(EngineError) -> Answer
}

/// A network that is ready, and can tell what each of its steps takes.
public protocol TracedOperation: PreparedOperation {
  /// Runs on a set, as ``PreparedOperation/time(_:)`` does, with a reading of the clock between steps.
  /// - Parameter set: that is loaded.
  /// - Returns: the steps in their order.
  /// - Throws: ``Problems/EngineError``.
  func trace(set: Int) throws(EngineError) -> [LayerTime]
}

extension PreparedOperation {
  /// The failure of whoever times or collects a set that was never loaded.
  package func notLoaded(_ set: Int) -> EngineError {
    .failed("set \(set): expected operands loaded into it, found none")
  }
}
