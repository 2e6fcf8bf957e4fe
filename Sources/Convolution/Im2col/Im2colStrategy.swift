import Problems

/// im2col and matrix multiplication: patches are copied into rows of a matrix, which the filters then multiply.
///
/// The usual form copies a panel of the matrix at a time, small enough for the L2 cache, and multiplies it while it is
/// there; the textbook form writes an image's whole matrix first. Filters of one tap need no copy in either.
public struct Im2colStrategy: ConvolutionStrategy {
  /// Whether an image's matrix is written as a whole.
  public let isMaterialised: Bool
  public var name: String { isMaterialised ? "im2col-materialised" : "im2col" }

  public init(materialised: Bool = false) { isMaterialised = materialised }

  public func unsupportedReason(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> String? { nil }

  public func prepare(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, weights: UnsafeBufferPointer<Float>,
    epilogue: ConvolutionEpilogue, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedConvolution {
    try Im2colConvolution(
      problem, pass, weights: weights, epilogue: epilogue, options: options, materialised: isMaterialised)
  }

  public func prepareWeightGradient(
    _ problem: Conv2dProblem, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedWeightGradient {
    // One tap: the patch matrix is the input, and there is nothing to copy.
    if problem.kernelSize == 1 {
      return try DirectWeightGradient(problem, options: options, strategyName: name)
    }
    return try Im2colWeightGradient(problem, options: options, materialised: isMaterialised)
  }
}
