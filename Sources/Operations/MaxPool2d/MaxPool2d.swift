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

extension MaxPool2d: Operation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let x = try given.operand("x")
    let dOutput = try given.cotangent(shape: problem.outputShape)
    var found = Found<Scalar>()
    let winners: Tensor<Int64>
    if case .winners(let chosen) = given.gate {
      winners = chosen
      if given.wantsOutputs { found.outputs["y"] = try forward(x, indices: winners) }
    } else {
      let (y, indices) = try forward(x)
      winners = indices
      if given.wantsOutputs { found.outputs["y"] = y }
    }
    if given.wantsOutputs { found.integers["indices"] = winners }
    found.gate = .winners(winners)
    if let dOutput { found.gradients["x"] = try backward(dOutput, indices: winners) }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["x"]) }
  public var branches: Applicable<any Branching> { .some(self) }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is a layer itself") }
}

extension MaxPool2d: Branching {
  public func gate<Scalar: RealScalar>(at x: Tensor<Scalar>) -> Gate? { (try? forward(x)).map { .winners($0.indices) } }

  /// Gives windows whose second largest element is within reach of the largest to that one.
  public func flipped(_ gate: Gate, at x: Tensor<Double>, reach: [Double]) -> (gate: Gate, flips: Int) {
    // No network dilates its max pool.
    guard case .winners(var winners) = gate, problem.window.dilation == 1 else { return (gate, 0) }
    let width = x.shape[3]
    let plane = x.shape[2] * width
    let size = problem.window.outputSize
    let windows = PoolingWindows(problem.window)
    var flips = 0
    for output in winners.elements.indices {
      let start = output / (size.height * size.width) * plane
      let (p, q) = (output / size.width % size.height, output % size.width)
      let winner = start + Int(winners.elements[output])
      var second: Int?
      for h in windows.rows[p] {
        for w in windows.columns[q] {
          let offset = start + h * width + w
          guard offset != winner else { continue }
          if second.map({ x.elements[offset] > x.elements[$0] }) ?? true { second = offset }
        }
      }
      guard let second, x.elements[winner] - x.elements[second] <= reach[winner] + reach[second],
        reach[winner] + reach[second] > 0
      else { continue }
      winners.elements[output] = Int64(second - start)
      flips += 1
    }
    return (.winners(winners), flips)
  }
}
