import Problems
import Tensors

extension BatchNorm2d {
  public static let perturbations: Applicable<[Perturbation]> = .some([
    .operand("shifted input") { Perturbation.rolled($0) },
    .operand("dropped weight", "weight") { $0.map { _ in 1 } },
    .operand("dropped bias", "bias") { Perturbation.zeroed($0) },
  ])

  /// Mistakes that people make in batch normalisation.
  public static let mutants: Applicable<[Mutant]> = .some(
    statistics + formula + backward + [
      .summedInSixteenBits(
        "batch statistics kept in 16 bits", name,
        ["outputs/y", "buffers_after/running_mean", "buffers_after/running_var"]),
      .summedInSixteenBits("sums of dγ and dβ kept in 16 bits", name, ["gradients/weight", "gradients/bias"]),
    ])

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .batchNorm, [Self.name], change)
  }

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant {
    .answering(name, .batchNorm, [Self.name], change)
  }

  private static func stateless(_ name: String, _ defect: @escaping Mutant.Defect) -> Mutant {
    .stateless(name, .batchNorm, [Self.name], defect)
  }

  private static func isTraining(_ exercise: Exercise) -> Bool {
    (try? exercise.attributes.boolean("training", default: false)) ?? false
  }

  private static func usesBatch(_ exercise: Exercise) -> Bool {
    isTraining(exercise) || exercise.buffers["running_mean"] == nil
  }

  private static func eps(_ exercise: Exercise) -> Double {
    (try? exercise.attributes.real("eps", default: 1e-5)) ?? 1e-5
  }

  /// Values of one channel, for defects that have to know what the variance is.
  private static func moments(_ exercise: Exercise) -> (mean: [Double], variance: [Double], count: Int)? {
    guard let x = exercise.inputs["x"]?.doubles, x.shape.rank == 4 else { return nil }
    let channels = x.shape[1]
    let plane = x.shape[2] * x.shape[3]
    let count = x.shape[0] * plane
    var mean = [Double](repeating: 0, count: channels)
    var variance = mean
    for (i, value) in x.elements.enumerated() { mean[i / plane % channels] += value / Double(count) }
    for (i, value) in x.elements.enumerated() {
      let c = i / plane % channels
      variance[c] += (value - mean[c]) * (value - mean[c]) / Double(count)
    }
    return (mean, variance, count)
  }

  /// y − β scaled by a factor of each channel.
  private static func rescale(
    _ answer: inout Answer, _ exercise: Exercise, by factor: (_ channel: Int) -> Double
  ) {
    let bias = exercise.parameters["bias"]?.doubles.elements
    answer.outputs.edit("y") { y in
      y = y.indexed { index, value in
        let beta = bias?[index[1]] ?? 0
        return (value - beta) * factor(index[1]) + beta
      }
    }
  }

  private static let statistics: [Mutant] = [
    answering("running_var takes the biased variance") { answer, exercise in
      guard let (_, variance, count) = moments(exercise), isTraining(exercise), count > 1 else { return }
      let before = exercise.buffers["running_var"]?.doubles.elements ?? []
      answer.buffersAfter.edit("running_var") { after in
        for c in after.elements.indices where before.indices.contains(c) {
          let unbiased = variance[c] * Double(count) / Double(count - 1)
          guard unbiased != before[c] else { continue }
          let momentum = (after.elements[c] - before[c]) / (unbiased - before[c])
          after.elements[c] += momentum * (variance[c] - unbiased)
        }
      }
    },
    answering("normalised by the unbiased variance") { answer, exercise in
      guard usesBatch(exercise), let (_, variance, count) = moments(exercise), count > 1 else { return }
      let eps = eps(exercise)
      rescale(&answer, exercise) { c in
        let unbiased = variance[c] * Double(count) / Double(count - 1)
        return ((variance[c] + eps) / (unbiased + eps)).squareRoot()
      }
    },
    asking("momentum inverted") { exercise in
      let momentum = (try? exercise.attributes.real("momentum", default: 0.1)) ?? 0.1
      if !momentum.isNaN { exercise.attributes["momentum"] = .real(1 - momentum) }
    },
    asking("evaluation on batch statistics") { exercise in
      if !isTraining(exercise) {
        exercise.buffers["running_mean"] = nil
        exercise.buffers["running_var"] = nil
      }
    },
    stateless("evaluation updates the running statistics") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard !isTraining(exercise), exercise.buffers["running_mean"] != nil else { return answer }
      var training = exercise
      training.attributes["training"] = .boolean(true)
      guard let other = try? correct(training) else { return answer }
      answer.buffersAfter = other.buffersAfter
      return answer
    },
    stateless("statistics of each image on its own") { (exercise, correct) throws(EngineError) in
      guard usesBatch(exercise), let shape = exercise.inputs["x"]?.shape, shape[0] > 1, shape[2] * shape[3] > 1 else {
        return try correct(exercise)
      }
      var answer = try correct(exercise)
      let image = shape.count / shape[0]
      var y: [Double] = []
      for n in 0..<shape[0] {
        var part = exercise
        part.passes = [.forward]
        part.inputs.edit("x") { x in
          x = Tensor(
            shape: Shape(1, shape[1], shape[2], shape[3]), elements: Array(x.elements[n * image..<(n + 1) * image]))
        }
        y += try correct(part).outputs["y"]?.doubles.elements ?? []
      }
      if y.count == shape.count { answer.outputs.edit("y") { $0 = Tensor(shape: shape, elements: y) } }
      return answer
    },
    answering("num_batches_tracked not counted") { answer, exercise in
      if answer.buffersAfter["num_batches_tracked"] != nil {
        answer.buffersAfter["num_batches_tracked"] = exercise.buffers["num_batches_tracked"]
      }
    },
    answering("running_mean not updated") { answer, exercise in
      if answer.buffersAfter["running_mean"] != nil {
        answer.buffersAfter["running_mean"] = exercise.buffers["running_mean"]
      }
    },
  ]

  private static let formula: [Mutant] = [
    stateless("eps outside the root") { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      let eps = eps(exercise)
      guard let (_, batch, _) = moments(exercise) else { return answer }
      let running = exercise.buffers["running_var"]?.doubles.elements ?? []
      let variance = usesBatch(exercise) ? batch : running
      func factor(_ c: Int) -> Double {
        (variance[c] + eps).squareRoot() / (variance[c].squareRoot() + eps)
      }
      rescale(&answer, exercise, by: factor)
      // √(σ² + ε′) = √σ² + ε has ε′ = 2ε√σ² + ε²: the gradients follow from another eps in each channel.
      answer.gradients.edit("x") { dx in dx = dx.indexed { $1 * factor($0[1]) } }
      return answer
    },
    asking("eps missing") { $0.attributes["eps"] = .real(0) },
    asking("eps ten times too large") { $0.attributes["eps"] = .real(10 * eps($0)) },
    answering("variance as E[x²] − E[x]²") { answer, exercise in
      guard usesBatch(exercise), exercise.dtype == .float32, let x = exercise.inputs["x"]?.doubles,
        let (_, variance, count) = moments(exercise)
      else { return }
      let eps = eps(exercise)
      let channels = x.shape[1]
      let plane = x.shape[2] * x.shape[3]
      var sums = [Float](repeating: 0, count: channels)
      var squares = sums
      for (i, value) in x.elements.enumerated() {
        sums[i / plane % channels] += Float(value)
        squares[i / plane % channels] += Float(value) * Float(value)
      }
      rescale(&answer, exercise) { c in
        let mean = sums[c] / Float(count)
        let cancelled = max(squares[c] / Float(count) - mean * mean, 0)
        return ((variance[c] + eps) / (Double(cancelled) + eps)).squareRoot()
      }
    },
    stateless("γ and β exchanged") { (exercise, correct) throws(EngineError) in
      guard let weight = exercise.parameters["weight"], let bias = exercise.parameters["bias"] else {
        return try correct(exercise)
      }
      var changed = exercise
      changed.parameters["weight"] = bias
      changed.parameters["bias"] = weight
      return try correct(changed)
    },
  ]

  /// γ/√(σ² + ε)·dy: the gradient as if μ and σ² were constants.
  private static func plain(_ exercise: Exercise) -> Tensor<Double>? {
    guard usesBatch(exercise), let dy = exercise.upstream["y"]?.doubles, let (_, variance, _) = moments(exercise) else {
      return nil
    }
    let eps = eps(exercise)
    let weight = exercise.parameters["weight"]?.doubles.elements
    return dy.indexed { index, value in value * (weight?[index[1]] ?? 1) / (variance[index[1]] + eps).squareRoot() }
  }

  private static func channelMeans(_ tensor: Tensor<Double>) -> [Double] {
    let plane = tensor.shape[2] * tensor.shape[3]
    let channels = tensor.shape[1]
    var means = [Double](repeating: 0, count: channels)
    for (i, value) in tensor.elements.enumerated() {
      means[i / plane % channels] += value / Double(tensor.shape[0] * plane)
    }
    return means
  }

  private static let backward: [Mutant] = [
    answering("dx without the mean term") { answer, exercise in
      guard let plain = plain(exercise) else { return }
      let means = channelMeans(plain)
      answer.gradients.edit("x") { dx in dx = dx.indexed { $1 + means[$0[1]] } }
    },
    answering("dx without the variance term") { answer, exercise in
      guard let plain = plain(exercise) else { return }
      let means = channelMeans(plain)
      answer.gradients.edit("x") { dx in dx = plain.indexed { $1 - means[$0[1]] } }
    },
    answering("dx as if the statistics were constants") { answer, exercise in
      guard let plain = plain(exercise) else { return }
      answer.gradients.edit("x") { $0 = plain }
    },
    answering("dγ from x instead of x̂") { answer, exercise in
      guard let x = exercise.inputs["x"]?.doubles, let dy = exercise.upstream["y"]?.doubles else { return }
      answer.gradients.edit("weight") { dw in
        dw = Tensor(zeros: dw.shape)
        for offset in x.elements.indices {
          dw.elements[x.shape.index(ofOffset: offset)[1]] += x.elements[offset] * dy.elements[offset]
        }
      }
    },
    answering("dγ and dβ exchanged") { answer, _ in
      guard let weight = answer.gradients["weight"], let bias = answer.gradients["bias"] else { return }
      answer.gradients["weight"] = bias
      answer.gradients["bias"] = weight
    },
    asking("eps missing in the backward pass only") { exercise in
      if exercise.passes.contains(.backward) { exercise.attributes["eps"] = .real(0) }
    },
  ]
}
