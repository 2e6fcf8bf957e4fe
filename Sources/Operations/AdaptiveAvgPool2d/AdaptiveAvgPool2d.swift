import Problems
import Tensors

/// The mean over windows that divide the image into P × Q parts, which may overlap.
///
///     y[n,c,p,q] = mean of x[n, c, h, w]   over ⌊pH/P⌋ ≤ h < ⌈(p+1)H/P⌉, ⌊qW/Q⌋ ≤ w < ⌈(q+1)W/Q⌉
///
/// - Shapes: `x` (N, C, H, W); `y` (N, C, P, Q).
/// - Throws: `ProblemError` when a tensor does not have the problem's shape.
/// - Source: argument names after `torch.nn.AdaptiveAvgPool2d`.
public struct AdaptiveAvgPool2d: Sendable {
  public let problem: AdaptiveAvgPool2dProblem
  public init(_ problem: AdaptiveAvgPool2dProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    let (input, output) = (problem.inputShape, problem.outputShape)
    var y = Tensor<Scalar>(zeros: output)
    for image in 0..<input[0] * input[1] {
      for p in 0..<output[2] {
        let rows = part(p, of: output[2], extent: input[2])
        for q in 0..<output[3] {
          let columns = part(q, of: output[3], extent: input[3])
          var sum: Scalar = 0
          for h in rows {
            for w in columns { sum += x.elements[(image * input[2] + h) * input[3] + w] }
          }
          y.elements[(image * output[2] + p) * output[3] + q] = sum / Scalar(rows.count * columns.count)
        }
      }
    }
    return y
  }

  /// dInput[n,c,h,w] = Σ dOutput/(window's size) over the windows that contain the position.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(_ dOutput: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    let (input, output) = (problem.inputShape, problem.outputShape)
    var dInput = Tensor<Scalar>(zeros: input)
    for image in 0..<input[0] * input[1] {
      for p in 0..<output[2] {
        let rows = part(p, of: output[2], extent: input[2])
        for q in 0..<output[3] {
          let columns = part(q, of: output[3], extent: input[3])
          let size = Scalar(rows.count * columns.count)
          let share = dOutput.elements[(image * output[2] + p) * output[3] + q] / size
          for h in rows {
            for w in columns { dInput.elements[(image * input[2] + h) * input[3] + w] += share }
          }
        }
      }
    }
    return dInput
  }

  private func part(_ index: Int, of count: Int, extent: Int) -> Range<Int> {
    index * extent / count..<((index + 1) * extent + count - 1) / count
  }
}

extension AdaptiveAvgPool2d: LinearUnaryOperation {
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
