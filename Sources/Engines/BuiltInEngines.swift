import Convolution

/// The engines inside this program. A new one is one line here, and every check, benchmark and report then has it.
public enum BuiltInEngines {
  public static let all: [any Engine] =
    [
      ReferenceEngine(),
      ConvolutionEngine(DirectStrategy()),
      ConvolutionEngine(Im2colStrategy()),
      ConvolutionEngine(Im2colStrategy(materialised: true)),
      ConvolutionEngine(GemmStrategy()),
      ConvolutionEngine(AutoStrategy(), algorithms: AutoStrategy().algorithms),
    ] + WinogradStrategy.all.map { ConvolutionEngine($0) }

  /// The engine of that name; `nil` when there is none.
  public static func named(_ name: String) -> (any Engine)? { all.first { $0.description.name == name } }
}
