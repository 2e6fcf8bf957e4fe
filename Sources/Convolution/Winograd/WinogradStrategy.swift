import Problems

/// Winograd's F(m×m, 3×3) for stride 1: fewer multiplications than direct convolution by 9·m²/(m + 2)² (2.25, 4 and 5.06 for
/// m of 2, 4 and 6) and larger rounding errors, by the bound that `WinogradMatrices` give.
public struct WinogradStrategy: ConvolutionStrategy {
  public let matrices: WinogradMatrices

  public var name: String { "winograd\(matrices.outputTile)" }

  public static let all = [WinogradMatrices.f2, .f4, .f6].map(WinogradStrategy.init(matrices:))

  /// Nil unless the tile is one that there are kernels for: 2, 4 or 6.
  public init?(outputTile: Int) {
    guard let matrices = WinogradMatrices.chosen(outputTile: outputTile) else { return nil }
    self.init(matrices: matrices)
  }

  /// With any matrices: the self-test puts wrong ones in.
  package init(matrices: WinogradMatrices) { self.matrices = matrices }

  public func unsupportedReason(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> String? {
    problem.winogradObstacle
  }

  /// Tiles at the border are filled up with zeros.
  public func requiredHalo(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> BlockedLayout.Halo { .init() }

  public func prepare(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, weights: UnsafeBufferPointer<Float>,
    epilogue: ConvolutionEpilogue, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedConvolution {
    try prepare(problem, pass, weights: weights, epilogue: epilogue, options: options, blockTiles: nil)
  }

  /// The same with blocks of so many tiles, for tests and tuning.
  package func prepare(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, weights: UnsafeBufferPointer<Float>,
    epilogue: ConvolutionEpilogue, options: ConvolutionOptions, blockTiles: Int?, sharesInput: Bool = false,
    transformsWeights: Bool = false, channels: Int? = nil
  ) throws(ConvolutionError) -> any PreparedConvolution {
    guard pass != .backwardWeights else {
      throw .unsupported(strategy: name, reason: "backward-weights is prepared by prepareWeightGradient")
    }
    let plan = try plan(problem, pass, options)
    let blocking = blockTiles.map {
      WinogradBlocking(
        blockTiles: $0, sharesInput: sharesInput, transformsWeights: transformsWeights, channels: channels,
        plan: plan, threads: options.threads)
    }
    return try WinogradConvolution(
      name, plan, weights: weights, epilogue: epilogue, options: options, blocking: blocking)
  }

  public func prepareWeightGradient(
    _ problem: Conv2dProblem, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedWeightGradient {
    try prepareWeightGradient(problem, options: options, blockTiles: nil)
  }

  /// The same with blocks of so many tiles, for tests and tuning.
  package func prepareWeightGradient(
    _ problem: Conv2dProblem, options: ConvolutionOptions, blockTiles: Int?
  ) throws(ConvolutionError) -> any PreparedWeightGradient {
    let plan = try plan(problem, .backwardWeights, options)
    let blocking = blockTiles.map { WinogradGradientBlocking(blockTiles: $0, plan: plan) }
    return try WinogradWeightGradient(name, plan, options: options, blocking: blocking)
  }

  private func plan(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ options: ConvolutionOptions
  ) throws(ConvolutionError) -> WinogradPlan {
    if let reason = unsupportedReason(problem, pass) { throw .unsupported(strategy: name, reason: reason) }
    let vectorWidth = try options.instructionSet.kernels().vectorWidth
    return try WinogradPlan(problem, pass, matrices, vectorWidth: vectorWidth, options: options)
  }
}
