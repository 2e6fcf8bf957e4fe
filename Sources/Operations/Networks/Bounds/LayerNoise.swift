import Engines
import Foundation
import Problems
import Operations
import Tensors

/// How much each layer's own rounding may disturb its results, one standard deviation for each element: the statistical bound
/// of the layer on its captured activations, over λ.
struct LayerNoise {
  /// By layer: of y, dx, d(other) and the parameters' gradients.
  struct Deviations {
    var output = Deviation.none
    var dInput = Deviation.none
    var dOther = Deviation.none
    var parameters: [String: Deviation] = [:]
    /// Bounds of the running statistics, by the layer's own rounding alone.
    var buffers: [String: [Double]] = [:]
  }

  private(set) var layers: [String: Deviations] = [:]

  /// - Parameters:
  ///   - records: the layers as the unperturbed pass met them.
  ///   - cotangents: the gradients by their outputs.
  ///   - evenly: one deviation a channel, convolutions' as ``EvenNoise``.
  init(
    records: [String: LayerRecord<Double>], cotangents: [String: Tensor<Double>], state: NetworkState<Double>,
    evenly: Bool
  ) {
    for (name, record) in records {
      if evenly, case .conv2d(let problem) = record.layer.operation, !problem.hasBias,
        let weight = state.parameters["\(name).weight"]
      {
        layers[name] = EvenNoise.deviations(problem, record, weight: weight, dOutput: cotangents[name])
      } else {
        var deviations = Self.deviations(record, cotangents[name], state)
        if evenly {
          deviations.output = deviations.output.byChannel(record.y.shape)
          deviations.dInput = deviations.dInput.byChannel(record.x.shape)
          deviations.dOther = deviations.dOther.byChannel(record.x.shape)
        }
        layers[name] = deviations
      }
    }
  }

  private static func deviations(
    _ record: LayerRecord<Double>, _ dOutput: Tensor<Double>?, _ state: NetworkState<Double>
  ) -> Deviations {
    let (layer, problem) = (record.layer, record.layer.problem)
    let exercise = record.exercise(dOutput: dOutput, state: state)
    let wanted: Set = ["outputs/y", "gradients/x", "gradients/weight", "gradients/bias"]
    guard let model = BoundModels.make(for: exercise, problem: problem, wanted: wanted) else { return Deviations() }
    func deviation(_ path: String) -> Deviation {
      Deviation((model.bounds(of: path, in: .float32)?.tightest ?? []).map { $0 / ElementBounds.lambda })
    }
    var result = Deviations(output: deviation("outputs/y"))
    if dOutput != nil {
      result.dInput = deviation("gradients/x")
      result.dOther = deviation("gradients/other")
      for name in exercise.parameters.keys {
        result.parameters["\(layer.name).\(name)"] = deviation("gradients/\(name)")
      }
    }
    for name in ["running_mean", "running_var"] where exercise.buffers[name] != nil {
      result.buffers["\(layer.name).\(name)"] = model.bounds(of: "buffers_after/\(name)", in: .float32)?.tightest ?? []
    }
    return result
  }

  /// Has every result of a pass disturbed by independent normal noise.
  func disturb(_ pass: inout NetworkPass<Double>, from source: NoiseSource) {
    let layers = layers
    pass.transform = { layer, y in source.disturbed(y, layers[layer.name]?.output ?? .none) }
    pass.transformGradients = { layer, _, gradients in
      guard let deviations = layers[layer.name] else { return gradients }
      var changed = gradients
      changed.dInput = source.disturbed(gradients.dInput, deviations.dInput)
      changed.dOther = gradients.dOther.map { source.disturbed($0, deviations.dOther) }
      // All draw from one stream: a dictionary's own order, another in each process, would make each run's bounds its own.
      for (name, gradient) in gradients.parameters.sorted(by: { $0.key < $1.key }) {
        changed.parameters[name] = source.disturbed(gradient, deviations.parameters[name] ?? .none)
      }
      return changed
    }
  }
}

/// Normal numbers for one run. A class because the hooks of a pass share it; never shared between tasks.
final class NoiseSource {
  private var stream: SplitMix64

  init(seed: UInt64) { stream = SplitMix64(seed: seed) }

  /// Irwin–Hall: the sum of four uniform numbers, near enough to normal and bounded.
  private func next() -> Double {
    let bits = stream.next()
    let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
    return (Double(sum) / 65_536 - 2) * 3.0.squareRoot()
  }

  func disturbed(_ tensor: Tensor<Double>, _ deviation: Deviation) -> Tensor<Double> {
    guard !deviation.isEmpty else { return tensor }
    var result = tensor
    for i in result.elements.indices {
      let scale = deviation[i]
      if scale != 0 { result.elements[i] += scale * next() }
    }
    return result
  }

  /// Each element by its own roundings, so many of them.
  func disturbed(_ tensor: Tensor<Double>, roundings: Double) -> Tensor<Double> {
    tensor.map { $0 + roundings * Rounding.float32.unit * $0 * next() }
  }
}
