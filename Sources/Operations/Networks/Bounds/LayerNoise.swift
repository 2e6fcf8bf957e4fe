import Problems
import Tensors

/// How much each layer's own rounding may disturb its results, one standard deviation for each element, from the bound of the layer on
/// its captured activations: the statistical one over λ, and no more than rounding spread evenly over the rigorous one has, ±B/√3.
///
/// The rigorous bound over λ would be too little where it is the tighter one: a single rounding reaches it in every run, and a sum of
/// a few of them over the next layer would be far beyond λ such deviations. For the same reason what n roundings lose by underflow,
/// a term n·η of either bound with a deviation of √n·η/√3, counts at least as much as that is at n = λ²/3, beyond which n·η/λ is more.
struct LayerNoise {
  /// Which rounding it is.
  enum Kind {
    /// Of independent values: by the statistical bound, each element by itself.
    case usual
    /// Of constants, ties and small integers, which round alike wherever they meet: by the rigorous bound, each element by itself
    /// and a whole channel at once.
    case systematic
  }

  struct Deviations {
    var output = Deviation.none
    /// By the layer's own names: `x`, `other`, `weight`, `bias`.
    var gradients: [String: Deviation] = [:]
    /// What elements share of their errors, by path.
    var shared: [String: [SharedErrors]] = [:]
    /// Bounds of the running statistics by the layer's own rounding alone, under their full names.
    var buffers: [String: [Double]] = [:]
    /// Whether every order of evaluation gives the same value of exact operands.
    var isExact = true
  }

  let kind: Kind
  private(set) var layers: [String: Deviations] = [:]
  /// Of 16 bits: what each result is rounded to before the next layer takes it.
  private var storage: FloatFormat?

  /// - Parameters:
  ///   - records: the layers as the unperturbed pass met them.
  ///   - cotangents: the gradients by their outputs.
  ///   - kind: which rounding it is.
  ///   - evenly: one deviation a channel (``Operation/evenDeviations(of:values:)``).
  init(
    records: [String: LayerRecord<Double>], cotangents: [String: Tensor<Double>], state: NetworkState<Double>,
    kind: Kind = .usual, evenly: Bool, storage: DType
  ) {
    self.kind = kind
    for (name, record) in records {
      layers[name] = Self.deviations(record, cotangents[name], state, kind, evenly: evenly)
    }
    if storage.isNarrow { self.storage = storage.format }
  }

  private static func deviations(
    _ record: LayerRecord<Double>, _ dOutput: Tensor<Double>?, _ state: NetworkState<Double>, _ kind: Kind,
    evenly: Bool
  ) -> Deviations {
    let (layer, definition) = (record.layer, record.layer.problem.definition)
    guard var given = try? layer.given(record.inputs, state: state) else { return Deviations() }
    given.upstream["y"] = dOutput
    var result = Deviations()
    if evenly, case .some(let even) = definition.evenDeviations(of: given, values: Found(y: record.y)) {
      result.output = even["outputs/y"] ?? .none
      for (path, deviation) in even where path.hasPrefix("gradients/") {
        result.gradients[String(path.dropFirst(10))] = deviation
      }
      return result
    }
    guard let model = definition.bounds(of: given, values: nil, algorithms: []) else { return result }
    func deviations(_ path: String) -> [Double] {
      guard let bounds = model.bounds(of: path, in: .float32) else { return [] }
      let lambda = ElementBounds.lambda
      guard kind == .usual else { return bounds.rigorous.map { $0 / lambda } }
      let even = bounds.rigorous.map { $0 / 3.0.squareRoot() }
      guard let statistical = bounds.statistical else { return even }
      let underflow = lambda / 3 * Rounding.float32.underflow
      return zip(statistical, even).map { $0.isNaN || $1.isNaN ? .nan : min(max($0 / lambda, underflow), $1) }
    }
    func deviation(_ path: String, _ shape: Shape?) -> Deviation {
      let deviation = Deviation(deviations(path))
      // Inputs and outputs may be too large to keep one for each element; parameters are not.
      return evenly ? shape.map(deviation.byChannel) ?? deviation : deviation
    }
    if !evenly, let sharing = model as? any ErrorSharing {
      for path in ["outputs/y"] + (dOutput == nil ? [] : ["gradients/x"]) {
        result.shared[path] = sharing.sharedErrors(of: path, in: .float32, isRigorous: kind == .systematic)
      }
    }
    result.isExact = model.isExact("outputs/y")
    result.output = deviation("outputs/y", record.y.shape)
    if dOutput != nil {
      for name in definition.differentiableOperands.value ?? [] {
        result.gradients[name] = deviation("gradients/\(name)", record.inputs[name]?.shape)
      }
    }
    for (name, type) in layer.problem.operands.buffers where type.dtype != .int64 {
      let bounds = model.bounds(of: "buffers_after/\(name)", in: .float32)
      result.buffers["\(layer.name).\(name)"] = (kind == .usual ? bounds?.tightest : bounds?.rigorous) ?? []
    }
    return result
  }

