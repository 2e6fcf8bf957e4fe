import ArgumentParser
import Convolution
import Execution
import Foundation
import Operations
import Problems
import Reporting
import Tensors

/// Which strategy is fastest for each layer of a network, measured within it. Weights are random: times do not depend on them.
struct NetworkTuning {
  private let plan: NetworkPlan
  private let weights: [String: AnyTensor]
  private let threads: Int
  private let instructionSet: InstructionSet

  /// - Throws: `ValidationError` for a network that does not exist.
  init(_ name: String, batch: Int, threads: Int) throws {
    do throws(ProblemError) {
      let architecture = try ResNetArchitecture(named: name)
      let side = architecture.usualImageSide
      plan = try architecture.plan(inputShape: Shape(batch, 3, side, side))
    } catch { throw ValidationError("--network: \(error)") }
    weights = Initialization(seed: 1).state(of: plan, as: Float.self).stateDict { .float32($0) }
    self.threads = threads
    instructionSet = try InstructionSet.selected()
  }

  /// - Throws: ``Execution/ExecutionError``.
  func measure(
    rounds: Int, plans: ConvolutionPlans, progress: (Int, Int) -> Void
  ) throws -> StrategyMeasurement {
    try StrategyMeasurement(
      plan, weights: weights, threads: threads, instructionSet: instructionSet, rounds: rounds, plans: plans,
      progress: progress)
  }

  /// A run with the strategies that the plans' times choose.
  /// - Throws: ``Execution/ExecutionError``.
  func trace(rounds: Int, plans: ConvolutionPlans) throws -> NetworkTrace {
    let network = try InferenceNetwork(
      plan, weights: weights, threads: threads, instructionSet: instructionSet, strategies: .automatic(plans))
    let images = Tensor<Float>(splitMix64Uniform: plan.inputShape, seed: 1, low: -1, high: 1)
    try network.run(images)
    var runs: [[InferenceNetwork.StepTime]] = []
    for _ in 0..<rounds { runs.append(try network.trace(images)) }
    return NetworkTrace(runs)
  }

  /// One line a kind of convolution.
  func table(_ measurement: StrategyMeasurement) -> TextTable {
    let names = AutoStrategy().admissible.map(\.name)
    let rows = measurement.layers.map { layer -> [String] in
      let best = layer.nanoseconds.min { $0.value < $1.value }?.key ?? ""
      let text = layer.problem.text + (layer.addsResidual ? " + residual" : "")
      return [text, "\(layer.count)", best]
        + names.map { layer.nanoseconds[$0].map { String(format: "%.3f", $0 * 1e-6) } ?? "–" }
    }
    return TextTable(["convolution", "layers", "fastest"] + names.map { "\($0) ms" }, rows, words: 3)
  }
}
