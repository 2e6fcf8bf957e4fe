import Problems
import Tensors

/// Resampling of an image by nearest neighbour or bilinear interpolation.
///
///     nearest    y[n,c,p,q] = x[n, c, ⌊p·s⌋, ⌊q·s⌋]
///     bilinear   y[n,c,p,q] = (1−λ)((1−μ)·x[h,w] + μ·x[h,w+1]) + λ((1−μ)·x[h+1,w] + μ·x[h+1,w+1])
///
/// where h + λ = max(0, (p + ½)·s − ½), or p·(H−1)/(P−1) with `alignCorners`; ``UpsamplingAxis`` has the step s and the axes
/// that are copied instead.
///
/// - Shapes: `x` (N, C, H, W); `y` (N, C, P, Q).
/// - Throws: `ProblemError` when a tensor does not have the problem's shape.
/// - Source: `torch.nn.functional.interpolate` without `recompute_scale_factor`. Bilinear coordinates are computed in Double
///   whatever the scalar is.
public struct Upsample2d: Sendable {
  public let problem: Upsample2dProblem
  private let rows: UpsamplingAxis
  private let columns: UpsamplingAxis

  public init(_ problem: Upsample2dProblem) {
    self.problem = problem
    (rows, columns) = UpsamplingAxis.both(of: problem)
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    let (input, output) = (problem.inputShape, problem.outputShape)
    let (rows, columns) = (rows.sources, columns.sources)
    var y = Tensor<Scalar>(zeros: output)
    for image in 0..<input[0] * input[1] {
      let start = image * input[2] * input[3]
      for p in 0..<output[2] {
        let (top, bottom) = (start + rows[p].index * input[3], start + rows[p].next * input[3])
        let lambda = Scalar(rows[p].fraction)
        for q in 0..<output[3] {
          let (left, right) = (columns[q].index, columns[q].next)
          let mu = Scalar(columns[q].fraction)
          let value: Scalar
          switch problem.mode {
          case .nearest: value = x.elements[top + left]
          case .bilinear:
            value =
              (1 - lambda) * ((1 - mu) * x.elements[top + left] + mu * x.elements[top + right])
              + lambda * ((1 - mu) * x.elements[bottom + left] + mu * x.elements[bottom + right])
          }
          y.elements[(image * output[2] + p) * output[3] + q] = value
        }
      }
    }
    return y
  }

  /// Each output's gradient goes to the inputs that it was made from, with the same weights.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(_ dOutput: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    let (input, output) = (problem.inputShape, problem.outputShape)
    let (rows, columns) = (rows.sources, columns.sources)
    var dInput = Tensor<Scalar>(zeros: input)
    for image in 0..<input[0] * input[1] {
      let start = image * input[2] * input[3]
      for p in 0..<output[2] {
        let (top, bottom) = (start + rows[p].index * input[3], start + rows[p].next * input[3])
        let lambda = Scalar(rows[p].fraction)
        for q in 0..<output[3] {
          let (left, right) = (columns[q].index, columns[q].next)
          let mu = Scalar(columns[q].fraction)
          let dy = dOutput.elements[(image * output[2] + p) * output[3] + q]
          switch problem.mode {
          case .nearest: dInput.elements[top + left] += dy
          case .bilinear:
            dInput.elements[top + left] += (1 - lambda) * (1 - mu) * dy
            dInput.elements[top + right] += (1 - lambda) * mu * dy
            dInput.elements[bottom + left] += lambda * (1 - mu) * dy
            dInput.elements[bottom + right] += lambda * mu * dy
          }
        }
      }
    }
    return dInput
  }
}

extension Upsample2d: LinearUnaryOperation {
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
