import Problems
import Tensors

/// Mistakes that people make in normalisations, for the one of them that is named.
struct NormalisationDefects: Sendable {
  let operation: String
  /// The exercise slice by slice; `nil` where the defect does not show in it.
  let slices: @Sendable (Exercise) -> SlicedExercise?

  static let perturbations: [Perturbation] = [
    .operand("shifted input") { Perturbation.rolled($0) },
    .operand("dropped weight", "weight") { $0.map { _ in 1 } },
    .operand("dropped bias", "bias") { Perturbation.zeroed($0) },
  ]

  static func eps(_ exercise: Exercise) -> Double { (try? exercise.attributes.real("eps", default: 1e-5)) ?? 1e-5 }

  func asking(_ name: String, _ change: @escaping @Sendable (inout Exercise) -> Void) -> Mutant {
    .asking(name, .normalisation, [operation], change)
  }

  func answering(_ name: String, _ change: @escaping @Sendable (inout Answer, Exercise) -> Void) -> Mutant {
    .answering(name, .normalisation, [operation], change)
  }

  func stateless(_ name: String, _ defect: @escaping Mutant.Defect) -> Mutant {
    .stateless(name, .normalisation, [operation], defect)
  }

  /// What is answered is changed by what the slices are.
  private func changing(
    _ name: String, _ change: @escaping @Sendable (inout Answer, SlicedExercise) -> Void
  ) -> Mutant {
    answering(name) { [slices] answer, exercise in
      if let sliced = slices(exercise) { change(&answer, sliced) }
    }
  }

  // MARK: Forward

  func unbiasedVariance(_ name: String) -> Mutant {
    changing(name) { answer, sliced in
      let size = Double(sliced.layout.size)
      guard size > 1 else { return }
      sliced.renormalise(&answer) { (sliced.mean[$0], sliced.variance[$0] * size / (size - 1)) }
    }
  }

  /// E[x²] − E[x]² in float32.
  func cancelledVariance(_ name: String) -> Mutant {
    answering(name) { [slices] answer, exercise in
      guard exercise.dtype == .float32, let sliced = slices(exercise) else { return }
      let layout = sliced.layout
      var sums = [Float](repeating: 0, count: layout.count)
      var squares = sums
      for (i, value) in sliced.x.elements.enumerated() {
        sums[layout.slice(of: i)] += Float(value)
        squares[layout.slice(of: i)] += Float(value) * Float(value)
      }
      sliced.renormalise(&answer) { slice in
        let mean = sums[slice] / Float(layout.size)
        return (sliced.mean[slice], Double(max(squares[slice] / Float(layout.size) - mean * mean, 0)))
      }
    }
  }

