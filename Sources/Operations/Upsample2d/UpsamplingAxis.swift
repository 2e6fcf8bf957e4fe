import Problems

/// Where the outputs along one axis of an ``Upsample2d`` come from: the layer's coordinate map, which its error bound reads too.
///
/// The step s is H/P with a size and 1/factor with a scale factor: PyTorch lets the factor enter the coordinates as it is
/// given. Two axes follow no formula: one that keeps its size is copied, forward and backward, whatever the factor (⌊3·1.2⌋ is
/// 3), and nearest neighbour takes ⌊p/2⌋ where the size doubles exactly.
///
/// - Source: `nearest_idx` and `compute_source_index_and_lambda` of PyTorch's `aten/src/ATen/native/UpSample.h`;
///   pytorch/pytorch#65200 and #97770 are about these exceptions.
public struct UpsamplingAxis: Sendable {
  /// Where one output comes from: `index`, and `fraction` of the way to `next`.
  public struct Source: Sendable {
    public var index: Int
    public var next: Int
    public var fraction: Double
    /// `index + fraction` before both were cut to the axis.
    public var coordinate: Double
  }

  public let inputs: Int
  /// Input positions an output position.
  public let step: Double
  /// Whether the axis keeps its size, so that nothing is interpolated along it.
  public var isKept: Bool { inputs == sources.count }
  /// By output position.
  public let sources: [Source]

  /// The axes of the rows and of the columns.
  public static func both(of problem: Upsample2dProblem) -> (rows: UpsamplingAxis, columns: UpsamplingAxis) {
    let (input, output) = (problem.inputShape, problem.outputShape)
    let factors: (height: Double?, width: Double?) =
      if case .scaleFactor(let height, let width) = problem.target { (height, width) } else { (nil, nil) }
    return (
      UpsamplingAxis(problem, inputs: input[2], outputs: output[2], factor: factors.height),
      UpsamplingAxis(problem, inputs: input[3], outputs: output[3], factor: factors.width)
    )
  }

  private init(_ problem: Upsample2dProblem, inputs: Int, outputs: Int, factor: Double?) {
    let step: Double =
      if problem.alignCorners {
        outputs > 1 ? Double(inputs - 1) / Double(outputs - 1) : 0
      } else {
        factor.map { 1 / $0 } ?? Double(inputs) / Double(outputs)
      }
    self.inputs = inputs
    self.step = step
    sources = (0..<outputs).map { position in
      if outputs == inputs { return Source(index: position, next: position, fraction: 0, coordinate: Double(position)) }
      switch problem.mode {
      case .nearest:
        // PyTorch's nearest neighbour has its step and its coordinate in single precision.
        let index =
          outputs == 2 * inputs
          ? position / 2 : min(Int((Float(position) * Float(step)).rounded(.down)), inputs - 1)
        return Source(index: index, next: index, fraction: 0, coordinate: Double(index))
      case .bilinear:
        let coordinate =
          problem.alignCorners ? Double(position) * step : max(0, step * (Double(position) + 0.5) - 0.5)
        let index = min(Int(coordinate), inputs - 1)
        return Source(
          index: index, next: min(index + 1, inputs - 1), fraction: min(coordinate - Double(index), 1),
          coordinate: coordinate)
      }
    }
  }
}
