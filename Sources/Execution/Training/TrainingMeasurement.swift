import Convolution
import Problems
import Tensors

/// Times of strategies within training steps, pass by pass: the same network once with each strategy wherever that does a pass,
/// run by turns, so that every pass finds its operands in the caches as those before left them, and packs weights that have
/// changed.
public struct TrainingMeasurement: Sendable {
  /// One pass of one kind of convolution of the network.
  public struct Pass: Sendable {
    public let problem: Conv2dProblem
    public let pass: ConvolutionPass
    /// Convolutions of the network that are of this kind.
    public let count: Int
    /// Median nanoseconds by strategy.
    public let nanoseconds: [String: Double]
  }

  /// In the order of the network.
  public private(set) var passes: [Pass] = []

  /// - Parameters:
  ///   - plan: in training mode.
  ///   - weights: tensors by their `state_dict` name.
  ///   - threads: that share the work.
  ///   - instructionSet: the kernels.
  ///   - rounds: steps of each network that count.
  ///   - plans: where the times are kept for ``NetworkStrategies/automatic(_:)``.
  ///   - progress: called with the networks prepared and run so far, of all.
  /// - Throws: ``ExecutionError``.
  public init(
    _ plan: NetworkPlan, weights: [String: AnyTensor], threads: Int, instructionSet: InstructionSet, rounds: Int,
    plans: ConvolutionPlans?, progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }
  ) throws(ExecutionError) {
    let rule: OptimizerOptions
    do throws(ProblemError) {
      rule = try OptimizerOptions(name: "sgd", attributes: Attributes(["lr": .real(1e-4)]))
    } catch { throw .problem(error) }
    let images = Tensor<Float>(splitMix64Uniform: plan.inputShape, seed: 1, low: -1, high: 1)
    let labels = Tensor<Int64>(shape: [plan.inputShape[0]], repeating: 0)
    let contest = try StrategyContest<Key>(rounds: rounds, progress: progress) { strategy throws(ExecutionError) in
      (
        try TrainingNetwork(
          plan, weights: weights, threads: threads, instructionSet: instructionSet, strategies: .one(strategy)),
        try NetworkOptimizer(rule, threads: threads, instructionSet: instructionSet)
      )
    } run: { (trained) throws(ExecutionError) in
      let (network, optimizer) = trained
      try network.step(images, labels: labels, optimizer)
      return network.passTimes.map {
        .init(
          kind: Key(problem: $0.problem, pass: $0.pass), strategy: $0.strategy, nanoseconds: $0.nanoseconds)
      }
    }
    let setting = NetworkStrategies.trainingSetting(threads: threads)
    for result in contest.results {
      let (problem, pass) = (result.kind.problem, result.kind.pass)
      for (name, median) in result.medians.sorted(by: { $0.key < $1.key }) {
        plans?.record(problem, pass, instructionSet, setting: setting, strategy: name, nanoseconds: median)
      }
      passes.append(Pass(problem: problem, pass: pass, count: result.count, nanoseconds: result.medians))
    }
  }

  private struct Key: Hashable {
    let problem: Conv2dProblem
    let pass: ConvolutionPass
  }
}
