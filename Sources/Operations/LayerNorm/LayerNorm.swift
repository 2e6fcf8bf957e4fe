import Problems
import Tensors

/// Layer normalisation of a tensor over its last axes: each row, one index of the axes before them, on its own.
///
///     y[r,j] = γ[j] · (x[r,j] − μ[r]) / √(σ²[r] + ε) + β[j]
///
/// r goes over the leading axes and j over the trailing ones, of which the problem says how many there are.
///
/// The gradients of Σ y·dOutput:
///
///     dγ[j] = Σ dy·x̂,   dβ[j] = Σ dy   over the rows
///     dx = (g − mean(g) − x̂·mean(g·x̂)) / √(σ² + ε),   g = γ[j]·dy,   means over the row
///
/// γ differs within a row, so it stands inside the means.
///
/// - Shapes: `x`, `y` of any rank ≥ 1; γ = `weight` and β = `bias` of the trailing axes, each of which may be left out.
/// - The *biased* σ² normalises, in training and in evaluation alike. A row of one value gives β.
/// - Throws: ``Problems/ProblemError`` when a tensor does not have the problem's shape; nothing is computed then.
/// - Source: Ba, Kiros and Hinton 2016, equations 3 and 4; argument names after `torch.nn.LayerNorm`.
public struct LayerNorm: Sendable {
  public let problem: LayerNormProblem
  public init(_ problem: LayerNormProblem) { self.problem = problem }

  /// The rows, each of which has all parameters once.
  public var layout: NormalisedSlices {
    let size = problem.normalizedShape.count
    return NormalisedSlices(
      runCount: 1, count: problem.inputShape.dimensions.dropLast(problem.normalizedDims).reduce(1, *), runLength: size,
      parameterCount: size, parametersPerSlice: size)
  }
}

extension LayerNorm: SliceNormalisation {}
