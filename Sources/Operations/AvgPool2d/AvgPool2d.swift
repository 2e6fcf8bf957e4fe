import Problems
import Tensors

/// The mean of each window.
///
///     y[n,c,p,q] = Σ x[n, c, h, w] / divisor   over the window's positions inside the image
///
/// The divisor is `divisorOverride`; or the number of the window's positions inside the padded image (which a last window
/// of `ceilMode` may overhang); or, without `countIncludePad`, inside the image.
///
/// - Shapes: `x` (N, C, H, W); `y` (N, C, P, Q).
/// - Throws: `ProblemError` when a tensor does not have the problem's shape.
/// - Source: argument names after `torch.nn.AvgPool2d`.
public struct AvgPool2d: Sendable {
  public let problem: AvgPool2dProblem
  public init(_ problem: AvgPool2dProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    let (input, output) = (problem.inputShape, problem.outputShape)
    var y = Tensor<Scalar>(zeros: output)
    for image in 0..<input[0] * input[1] {
      for p in 0..<output[2] {
        for q in 0..<output[3] {
          let (rows, columns, divisor) = window(p, q)
          guard !rows.isEmpty, !columns.isEmpty else { continue }
          var sum: Scalar = 0
          for h in rows {
            for w in columns { sum += x.elements[(image * input[2] + h) * input[3] + w] }
          }
          y.elements[(image * output[2] + p) * output[3] + q] = sum / Scalar(divisor)
        }
      }
    }
    return y
  }

  /// dInput[n,c,h,w] = Σ dOutput/divisor over the windows that contain the position.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(_ dOutput: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    let (input, output) = (problem.inputShape, problem.outputShape)
    var dInput = Tensor<Scalar>(zeros: input)
    for image in 0..<input[0] * input[1] {
      for p in 0..<output[2] {
        for q in 0..<output[3] {
          let (rows, columns, divisor) = window(p, q)
          guard !rows.isEmpty, !columns.isEmpty else { continue }
          let share = dOutput.elements[(image * output[2] + p) * output[3] + q] / Scalar(divisor)
          for h in rows {
            for w in columns { dInput.elements[(image * input[2] + h) * input[3] + w] += share }
          }
        }
      }
    }
    return dInput
  }

  /// The positions of the image under one window (none where it lies in the padding), and the divisor.
  private func window(_ p: Int, _ q: Int) -> (rows: Range<Int>, columns: Range<Int>, divisor: Int) {
    let window = problem.window
    let (height, width) = (problem.inputShape[2], problem.inputShape[3])
    let top = p * window.stride.height - window.padding.height
    let left = q * window.stride.width - window.padding.width
    let bottom = min(top + window.kernelSize.height, height + window.padding.height)
    let right = min(left + window.kernelSize.width, width + window.padding.width)
    let rows = clamped(top, bottom, to: height)
    let columns = clamped(left, right, to: width)
    let size = problem.countIncludePad ? (bottom - top) * (right - left) : rows.count * columns.count
    return (rows, columns, problem.divisorOverride ?? size)
  }

  private func clamped(_ first: Int, _ end: Int, to extent: Int) -> Range<Int> {
    let (low, high) = (max(first, 0), min(end, extent))
    return low < high ? low..<high : 0..<0
  }
}

extension AvgPool2d: LinearUnaryOperation {
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}
