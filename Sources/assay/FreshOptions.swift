import ArgumentParser
import Engines
import Operations
import Problems
import Verification

/// Cases of `assay verify` that no file holds.
struct FreshOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Random cases of each operation beside the golden files', 0 to 10000, judged by the reference; every fifth of a sum of \
      products has zeros, large numbers or numbers of many scales (default: \(FreshCases.standardCount), or 0 where only \
      built-in engines are asked). With --operation so many of each problem, and no others (default: \
      \(FreshCases.standardCountOfProblem)).
      """, valueName: "n"))
  var fresh: Int?

  @Option(
    help: ArgumentHelp(
      """
      Seed of fresh cases and of --calibrate: a number, or random for a hunt (default: \(FreshCases.standardSeed), so that \
      verdicts stay the same). It is printed.
      """, valueName: "seed"))
  var seed: Seed?

  /// A number, or the word for one that nobody chose.
  struct Seed: ExpressibleByArgument {
    let value: UInt64

    init?(argument: String) {
      guard let value = argument == "random" ? UInt64.random(in: .min ... .max) : UInt64(argument) else { return nil }
      self.value = value
    }
  }

  func validate() throws { try OptionRange.require(fresh, "--fresh", in: OptionRange.freshCases) }

  var chosenSeed: UInt64 { seed?.value ?? BazelTest()?.seed ?? FreshCases.standardSeed }

  /// - Parameters:
  ///   - engines: those that are asked.
  ///   - problems: those that are named; without any they are drawn.
  /// - Returns: `nil` where there are no cases.
  func cases(for engines: [any Engine], of problems: [any OperationProblem]) -> FreshCases? {
    guard problems.isEmpty else {
      return FreshCases(count: fresh ?? FreshCases.standardCountOfProblem, seed: chosenSeed, problems: problems)
    }
    let count = fresh ?? (engines.allSatisfy(\.description.isBuiltIn) ? 0 : FreshCases.standardCount)
    guard count > 0 else { return nil }
    // Of what nobody offers there is nothing to ask.
    let asked = engines.reduce(into: Set<String>()) { all, engine in
      let offered = engine.description.operations
      all.formUnion(offered.isEmpty ? OperationRegistry.names : offered)
    }
    return FreshCases(count: count, seed: chosenSeed, operations: asked)
  }
}
