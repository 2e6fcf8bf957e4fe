import Problems
import Tensors

/// Group normalisation of an N×C×… tensor: over C/G neighbouring channels and all later axes, for each image and group on its own.
///
///     y[n,c,…] = γ[c] · (x[n,c,…] − μ[n,g]) / √(σ²[n,g] + ε) + β[c],   g = ⌊c / (C/G)⌋
///
/// With one group it is layer normalisation of an image but for its γ and β, with C groups instance normalisation.
///
/// The gradients of Σ y·dOutput:
///
///     dγ[c] = Σ dy·x̂,   dβ[c] = Σ dy   over the images and later axes
///     dx = (g − mean(g) − x̂·mean(g·x̂)) / √(σ² + ε),   g = γ[c]·dy,   means over the group
///
/// γ differs within a group, so it stands inside the means.
///
/// - Shapes: `x`, `y` (N, C, …) of rank ≥ 2; γ = `weight` and β = `bias` (C), each of which may be left out.
/// - The *biased* σ² normalises, in training and in evaluation alike. A group of one value gives β.
/// - Throws: ``Problems/ProblemError`` when a tensor does not have the problem's shape; nothing is computed then.
/// - Source: Wu and He 2018, equations 1, 2 and 7; argument names after `torch.nn.GroupNorm`.
public struct GroupNorm: Sendable {
  public let problem: GroupNormProblem
  public init(_ problem: GroupNormProblem) { self.problem = problem }

  /// The groups: image by image, in each as many as there are, with C/G parameters each.
  public var layout: NormalisedSlices {
    let plane = problem.inputShape.dimensions.dropFirst(2).reduce(1, *)
    return NormalisedSlices(
      runCount: 1, count: problem.inputShape[0] * problem.numGroups, runLength: problem.channelsPerGroup * plane,
      parameterCount: problem.channels, parametersPerSlice: problem.channelsPerGroup)
  }
}

extension GroupNorm: SliceNormalisation {}