  func epsOutsideRoot(_ name: String) -> Mutant {
    changing(name) { answer, sliced in
      let eps = sliced.eps
      // √(σ′² + ε) = σ + ε.
      sliced.renormalise(&answer) { slice in
        let deviation = sliced.variance[slice].squareRoot() + eps
        return (sliced.mean[slice], deviation * deviation - eps)
      }
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices {
          let variance = sliced.variance[sliced.layout.slice(of: i)]
          dx.elements[i] *= (variance + eps).squareRoot() / (variance.squareRoot() + eps)
        }
      }
    }
  }

  func firstSliceForAll(_ name: String) -> Mutant {
    changing(name) { answer, sliced in
      sliced.renormalise(&answer) { _ in (sliced.mean[0], sliced.variance[0]) }
    }
  }

  /// RMS normalisation.
  func meanNotSubtracted(_ name: String) -> Mutant {
    changing(name) { answer, sliced in
      sliced.renormalise(&answer) { (0, sliced.variance[$0] + sliced.mean[$0] * sliced.mean[$0]) }
    }
  }

  /// γ·x is normalised, and β added.
  func weightBeforeNormalising(_ name: String) -> Mutant {
    asking(name) { [slices] exercise in
      guard exercise.parameters["weight"] != nil, let sliced = slices(exercise) else { return }
      exercise.inputs.edit("x") { x in
        for i in x.elements.indices { x.elements[i] *= sliced.weight(of: i) }
      }
      exercise.parameters.edit("weight") { $0 = $0.map { _ in 1 } }
    }
  }

  /// The elements of `x` in another order and shape, so that other ones are normalised together.
  struct Regrouping {
    var shape: Shape
    /// Where each element comes from.
    var order: [Int]
    var attributes: [String: AttributeValue] = [:]
  }

  /// Other slices are normalised: y and dx are theirs.
  func regrouped(_ name: String, _ regroup: @escaping @Sendable (Exercise) -> Regrouping?) -> Mutant {
    stateless(name) { [slices] (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let sliced = slices(exercise), let grouping = regroup(exercise) else { return answer }
      // γ and β belong to elements, which are elsewhere now: they are applied outside.
      var other = exercise
      other.parameters = [:]
      for (name, value) in grouping.attributes { other.attributes[name] = value }
      func reordered(_ tensor: Tensor<Double>) -> Tensor<Double> {
        Tensor(shape: grouping.shape, elements: grouping.order.map { tensor.elements[$0] })
      }
      other.inputs.edit("x") { $0 = reordered($0) }
      other.upstream.edit("y") { dy in
        for i in dy.elements.indices { dy.elements[i] *= sliced.weight(of: i) }
        dy = reordered(dy)
      }
      let theirs = try correct(other)
      let normalised = theirs.outputs["y"]?.doubles.elements ?? []
      answer.outputs.edit("y") { y in
        for (value, i) in zip(normalised, grouping.order) {
          y.elements[i] = sliced.weight(of: i) * value + sliced.bias(of: i)
        }
      }
      let gradient = theirs.gradients["x"]?.doubles.elements ?? []
      answer.gradients.edit("x") { dx in
        for (value, i) in zip(gradient, grouping.order) { dx.elements[i] = value }
      }
      return answer
    }
  }

  // MARK: Backward

  func withoutMeanTerm(_ name: String) -> Mutant {
    changing(name) { answer, sliced in
      guard let plain = sliced.plainGradient else { return }
      let means = sliced.layout.means(plain.elements)
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices { dx.elements[i] += means[sliced.layout.slice(of: i)] }
      }
    }
  }

  func withoutVarianceTerm(_ name: String) -> Mutant {
    changing(name) { answer, sliced in
      guard let plain = sliced.plainGradient else { return }
      let means = sliced.layout.means(plain.elements)
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices { dx.elements[i] = plain.elements[i] - means[sliced.layout.slice(of: i)] }
      }
    }
  }

  func constantStatistics(_ name: String) -> Mutant {
    changing(name) { answer, sliced in
      guard let plain = sliced.plainGradient else { return }
      answer.gradients.edit("x") { $0 = plain }
    }
  }

  func weightGradientFromInput(_ name: String) -> Mutant {
    changing(name) { answer, sliced in
      guard let dy = sliced.dy else { return }
      answer.gradients.edit("weight") { dw in
        dw = Tensor(zeros: dw.shape)
        for i in dy.elements.indices {
          dw.elements[sliced.layout.parameter(of: i)] += sliced.x.elements[i] * dy.elements[i]
        }
      }
    }
  }

  /// dx as of batch normalisation, γ·(dy − mean(dy) − x̂·mean(dy·x̂))/√(σ² + ε): right where γ is one number in a slice.
  func weightOutsideTheSums(_ name: String) -> Mutant {
    stateless(name) { [slices] (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard exercise.parameters["weight"] != nil, let sliced = slices(exercise) else { return answer }
      var other = exercise
      other.parameters["weight"] = nil
      guard let theirs = try correct(other).gradients["x"]?.doubles.elements else { return answer }
      answer.gradients.edit("x") { dx in
        for i in dx.elements.indices { dx.elements[i] = sliced.weight(of: i) * theirs[i] }
      }
      return answer
    }
  }

  /// dγ and dβ take the last elements alone, as many as go through all parameters once: what was there before is overwritten.
  func overwrittenParameterGradients(_ name: String) -> Mutant {
    stateless(name) { [slices] (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      guard let sliced = slices(exercise) else { return answer }
      var other = exercise
      other.upstream.edit("y") { dy in
        for i in 0..<dy.count - sliced.layout.parameterCount * sliced.layout.elementsPerParameter { dy.elements[i] = 0 }
      }
      let theirs = try correct(other)
      for name in ["weight", "bias"] { answer.gradients[name] = theirs.gradients[name] }
      return answer
    }
  }
}