  /// Has every result of a pass disturbed by normal noise.
  func disturb(_ pass: inout NetworkPass<Double>, from source: NoiseSource) {
    let (layers, storage, kind) = (layers, storage, kind)
    func disturbed(_ tensor: Tensor<Double>, _ deviation: Deviation, _ shared: [SharedErrors]?) -> Tensor<Double> {
      let result = source.disturbed(tensor, deviation, shared ?? [])
      return kind == .usual ? result : source.disturbedByChannel(result, deviation)
    }
    pass.transform = { layer, y in
      let noise = layers[layer.name]
      return source.stored(disturbed(y, noise?.output ?? .none, noise?.shared["outputs/y"]), in: storage)
    }
    pass.transformGradients = { layer, _, gradients in
      guard let deviations = layers[layer.name] else { return gradients }
      var changed = gradients
      // All draw from one stream: a dictionary's own order, another in each process, would make each run's bounds its own.
      for (name, gradient) in gradients.byName.sorted(by: { $0.key < $1.key }) {
        let disturbed = disturbed(
          gradient, deviations.gradients[name] ?? .none, deviations.shared["gradients/\(name)"])
        let isKept = layer.problem.definition.staysSingle.contains(name)
        changed.byName[name] = isKept ? disturbed : source.stored(disturbed, in: storage)
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
    var elements = result.elements.mutableSpan
    deviation.forEachRun(of: elements.count) { range, scale in
      guard scale != 0 else { return }
      for i in range { elements[i] += scale * next() }
    }
    return result
  }

  /// The same, and with what elements share.
  func disturbed(_ tensor: Tensor<Double>, _ deviation: Deviation, _ shared: [SharedErrors]) -> Tensor<Double> {
    var result = disturbed(tensor, deviation)
    for errors in shared {
      let numbers = (0..<(errors.groups.max() ?? -1) + 1).map { _ in next() / ElementBounds.lambda }
      for i in result.elements.indices { result.elements[i] += errors.weights[i] * numbers[errors.groups[i]] }
    }
    return result
  }

  /// All elements of a channel by one number, times what each may be off by.
  func disturbedByChannel(_ tensor: Tensor<Double>, _ deviation: Deviation) -> Tensor<Double> {
    guard !deviation.isEmpty, tensor.shape.rank > 1 else { return tensor }
    let channels = tensor.shape[1]
    let run = tensor.shape.dimensions.dropFirst(2).reduce(1, *)
    let numbers = (0..<channels).map { _ in next() }
    var result = tensor
    for i in result.elements.indices { result.elements[i] += deviation[i] * numbers[i / run % channels] }
    return result
  }

  /// Each element as if rounded to the format: a uniform error of one spacing, whose standard deviation is u·|y|/√3 and more.
  func stored(_ tensor: Tensor<Double>, in format: FloatFormat?) -> Tensor<Double> {
    guard let format else { return tensor }
    return tensor.map { value in
      value.isFinite ? value + format.spacing(at: value) * (Double(stream.next() >> 11) * 0x1p-53 - 0.5) : value
    }
  }

  /// Each element by its own roundings, so many of them.
  func disturbed(_ tensor: Tensor<Double>, roundings: Double) -> Tensor<Double> {
    tensor.map { $0 + roundings * Rounding.float32.unit * $0 * next() }
  }
}
