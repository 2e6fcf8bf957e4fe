import Problems
import Tensors

extension Footprint {
  /// Of each operand of an operation, from its definition alone: which outputs an element can reach.
  public static func footprints(of problem: any OperationProblem) -> [String: Footprint] {
    switch problem {
    case let problem as Conv2dProblem: convolution(problem)
    case let problem as LinearProblem:
      [
        "x": .alongAxisOne(input: problem.inputShape, outputExtent: problem.outputFeatures),
        "weight": .channel(elementsPerChannel: problem.inputFeatures, output: problem.outputShape),
        "bias": .channel(elementsPerChannel: 1, output: problem.outputShape),
      ]
    case let problem as BatchNorm2dProblem:
      [
        "x": problem.usesBatchStatistics ? .acrossBatch(problem.inputShape) : .pointwise,
        "weight": .channel(elementsPerChannel: 1, output: problem.inputShape),
        "bias": .channel(elementsPerChannel: 1, output: problem.inputShape),
      ]
    case let problem as MaxPool2dProblem: ["x": pooling(problem.window)]
    case let problem as AvgPool2dProblem: ["x": pooling(problem.window)]
    case let problem as AdaptiveAvgPool2dProblem:
      [
        "x": planes(
          input: problem.inputShape, output: problem.outputShape,
          rows: parts(problem.inputShape[2], problem.outputSize.height),
          columns: parts(problem.inputShape[3], problem.outputSize.width))
      ]
    case let problem as Upsample2dProblem:
      // Every output between two input rows may use both; what is reached is left to the plane as a whole.
      [
        "x": planes(
          input: problem.inputShape, output: problem.outputShape,
          rows: whole(problem.inputShape[2], problem.outputSize.height),
          columns: whole(problem.inputShape[3], problem.outputSize.width))
      ]
    case let problem as SoftmaxProblem:
      ["x": .alongAxisOne(input: problem.inputShape, outputExtent: problem.inputShape[1])]
    case let problem as LogSoftmaxProblem:
      ["x": .alongAxisOne(input: problem.inputShape, outputExtent: problem.inputShape[1])]
    case let problem as CrossEntropyProblem:
      problem.reduction == .none ? ["x": .alongAxisOne(input: problem.inputShape, outputExtent: 1)] : [:]
    case is ReLUProblem, is IdentityProblem, is DropoutProblem, is FlattenProblem:
      ["x": .pointwise]
    case is AddProblem: ["x": .pointwise, "other": .pointwise]
    default: [:]
    }
  }

  private static func convolution(_ problem: Conv2dProblem) -> [String: Footprint] {
    let (input, output) = (problem.inputSize, problem.outputSize)
    let rows = AxisReach(
      input: input.height, output: output.height, kernel: problem.kernelSize.height, stride: problem.stride.height,
      dilation: problem.dilation.height, paddingBefore: problem.paddingBefore.height)
    let columns = AxisReach(
      input: input.width, output: output.width, kernel: problem.kernelSize.width, stride: problem.stride.width,
      dilation: problem.dilation.width, paddingBefore: problem.paddingBefore.width)
    return [
      "x": .image(
        input: problem.inputShape, output: problem.outputShape, rows: rows, columns: columns,
        mixing: problem.inputChannels / problem.groups, outputsPerGroup: problem.outputChannels / problem.groups),
      "weight": .channel(
        elementsPerChannel: problem.weightShape.dimensions.dropFirst().reduce(1, *), output: problem.outputShape),
      "bias": .channel(elementsPerChannel: 1, output: problem.outputShape),
    ]
  }

  private static func pooling(_ window: PoolingWindow) -> Footprint {
    planes(
      input: window.inputShape, output: window.outputShape,
      rows: AxisReach(
        input: window.inputShape[2], output: window.outputSize.height, kernel: window.kernelSize.height,
        stride: window.stride.height, dilation: window.dilation.height, paddingBefore: window.padding.height),
      columns: AxisReach(
        input: window.inputShape[3], output: window.outputSize.width, kernel: window.kernelSize.width,
        stride: window.stride.width, dilation: window.dilation.width, paddingBefore: window.padding.width))
  }

  /// Each channel on its own.
  private static func planes(input: Shape, output: Shape, rows: AxisReach, columns: AxisReach) -> Footprint {
    .image(input: input, output: output, rows: rows, columns: columns, mixing: 1, outputsPerGroup: 1)
  }

  /// Output i covers ⌊i·in/out⌋ up to ⌈(i+1)·in/out⌉.
  private static func parts(_ input: Int, _ output: Int) -> AxisReach {
    AxisReach(
      input: input, windows: (0..<output).map { $0 * input / output..<(($0 + 1) * input + output - 1) / output })
  }

  private static func whole(_ input: Int, _ output: Int) -> AxisReach {
    AxisReach(Array(repeating: Array(0..<output), count: input))
  }
}
