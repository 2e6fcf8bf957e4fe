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
    public var count = 0
    /// Median nanoseconds by strategy.
    public var nanoseconds: [String: Double] = [:]
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
    let candidates = AutoStrategy().admissible
    let all = candidates.count * (rounds + 2)
    var networks: [(name: String, network: InferenceNetwork)] = []
    for (index, strategy) in candidates.enumerated() {
      progress(index, all)
      let network = try InferenceNetwork(
        plan, weights: weights, threads: threads, instructionSet: instructionSet, strategies: .one(strategy))
      networks.append((strategy.name, network))
    }
    let images = Tensor<Float>(splitMix64Uniform: plan.inputShape, seed: 1, low: -1, high: 1)
    var times: [Key: [String: [Double]]] = [:]
    var counts: [Key: Int] = [:]
    var order: [Key] = []
    for round in 0...rounds {
      for (index, (name, network)) in networks.enumerated() {
        progress(candidates.count * (round + 1) + index, all)
        for step in try network.trace(images) {
          // The first round warms caches and pages; a layer that the strategy leaves to `direct` is direct's to time.
          guard let problem = step.problem, step.kind == name else { continue }
          let key = Key(problem: problem, addsResidual: step.addsResidual)
          if times[key] == nil { order.append(key) }
          if round > 0 {
            times[key, default: [:]][name, default: []].append(Double(step.nanoseconds))
          } else {
            times[key, default: [:]][name, default: []] += []
            counts[key, default: 0] += name == "direct" ? 1 : 0
          }
        }
      }
    }
    let setting = { NetworkStrategies.setting(threads: threads, addsResidual: $0) }
    for key in order {
      var layer = Layer(problem: key.problem, addsResidual: key.addsResidual)
      layer.count = counts[key] ?? 0
      for (name, found) in times[key] ?? [:] {
        let sorted = found.sorted()
        layer.nanoseconds[name] = sorted[sorted.count / 2]
      }
      for (name, median) in layer.nanoseconds.sorted(by: { $0.key < $1.key }) {
        plans?.record(
          key.problem, .forward, instructionSet, setting: setting(key.addsResidual), strategy: name,
          nanoseconds: median)
      }
      layers.append(layer)
    }
  }

  private struct Key: Hashable {
    let problem: Conv2dProblem
    let addsResidual: Bool
  }
}
