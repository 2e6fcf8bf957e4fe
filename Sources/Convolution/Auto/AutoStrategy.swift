import Problems

/// Chooses a strategy for each shape: the fastest that was measured on this machine where it is given such times, else the
/// fastest by a cost model, among those whose error stays within a limit.
///
/// The choice depends on problem, pass, instruction set and the times, never on the number of threads, so that results do
/// not either. Without times it is the same on every machine of an instruction set: what a verification needs.
public struct AutoStrategy: ConvolutionStrategy {
  public let name = "auto"
  /// The largest root-mean-square error allowed, as a multiple of 2⁻²⁴·√K·sqrt(Σ(w·x)²), the scale on which a direct
  /// sum's is 0.3. 1 admits winograd2 and winograd4; winograd6 (2.6) needs more.
  public let accuracyLimit: Double
  /// Times measured on this machine; `nil` goes by the cost model alone.
  public let plans: ConvolutionPlans?
  /// Whether the weights are others in every run, as in training, so that packing them counts.
  public let repacksWeights: Bool

  public static let defaultAccuracyLimit = 1.0

  public init(
    accuracyLimit: Double = AutoStrategy.defaultAccuracyLimit, plans: ConvolutionPlans? = nil,
    repacksWeights: Bool = false
  ) {
    self.accuracyLimit = accuracyLimit
    self.plans = plans
    self.repacksWeights = repacksWeights
  }

  /// The root-mean-square error of the strategies, on the scale of `accuracyLimit`; the tests measure it again.
  public static var errors: [String: Double] {
    Dictionary(uniqueKeysWithValues: candidates.map { ($0.strategy.name, $0.error) })
  }

  /// One of the strategies to choose from, with its root-mean-square error on the scale of `accuracyLimit`.
  private struct Candidate {
    var strategy: any ConvolutionStrategy
    var error: Double
    /// Winograd's output tile; nil for exact algorithms.
    var tile: Int?
  }

  /// Errors over 64 channels of random operands, measured again by the tests.
  private static let candidates: [Candidate] =
    [
      Candidate(strategy: DirectStrategy(), error: 0.31, tile: nil),
      Candidate(strategy: Im2colStrategy(), error: 0.31, tile: nil),
    ]
    + [(2, 0.21), (4, 0.66), (6, 2.6)].compactMap { tile, error in
      WinogradStrategy(outputTile: tile).map { Candidate(strategy: $0, error: error, tile: tile) }
    }

  /// The names of all strategies that may be chosen: the error bounds of one of them hold for a result.
  public var algorithms: [String] { admissible.map(\.name) }

  /// All strategies within the accuracy limit.
  public var admissible: [any ConvolutionStrategy] {
    Self.candidates.filter { $0.tile == nil || $0.error <= accuracyLimit }.map(\.strategy)
  }

  /// The strategies that can do the problem within the accuracy limit; `direct` is always one.
  public func admissible(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> [any ConvolutionStrategy] {
    admissibleCandidates(problem, pass).map(\.strategy)
  }

  private func admissibleCandidates(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> [Candidate] {
    Self.candidates.filter {
      ($0.tile == nil || $0.error <= accuracyLimit) && $0.strategy.unsupportedReason(problem, pass) == nil
    }
  }

  /// The strategy that `prepare` uses.
  public func choice(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ instructionSet: InstructionSet
  ) -> any ConvolutionStrategy {
    if let plans, let found = measured(problem, pass, instructionSet, plans) { return found }
    let candidates = admissibleCandidates(problem, pass)
    let best = candidates.min { cost(problem, pass, $0) < cost(problem, pass, $1) }
    return best?.strategy ?? DirectStrategy()
  }

  /// The fastest by times alone; nil unless every admissible strategy was timed.
  /// - Parameters:
  ///   - problem: what is to be computed.
  ///   - pass: likewise.
  ///   - instructionSet: the kernels.
  ///   - plans: the times.
  ///   - setting: where they were taken, if not of the convolution on its own.
  package func measured(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, _ instructionSet: InstructionSet, _ plans: ConvolutionPlans,
    setting: String? = nil
  ) -> (any ConvolutionStrategy)? {
    let candidates = admissible(problem, pass)
    let name = plans.fastest(problem, pass, instructionSet, setting: setting, among: candidates.map(\.name))
    return candidates.first { $0.name == name }
  }

  /// Time in units of one multiply-add at the machine's peak.
  ///
  /// Arithmetic at the share of the peak that each algorithm reaches, and weights streamed from beyond the L2 cache at
  /// eight multiply-adds a byte, which is what one AVX-512 core does in the time of a byte from the last-level cache. Packed
  /// weights are written at twenty a byte, where they have to be; transformed ones at four, since each pair of output vectors'
  /// are made where they are used.
  private func cost(_ problem: Conv2dProblem, _ pass: ConvolutionPass, _ candidate: Candidate) -> Double {
    let direct = Double(problem.multiplyAccumulates)
    let filters = Double(problem.outputChannels) * Double(problem.inputChannels / problem.groups)
    func streamed(_ positions: Double, packing: Double = 20) -> Double {
      let bytes = filters * positions * 4
      let packed = repacksWeights && pass != .backwardWeights ? bytes * packing : 0
      return packed + (bytes > 0x1p20 ? bytes * 8 : 0)
    }
    let area = Double(problem.kernelSize.height * problem.kernelSize.width)
    guard let tile = candidate.tile else {
      let share = candidate.strategy.name == "direct" ? 0.85 : 0.75
      return direct / share + streamed(area)
    }
    // Backward-data tiles the input's extent; it is the output's but for the padding.
    let size = pass == .backwardData ? problem.inputSize : problem.outputSize
    let tiles = Double((size.height + tile - 1) / tile) * Double((size.width + tile - 1) / tile)
    let points = Double((tile + 2) * (tile + 2))
    let products = Double(problem.batch) * tiles * points * filters
    // Transforms: two small matrix products for every tile and channel, done by the same units.
    let transforms =
      Double(problem.batch) * tiles * points * Double(tile + 2)
      * Double(problem.inputChannels + problem.outputChannels) * 1.5
    return products / 0.8 + transforms + streamed(points, packing: 4)
  }

  public func unsupportedReason(_ problem: Conv2dProblem, _ pass: ConvolutionPass) -> String? { nil }

  public func prepare(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, weights: UnsafeBufferPointer<Float>,
    epilogue: ConvolutionEpilogue, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedConvolution {
    try choice(problem, pass, options.instructionSet)
      .prepare(problem, pass, weights: weights, epilogue: epilogue, options: options)
  }

  public func prepareWeightGradient(
    _ problem: Conv2dProblem, options: ConvolutionOptions
  ) throws(ConvolutionError) -> any PreparedWeightGradient {
    try choice(problem, .backwardWeights, options.instructionSet).prepareWeightGradient(problem, options: options)
  }
}
