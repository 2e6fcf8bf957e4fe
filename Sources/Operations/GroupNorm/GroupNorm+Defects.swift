import Problems
import Tensors

extension GroupNorm {
  public static let perturbations: Applicable<[Perturbation]> = .some(
    NormalisationDefects.perturbations + [
      Perturbation(name: "one group for all") { exercise, _ in
        guard let problem = problem(exercise), problem.numGroups > 1 else { return nil }
        var changed = exercise
        changed.attributes["num_groups"] = .integer(1)
        return changed
      }
    ])

  /// Mistakes that people make in group normalisation.
  public static let mutants: Applicable<[Mutant]> = .some(statistics + formula + backward)

  private static func problem(_ exercise: Exercise) -> GroupNormProblem? {
    (try? exercise.problem()) as? GroupNormProblem
  }

  private static let defects = NormalisationDefects(operation: name) { exercise in
    problem(exercise).flatMap { SlicedExercise(exercise, GroupNorm($0).layout, eps: $0.eps) }
  }

  private static let statistics: [Mutant] = [
    defects.unbiasedVariance("unbiased variance of a group"),
    defects.cancelledVariance("variance of a group as E[x²] − E[x]²"),
    defects.firstSliceForAll("the first group's statistics for all"),
    defects.asking("all channels as one group") { $0.attributes["num_groups"] = .integer(1) },
    defects.asking("each channel as a group") { exercise in
      if let problem = problem(exercise) { exercise.attributes["num_groups"] = .integer(problem.channels) }
    },
    defects.regrouped("groups across the batch") { exercise in
      guard let shape = problem(exercise)?.inputShape else { return nil }
      let plane = shape.dimensions.dropFirst(2).reduce(1, *)
      return .init(
        shape: [1, shape[1], shape[0] * plane],
        order: (0..<shape[1]).flatMap { c in
          (0..<shape[0]).flatMap { n in
            let start = (n * shape[1] + c) * plane
            return start..<start + plane
          }
        })
    },
    defects.regrouped("groups of every G-th channel") { exercise in
      guard let problem = problem(exercise) else { return nil }
      let shape = problem.inputShape
      let plane = shape.dimensions.dropFirst(2).reduce(1, *)
      return .init(
        shape: shape,
        order: (0..<shape.count).map { i in
          let (c, group) = (i / plane % shape[1], problem.channelsPerGroup)
          let source = c % group * problem.numGroups + c / group
          return i + (source - c) * plane
        })
    },
  ]

  private static let formula: [Mutant] = [
    defects.epsOutsideRoot("eps outside the root of a group"),
    defects.asking("eps missing in a group") { $0.attributes["eps"] = .real(0) },
    defects.weightBeforeNormalising("γ applied before the group is normalised"),
    defects.asking("γ by group instead of by channel") { exercise in
      guard let problem = problem(exercise) else { return }
      exercise.parameters.edit("weight") { weight in
        weight = weight.indexed { index, _ in weight.elements[index[0] / problem.channelsPerGroup] }
      }
    },
  ]

  private static let backward: [Mutant] = [
    defects.withoutMeanTerm("dx of a group without the mean term"),
    defects.withoutVarianceTerm("dx of a group without the variance term"),
    defects.constantStatistics("dx as if a group's statistics were constants"),
    defects.weightOutsideTheSums("γ taken out of a group's sums in dx"),
    defects.weightGradientFromInput("dγ of group norm from x instead of x̂"),
    defects.overwrittenParameterGradients("dγ and dβ of the last image alone"),
  ]
}
