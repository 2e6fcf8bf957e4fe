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
    public var count = 0
    /// Median nanoseconds by strategy.
    public var nanoseconds: [String: Double] = [:]
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
    let candidates = AutoStrategy().admissible
    let all = candidates.count * (rounds + 2)
    let rule: OptimizerOptions
    do throws(ProblemError) {
      rule = try OptimizerOptions(name: "sgd", attributes: Attributes(["lr": .real(1e-4)]))
    } catch { throw .problem(error) }
    let optimizer = try NetworkOptimizer(rule, threads: threads, instructionSet: instructionSet)
    let images = Tensor<Float>(splitMix64Uniform: plan.inputShape, seed: 1, low: -1, high: 1)
    let labels = Tensor<Int64>(shape: [plan.inputShape[0]], elements: Array(repeating: 0, count: plan.inputShape[0]))
    var networks: [(name: String, network: TrainingNetwork)] = []
    for (index, strategy) in candidates.enumerated() {
      progress(index, all)
      let network = try TrainingNetwork(
        plan, weights: weights, threads: threads, instructionSet: instructionSet, strategies: .one(strategy))
      networks.append((strategy.name, network))
    }
    var times: [Key: [String: [Double]]] = [:]
    var order: [Key] = []
    var counts: [Key: Int] = [:]
    for round in 0...rounds {
      for (index, (name, network)) in networks.enumerated() {
        progress(candidates.count * (round + 1) + index, all)
        try network.step(images, labels: labels, optimizer)
        // The first round warms caches and pages. What the strategy leaves to `direct` is direct's to time.
        for found in network.passTimes where found.strategy == name {
          let key = Key(problem: found.problem, pass: found.pass)
          if times[key] == nil { order.append(key) }
          times[key, default: [:]][name, default: []] += round > 0 ? [Double(found.nanoseconds)] : []
          if round == 0, index == 0 { counts[key, default: 0] += 1 }
        }
      }
    }
    let setting = NetworkStrategies.trainingSetting(threads: threads)
    for key in order {
      var pass = Pass(problem: key.problem, pass: key.pass)
      pass.count = counts[key] ?? 0
      for (name, found) in (times[key] ?? [:]).sorted(by: { $0.key < $1.key }) {
        let sorted = found.sorted()
        pass.nanoseconds[name] = sorted[sorted.count / 2]
        plans?.record(
          key.problem, key.pass, instructionSet, setting: setting, strategy: name,
          nanoseconds: sorted[sorted.count / 2])
      }
      passes.append(pass)
    }
  }

  private struct Key: Hashable {
    let problem: Conv2dProblem
    let pass: ConvolutionPass
  }
}
