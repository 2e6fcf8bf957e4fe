import Problems

/// Convolution straight from the input: register tiles over output pixels × output channels, and no copy of the input.
public struct DirectStrategy: ConvolutionStrategy {
  public let name = "direct"

  public init() {}

  public func unsupportedReason(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> String? { nil }

  public func prepare(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, weights: UnsafeBufferPointer<Float>,
    epilogue: ConvolutionEpilogue, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedConvolution {
    try DirectConvolution(problem, pass, weights: weights, epilogue: epilogue, options: options)
  }

  public func prepareWeightGradient(
    _ problem: Conv2dProblem, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedWeightGradient {
    try DirectWeightGradient(problem, options: options, strategyName: name)
  }
}
