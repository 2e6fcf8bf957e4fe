import Problems

/// A 1×1 convolution as a matrix multiplication on plain NCHW: filters × channels times channels × pixels.
///
/// Pixels lie in the vectors' lanes, so nothing is converted: for operands that come and go in NCHW. Other kernel sizes,
/// padding, groups, strided backward-data and backward-weights are unsupported.
public struct GemmStrategy: ConvolutionStrategy {
  public let name = "gemm"

  public init() {}

  public func unsupportedReason(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> String? {
    if problem.kernelSize != 1 { return "only 1x1 kernels are matrix multiplications" }
    if problem.paddingBefore != 0 || problem.paddingAfter != 0 { return "padding" }
    if problem.groups != 1 { return "groups" }
    switch pass {
    case .forward: return nil
    case .backwardData: return problem.stride == 1 ? nil : "backward-data of stride \(problem.stride)"
    case .backwardWeights: return "backward-weights"
    }
  }

  /// Its layout is NCHW itself.
  public func requiredHalo(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> BlockedLayout.Halo { .init() }

  public func prepare(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, weights: UnsafeBufferPointer<Float>,
    epilogue: ConvolutionEpilogue, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedConvolution {
    if let reason = unsupportedReason(problem, pass) { throw .unsupported(strategy: name, reason: reason) }
    return try GemmConvolution(problem, pass, weights: weights, epilogue: epilogue, options: options)
  }

  public func prepareWeightGradient(
    _ problem: Conv2dProblem, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedWeightGradient {
    throw .unsupported(strategy: name, reason: unsupportedReason(problem, .backwardWeights) ?? "")
  }
}
