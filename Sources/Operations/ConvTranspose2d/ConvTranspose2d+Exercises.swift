import Problems

extension ConvTranspose2d {
  public var roles: [String: OperandRole] {
    ["x": .values, "weight": .values, "bias": .values].filter { hasOperand($0.key) }
  }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("conv_transpose2d n2c32h10w11 k8r4s4 bias stride2 pad1"),
    .init("conv_transpose2d n1c16h20w19 k24r3s3 stride1 pad1", low: 0),
    .init("conv_transpose2d n1c256h7w8 k32r2s2 stride2 pad0"),
    .init("conv_transpose2d n1c512h4w5 k8r3s3 stride1 pad1", low: 0),
    .init("conv_transpose2d n2c12h14w13 k24r5s5 bias stride3 pad2 outpad1 groups12"),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("conv_transpose2d n2c3h4w5 k4r3s3 bias stride1 pad1"),
    .init("conv_transpose2d n2c3h4w5 k4r3s2 bias stride2x1 pad1x0 outpad1x0"),
    // Gaps between the strides, and rows beyond all products.
    .init("conv_transpose2d n1c2h3w4 k3r1s1 stride3 pad0 outpad2"),
    // Rows that the padding cuts off and the output padding gives back.
    .init("conv_transpose2d n1c2h4w3 k3r3s2 stride1x2 pad2x1 outpad2x1 dilation3x2"),
    .init("conv_transpose2d n2c4h3w4 k6r3s3 bias stride2 pad1 outpad1 groups2"),
    .init("conv_transpose2d n2c3h4w3 k3r3s3 stride1 pad1 groups3"),
    .init("conv_transpose2d n2c3h3w4 k6r3s2 bias stride2 pad1 groups3"),
    // Pixels of the border that reach nothing.
    .init("conv_transpose2d n1c2h6w7 k3r2s2 stride1 pad3"),
    .init("conv_transpose2d n1c3h5w6 k2r3s3 bias stride1 pad3"),
    .init("conv_transpose2d n1c2h1w1 k3r3s4 bias stride1 pad0"),
    .init("conv_transpose2d n2c8h4w4 k8r4s4 stride2 pad1"),
    // Without a bias, beside which no difference of the outputs would show.
    .init("conv_transpose2d n1c2h4w3 k3r3s3 stride1 pad1", .denormal),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let channels = GroupedChannels(&choices)
      let kernel = choices.pair("kernel", [1, 2, 3, 4, 5, 7], weights: [2, 4, 4, 4, 1, 1])
      let stride = choices.pair("stride", [1, 2, 3, 4], weights: [3, 5, 1, 1])
      let dilation = choices.pair("dilation", [1, 2, 3], weights: [6, 1, 1])
      let padding = choices.pair("pad", [0, 1, 2, 3], weights: [3, 3, 1, 1])
      // Less than the stride or the dilation.
      let extra = choices.pair("outpad", [0, 1, 2], weights: [4, 2, 1])
      // So large that the padding leaves an output.
      func least(_ axis: KeyPath<Pair, Int>) -> Int {
        let reach = dilation[keyPath: axis] * (kernel[keyPath: axis] - 1) + extra[keyPath: axis]
        return 1 + max(0, 2 * padding[keyPath: axis] - reach + stride[keyPath: axis] - 1) / stride[keyPath: axis]
      }
      let plane = choices.plane(atLeast: Pair(least(\.height), least(\.width)))
      return try ConvTranspose2dProblem(
        batch: choices.size("N", .batch), inputChannels: channels.inputs, inputSize: plane,
        outputChannels: channels.outputs, kernelSize: kernel, stride: stride, padding: padding, outputPadding: extra,
        dilation: dilation, groups: channels.groups, hasBias: choices.flag("bias"))
    })

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
