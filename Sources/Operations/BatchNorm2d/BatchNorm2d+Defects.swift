import Problems
import Tensors

extension BatchNorm2d {
  public static let perturbations: Applicable<[Perturbation]> = .some(NormalisationDefects.perturbations)

  /// Mistakes that people make in batch normalisation.
  public static let mutants: Applicable<[Mutant]> = .some(
    statistics + formula + backward + [
      .summedInSixteenBits(
        "batch statistics kept in 16 bits", name,
        ["outputs/y", "buffers_after/running_mean", "buffers_after/running_var"]),
      .summedInSixteenBits("sums of dγ and dβ kept in 16 bits", name, ["gradients/weight", "gradients/bias"]),
    ])

  /// Where the batch's own statistics normalise.
  private static let inBatch = NormalisationDefects(operation: name) { exercise in
    usesBatch(exercise) ? channels(exercise) : nil
  }
  private static let everywhere = NormalisationDefects(operation: name) { channels($0) }

  private static func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    everywhere.asking(name, change)
  }

  private static func answering(
    _ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant { everywhere.answering(name, change) }

  private static func stateless(_ name: String, _ defect: @escaping Mutant.Defect) -> Mutant {
    everywhere.stateless(name, defect)
  }

  private static func isTraining(_ exercise: Exercise) -> Bool {
    (try? exercise.attributes.boolean("training", default: false)) ?? false
  }

  private static func usesBatch(_ exercise: Exercise) -> Bool {
    isTraining(exercise) || exercise.buffers["running_mean"] == nil
  }

  /// The channels with the statistics that normalise them.
  private static func channels(_ exercise: Exercise) -> SlicedExercise? {
    guard let problem = (try? exercise.problem()) as? BatchNorm2dProblem else { return nil }
    func running(_ name: String) -> [Double] { exercise.buffers[name]?.doubles.elements ?? [] }
    return SlicedExercise(
      exercise, BatchNorm2d(problem).layout, eps: problem.eps,
      given: problem.usesBatchStatistics ? nil : (running("running_mean"), running("running_var")))
  }

  private static let statistics: [Mutant] = [
    answering("running_var takes the biased variance") { answer, exercise in
      guard isTraining(exercise), let channels = channels(exercise), channels.layout.size > 1 else { return }
      let (variance, count) = (channels.variance, channels.layout.size)
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
    inBatch.unbiasedVariance("normalised by the unbiased variance"),
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
    everywhere.epsOutsideRoot("eps outside the root"),
    asking("eps missing") { $0.attributes["eps"] = .real(0) },
    asking("eps ten times too large") { $0.attributes["eps"] = .real(10 * NormalisationDefects.eps($0)) },
    inBatch.cancelledVariance("variance as E[x²] − E[x]²"),
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

  private static let backward: [Mutant] = [
    inBatch.withoutMeanTerm("dx without the mean term"),
    inBatch.withoutVarianceTerm("dx without the variance term"),
    inBatch.constantStatistics("dx as if the statistics were constants"),
    everywhere.weightGradientFromInput("dγ from x instead of x̂"),
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
