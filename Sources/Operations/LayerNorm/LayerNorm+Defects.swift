import Problems
import Tensors

extension LayerNorm {
  public static let perturbations: Applicable<[Perturbation]> = .some(NormalisationDefects.perturbations)

  /// Mistakes that people make in layer normalisation.
  public static let mutants: Applicable<[Mutant]> = .some(statistics + formula + backward)

  private static func problem(_ exercise: Exercise) -> LayerNormProblem? {
    (try? exercise.problem()) as? LayerNormProblem
  }

  private static let defects = NormalisationDefects(operation: name) { exercise in
    problem(exercise).flatMap { SlicedExercise(exercise, LayerNorm($0).layout, eps: $0.eps) }
  }

  /// The same elements in rows of another number of axes.
  private static func rows(
    ofDims dims: @escaping @Sendable (LayerNormProblem) -> Int
  ) -> @Sendable (Exercise) -> NormalisationDefects.Regrouping? {
    { exercise in
      guard let problem = problem(exercise) else { return nil }
      let shape = problem.inputShape
      return .init(
        shape: shape, order: Array(0..<shape.count),
        attributes: ["normalized_dims": .integer(min(dims(problem), shape.rank))])
    }
  }

  private static let statistics: [Mutant] = [
    defects.unbiasedVariance("unbiased variance of a row"),
    defects.cancelledVariance("variance of a row as E[x²] − E[x]²"),
    defects.firstSliceForAll("the first row's statistics for all"),
    defects.meanNotSubtracted("normalised by the root mean square"),
    defects.regrouped("rows of the last axis alone", rows { _ in 1 }),
    defects.regrouped("rows of one axis more", rows { $0.normalizedDims + 1 }),
    defects.regrouped("statistics over the rows instead of within them") { exercise in
      guard let layout = problem(exercise).map({ LayerNorm($0).layout }) else { return nil }
      return .init(
        shape: Shape(layout.size, layout.count),
        order: (0..<layout.size).flatMap { j in (0..<layout.count).map { $0 * layout.size + j } },
        attributes: ["normalized_dims": .integer(1)])
    },
  ]

  private static let formula: [Mutant] = [
    defects.epsOutsideRoot("eps outside the root of a row"),
    defects.asking("eps missing in a row") { $0.attributes["eps"] = .real(0) },
    defects.weightBeforeNormalising("γ applied before the row is normalised"),
    defects.asking("γ of the last axis alone") { exercise in
      exercise.parameters.edit("weight") { weight in
        let last = weight.shape.dimensions.last ?? 1
        weight = Tensor(shape: weight.shape, elements: weight.elements.indices.map { weight.elements[$0 % last] })
      }
    },
  ]

  private static let backward: [Mutant] = [
    defects.withoutMeanTerm("dx of a row without the mean term"),
    defects.withoutVarianceTerm("dx of a row without the variance term"),
    defects.constantStatistics("dx as if a row's statistics were constants"),
    defects.weightOutsideTheSums("γ taken out of a row's sums in dx"),
    defects.weightGradientFromInput("dγ of layer norm from x instead of x̂"),
    defects.overwrittenParameterGradients("dγ and dβ of the last row alone"),
  ]
}
