import Convolution
import Problems

/// How the strategy of each convolution of a network is chosen.
public enum NetworkStrategies: Sendable {
  /// The fastest that was measured within such a network on this machine, else the fastest by a cost model; always one whose
  /// error stays within ``Convolution/AutoStrategy/defaultAccuracyLimit``. Without plans it is the same on every machine of an
  /// instruction set.
  case automatic(ConvolutionPlans?)
  /// This one, and `direct` where it does not do a layer.
  case one(any ConvolutionStrategy)

  /// The strategy of a layer.
  /// - Parameters:
  ///   - problem: the layer.
  ///   - pass: what is computed.
  ///   - setting: what a measured time depends on besides: see ``NetworkStrategies/setting(threads:addsResidual:)``.
  ///   - repacksWeights: whether weights are others in every run.
  ///   - instructionSet: the kernels.
  func choice(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, setting: String, repacksWeights: Bool = false,
    _ instructionSet: InstructionSet
  ) -> any ConvolutionStrategy {
    switch self {
    case .automatic(let plans):
      let auto = AutoStrategy(plans: plans)
      return plans.flatMap { auto.measured(problem, pass, instructionSet, $0, setting: setting) }
        ?? AutoStrategy(repacksWeights: repacksWeights).choice(problem, pass, instructionSet)
    case .one(let strategy):
      return strategy.unsupportedReason(problem, pass) == nil ? strategy : DirectStrategy()
    }
  }

  /// What is not seen from a convolution alone, and decides how fast it is within a network.
  static func setting(threads: Int, addsResidual: Bool) -> String {
    "in a network, \(threads) thread\(threads == 1 ? "" : "s")\(addsResidual ? ", residual" : "")"
  }

  /// The same in training, where the weights are others in every run.
  static func trainingSetting(threads: Int) -> String { "in training, \(threads) thread\(threads == 1 ? "" : "s")" }
}
