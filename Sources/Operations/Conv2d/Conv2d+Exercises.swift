import Problems

extension Conv2d {
  public var roles: [String: OperandRole] {
    ["x": .values, "weight": .values, "bias": .values].filter { hasOperand($0.key) }
  }

  public static let calibrationProblems: Applicable<[CalibrationProblem]> = .some([
    .init("conv2d n1c3h40w41 k16r3s3 stride1 pad1 bias"),
    .init("conv2d n2c16h20w19 k24r3s3 stride1 pad1", low: 0),
    .init("conv2d n2c64h10w9 k32r3s3 stride2 pad1 bias"),
    .init("conv2d n1c256h7w8 k64r1s1 stride1 pad0", low: 0),
    .init("conv2d n1c512h7w6 k32r3s3 stride1 pad1"),
    .init("conv2d n2c8h24w25 k8r7s7 stride2 pad3 groups8"),
  ])

  public static let gradientCases: Applicable<[GradientCase]> = .some([
    .init("conv2d n2c3h6w7 k4r3s3 bias stride1 pad1"),
    .init("conv2d n2c3h7w6 k4r3s2 bias stride2x1 pad1x0"),
    .init("conv2d n1c2h5w6 k3r1s1 stride1 pad1"),
    .init("conv2d n2c2h9w8 k3r2s3 stride3 pad0"),
    .init("conv2d n1c2h4w5 k2r3s3 stride1 pad3"),
    .init("conv2d n1c2h9w10 k3r3s2 stride1x2 pad2x1 dilation2x3"),
    .init("conv2d n2c4h5w6 k6r3s3 bias stride1 pad1 groups2"),
    .init("conv2d n2c3h5w6 k6r3s3 stride1 pad1 groups3"),
    .init("conv2d n1c3h6w5 k2r2s4 stride1 padsame"),
    .init("conv2d n1c3h6w5 k2r3s2 stride1 padvalid"),
    .init("conv2d n1c2h1w1 k3r1s1 bias stride1 pad0"),
    .init("conv2d n1c2h8w7 k2r3s3 stride4 pad0"),
    .init("conv2d n2c8h8w8 k8r3s3 stride1 pad1"),
    // Without a bias, beside which no difference of the outputs would show.
    .init("conv2d n1c2h5w6 k3r3s3 stride1 pad1", .denormal),
  ])

  public static let problemDraw: Applicable<ProblemDraw> = .some(
    ProblemDraw { choices throws(ProblemError) in
      let channels = GroupedChannels(&choices)
      let kernel = choices.pair("kernel", [1, 3, 2, 5, 4, 7, 11], weights: [4, 8, 2, 2, 1, 1, 1])
      let stride = choices.pair("stride", [1, 2, 3, 4], weights: [6, 3, 1, 1])
      let dilation = choices.pair("dilation", [1, 2, 3], weights: [6, 1, 1])
      let form = choices.option("padding", PaddingForm.allCases, weights: [8, 1, stride == 1 ? 1 : 0])
      let explicit = form == .explicit ? choices.pair("pad", [0, 1, 2, 3, 5], weights: [3, 4, 2, 2, 1]) : 0
      let (padding, twice) = form.padding(explicit)
      let plane = choices.plane(
        atLeast: Pair(
          max(1, form == .same ? 1 : dilation.height * (kernel.height - 1) + 1 - twice.height),
          max(1, form == .same ? 1 : dilation.width * (kernel.width - 1) + 1 - twice.width)))
      return try Conv2dProblem(
        batch: choices.size("N", .batch), inputChannels: channels.inputs, inputSize: plane,
        outputChannels: channels.outputs, kernelSize: kernel, stride: stride, padding: padding, dilation: dilation,
        groups: channels.groups, hasBias: choices.flag("bias"))
    })

  private enum PaddingForm: String, CaseIterable, CustomStringConvertible {
    case explicit, valid, same

    var description: String { rawValue }

    /// The padding, and how many rows and columns both sides have together; `same` fits any kernel.
    func padding(_ explicit: Pair) -> (Conv2dProblem.Padding, twice: Pair) {
      switch self {
      case .explicit: (.explicit(explicit), Pair(2 * explicit.height, 2 * explicit.width))
      case .valid: (.valid, 0)
      case .same: (.same, 0)
      }
    }
  }

  public static let casesForMutants: Applicable<Set<String>> = .none(because: "every small case is tried")

  public static let judgementAsLayer: LayerJudgement = .random
  public static let trajectories: Set<String> = []
}
