import Convolution
import Engines

/// The engines inside this program. A new one is one line here, and every check, benchmark and report then has it.
public enum BuiltInEngines {
  /// `auto` goes by its cost model alone: times from the user's cache folder would make verdicts depend on it.
  public static let all = engines(plans: nil)
  /// For timing: `auto` goes by what `assay tune` measured on this machine.
  public static let tuned = engines(plans: .shared)

  private static func engines(plans: ConvolutionPlans?) -> [any Engine] {
    let auto = AutoStrategy(plans: plans)
    return [
      ReferenceEngine(),
      ConvolutionEngine(DirectStrategy()),
      ConvolutionEngine(Im2colStrategy()),
      ConvolutionEngine(Im2colStrategy(materialised: true)),
      ConvolutionEngine(GemmStrategy()),
      ConvolutionEngine(auto, algorithms: auto.algorithms),
      ExecutionEngine("execution", .automatic(plans), algorithms: auto.algorithms),
    ] + WinogradStrategy.all.map { ConvolutionEngine($0) }
  }

  /// The engine of that name; `nil` when there is none.
  public static func named(_ name: String) -> (any Engine)? { all.first { $0.description.name == name } }
}
