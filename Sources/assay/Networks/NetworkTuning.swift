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
  private let name: String
  private let plan: NetworkPlan
  private let weights: [String: AnyTensor]
  private let threads: Int
  private let instructionSet: InstructionSet

  /// - Throws: `ValidationError` for a network that does not exist.
  init(_ name: String, batch: Int, threads: Int, training: Bool = false) throws {
    do throws(ProblemError) {
      let architecture = try ResNetArchitecture(named: name)
      let side = architecture.usualImageSide
      plan = try architecture.plan(inputShape: Shape(batch, 3, side, side), training: training)
    } catch { throw ValidationError("--network: \(error)") }
    self.name = name
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

  /// Times within steps of training, also as a table, and what a step takes with the strategies that are chosen by them.
  /// - Throws: ``Execution/ExecutionError``.
  func measureTraining(
    rounds: Int, plans: ConvolutionPlans, progress: (Int, Int) -> Void
  ) throws -> (text: String, times: [StrategyTimes]) {
    let measured = try TrainingMeasurement(
      plan, weights: weights, threads: threads, instructionSet: instructionSet, rounds: rounds, plans: plans,
      progress: progress)
    let rows = measured.passes.map { pass in
      Self.row([pass.problem.text, pass.pass.rawValue, "\(pass.count)"], pass.nanoseconds)
    }
    let names = AutoStrategy().admissible.map { "\($0.name) ms" }
    let table = TextTable(["convolution", "pass", "layers", "fastest"] + names, rows, words: 4)
    let network = try TrainingNetwork(
      plan, weights: weights, threads: threads, instructionSet: instructionSet, strategies: .automatic(plans))
    let rule = try OptimizerOptions(name: "adam", attributes: Attributes(["lr": .real(1e-4)]))
    let optimizer = try NetworkOptimizer(rule, threads: threads, instructionSet: instructionSet)
    let images = Tensor<Float>(splitMix64Uniform: plan.inputShape, seed: 1, low: -1, high: 1)
    let labels = Tensor<Int64>(shape: [images.shape[0]], elements: Array(repeating: 0, count: images.shape[0]))
    var seconds: [Double] = []
    for round in 0...rounds {
      let start = ContinuousClock.now
      try network.step(images, labels: labels, optimizer)
      if round > 0 { seconds.append(start.duration(to: .now) / .seconds(1)) }
    }
    let median = seconds.sorted()[seconds.count / 2]
    let memory = network.activationBytes + network.gradientBytes + network.parameters.bytes
    let step = String(
      format: "a step with Adam: median %.1f ms, %.1f images/s; activations, gradients and parameters %d MiB\n",
      median * 1000, Double(images.shape[0]) / median, memory >> 20)
    let times = measured.passes.map { pass in
      StrategyTimes(
        network: name, threads: threads, convolution: pass.problem.text, pass: pass.pass.rawValue, layers: pass.count,
        nanoseconds: pass.nanoseconds)
    }
    return (table.text + step, times)
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
      let text = layer.problem.text + (layer.addsResidual ? " + residual" : "")
      return Self.row([text, "\(layer.count)"], layer.nanoseconds)
    }
    return TextTable(["convolution", "layers", "fastest"] + names.map { "\($0) ms" }, rows, words: 3)
  }

  func times(_ measurement: StrategyMeasurement) -> [StrategyTimes] {
    measurement.layers.map { layer in
      StrategyTimes(
        network: name, threads: threads, convolution: layer.problem.text, pass: ConvolutionPass.forward.rawValue,
        layers: layer.count, addsResidual: layer.addsResidual, nanoseconds: layer.nanoseconds)
    }
  }

  /// What was timed, the fastest strategy, and the times of all.
  private static func row(_ words: [String], _ nanoseconds: [String: Double]) -> [String] {
    let best = nanoseconds.min { $0.value < $1.value }?.key ?? ""
    let times = AutoStrategy().admissible.map { strategy in
      nanoseconds[strategy.name].map { String(format: "%.3f", $0 * 1e-6) } ?? "–"
    }
    return words + [best] + times
  }
}

/// What `assay tune --json` writes of a convolution.
struct StrategyTimes: Encodable {
  /// The network that it was timed in, if any, and how many layers of that are like it.
  var network: String?
  var threads = 1
  var convolution, pass: String
  var layers: Int?
  var addsResidual: Bool?
  /// By strategy.
  var nanoseconds: [String: Double]
}
