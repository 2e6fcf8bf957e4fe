import Convolution
import Problems
import Tensors

/// Times of strategies within a network, layer by layer: the same network once with each strategy wherever that does a layer, run
/// by turns, so that every layer finds its operands in the caches as the layers before left them.
public struct StrategyMeasurement: Sendable {
  /// One kind of convolution of the network.
  public struct Layer: Sendable {
    public let problem: Conv2dProblem
    public let addsResidual: Bool
    /// Steps of the network that are of this kind.
    public let count: Int
    /// Median nanoseconds by strategy.
    public let nanoseconds: [String: Double]
  }

  /// In the order of the network.
  public private(set) var layers: [Layer] = []

  /// - Parameters:
  ///   - plan: in evaluation.
  ///   - weights: tensors by their `state_dict` name.
  ///   - threads: that share the work.
  ///   - instructionSet: the kernels.
  ///   - rounds: runs of each network that count.
  ///   - plans: where the times are kept for ``NetworkStrategies/automatic(_:)``.
  ///   - progress: called with the networks prepared and run so far, of all.
  /// - Throws: ``ExecutionError``.
  public init(
    _ plan: NetworkPlan, weights: [String: AnyTensor], threads: Int, instructionSet: InstructionSet, rounds: Int,
    plans: ConvolutionPlans?, progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }
  ) throws(ExecutionError) {
    let images = Tensor<Float>(splitMix64Uniform: plan.inputShape, seed: 1, low: -1, high: 1)
    let contest = try StrategyContest<Key>(rounds: rounds, progress: progress) { strategy throws(ExecutionError) in
      try InferenceNetwork(
        plan, weights: weights, threads: threads, instructionSet: instructionSet, strategies: .one(strategy))
    } run: { network throws(ExecutionError) in
      try network.trace(images).compactMap { step in
        step.problem.map { problem in
          .init(
            kind: Key(problem: problem, addsResidual: step.addsResidual), strategy: step.kind,
            nanoseconds: step.nanoseconds)
        }
      }
    }
    for result in contest.results {
      let (problem, addsResidual) = (result.kind.problem, result.kind.addsResidual)
      let setting = NetworkStrategies.setting(threads: threads, addsResidual: addsResidual)
      for (name, median) in result.medians.sorted(by: { $0.key < $1.key }) {
        plans?.record(problem, .forward, instructionSet, setting: setting, strategy: name, nanoseconds: median)
      }
      layers.append(
        Layer(problem: problem, addsResidual: addsResidual, count: result.count, nanoseconds: result.medians))
    }
  }

  private struct Key: Hashable {
    let problem: Conv2dProblem
    let addsResidual: Bool
  }
}
