import Problems
import Tensors

/// The maximum of each window.
///
///     y[n,c,p,q] = max r,s  x[n, c, p·stride + r·dilation − pad, q·stride + s·dilation − pad]
///
/// over the positions inside the image: padding never wins. The first of equal values takes the gradient; a NaN wins over
/// every number, and the last NaN over the others. A dilated window may see padding alone: its maximum is −∞, and its gradient
/// goes nowhere.
///
/// - Shapes: `x` (N, C, H, W); `y` and `indices` (N, C, P, Q); an index is a position in the H·W plane, or ``noPosition``.
/// - Throws: `ProblemError` when a tensor does not have the problem's shape.
/// - Source: argument names and order of visits after `torch.nn.MaxPool2d`.
public struct MaxPool2d: Sendable {
  /// The index of a window without an element. PyTorch gives a position outside the plane, which its backward pass then writes
  /// to (pytorch/pytorch#114216).
  public static let noPosition: Int64 = -1

  public let problem: MaxPool2dProblem
  public init(_ problem: MaxPool2dProblem) { self.problem = problem }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>
  ) throws(ProblemError) -> (y: Tensor<Scalar>, indices: Tensor<Int64>) {
    try x.require(problem.inputShape, as: "inputs/x")
    let window = problem.window
    let (height, width) = (problem.inputShape[2], problem.inputShape[3])
    var y = Tensor<Scalar>(zeros: problem.outputShape)
    var indices = Tensor<Int64>(shape: problem.outputShape, repeating: 0)
    let x = x.elements.span
    var output = 0
    for image in 0..<problem.inputShape[0] * problem.inputShape[1] {
      let start = image * height * width
      for p in 0..<window.outputSize.height {
        let rows = window.rows(of: p)
        for q in 0..<window.outputSize.width {
          let columns = window.columns(of: q)
          let isEmpty = rows.start >= rows.end || columns.start >= columns.end
          var best = -Scalar.infinity
          var position = isEmpty ? Self.noPosition : Int64(rows.start * width + columns.start)
          for h in stride(from: rows.start, to: rows.end, by: window.dilation.height) {
            for w in stride(from: columns.start, to: columns.end, by: window.dilation.width) {
              let value = x[start + h * width + w]
              if value > best || value.isNaN {
                best = value
                position = Int64(h * width + w)
              }
            }
          }
          y.elements[output] = best
          indices.elements[output] = position
          output += 1
        }
      }
    }
    return (y, indices)
  }

  /// dInput at each index, summed where windows overlap.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(
    _ dOutput: Tensor<Scalar>, indices: Tensor<Int64>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dOutput.require(problem.outputShape, as: "upstream/y")
    try requireInside(indices)
    let (inputPlane, outputPlane) = planes
    var dInput = Tensor<Scalar>(zeros: problem.inputShape)
    for output in 0..<dOutput.count where indices.elements[output] != Self.noPosition {
      let position = output / outputPlane * inputPlane + Int(indices.elements[output])
      dInput.elements[position] += dOutput.elements[output]
    }
    return dInput
  }

  /// The same map with the winners given instead of decided by x: linear (see ``ReLU/forward(_:gates:)``).
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, indices: Tensor<Int64>
  ) throws(ProblemError) -> Tensor<Scalar> {
    try x.require(problem.inputShape, as: "inputs/x")
    try requireInside(indices)
    let (inputPlane, outputPlane) = planes
    var y = Tensor<Scalar>(shape: problem.outputShape, repeating: -.infinity)
    for output in 0..<y.count where indices.elements[output] != Self.noPosition {
      y.elements[output] = x.elements[output / outputPlane * inputPlane + Int(indices.elements[output])]
    }
    return y
  }

  private var planes: (input: Int, output: Int) {
    let (input, output) = (problem.inputShape, problem.outputShape)
    return (input[2] * input[3], output[2] * output[3])
  }

  private func requireInside(_ indices: Tensor<Int64>) throws(ProblemError) {
    try indices.require(problem.outputShape, as: "outputs/indices")
    let plane = planes.input
    if let outside = indices.elements.first(where: { $0 < Self.noPosition || $0 >= plane }) {
      throw ProblemError(
        .indexOutOfRange, "outputs/indices", expected: "positions below \(plane), or \(Self.noPosition) for none",
        found: "\(outside)")
    }
  }
}

extension PoolingWindow {
  /// Rows of the input under the window of output row `p`, from `start` in steps of the dilation to before `end`.
  func rows(of p: Int) -> (start: Int, end: Int) {
    Self.inside(p * stride.height - padding.height, kernelSize.height, dilation.height, inputShape[2])
  }

  func columns(of q: Int) -> (start: Int, end: Int) {
    Self.inside(q * stride.width - padding.width, kernelSize.width, dilation.width, inputShape[3])
  }

  private static func inside(_ first: Int, _ kernel: Int, _ dilation: Int, _ extent: Int) -> (start: Int, end: Int) {
    let skipped = first < 0 ? (-first + dilation - 1) / dilation : 0
    return (first + skipped * dilation, min(first + (kernel - 1) * dilation + 1, extent))
  }
}
