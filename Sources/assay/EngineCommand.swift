import ArgumentParser
import CShims
import Engines
import Foundation
import Results
import StrategyEngines

/// `assay engine`: a built-in engine for others to talk to.
struct EngineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "engine",
    abstract: "Serve a built-in engine over the engine protocol, on stdin and stdout.",
    discussion: """
      It answers requests until its input ends. Two builds of this program can so be compared side by side in one run.

      EXAMPLES:
        assay engine winograd4
        assay duet --base 'old/assay engine auto' --head 'new/assay engine auto'
      """)

  @Argument(help: "The engine's name.")
  var name = "reference"

  @Option(
    help: ArgumentHelp("Make every timed iteration really longer, to test the gate.", visibility: .hidden),
    transform: Percentage.init)
  var injectSlowdown: Percentage?

  @Option(
    help: ArgumentHelp(
      "Slow down the problems alone whose text holds this (default: all).", valueName: "text", visibility: .hidden))
  var slowed: String?

  @Flag(help: "Choose strategies by what `assay tune` measured on this machine.")
  var tuned = false

  @OptionGroup var limits: CaseLimitOptions

  func run() throws {
    assay_keep_freed_memory()
    let engines = tuned ? BuiltInEngines.tuned : BuiltInEngines.all
    let server = EngineServer(
      name == NullEngine.name ? NullEngine() : try EngineLookup.builtIn(name, of: engines),
      slowdown: injectSlowdown.map { EngineServer.Slowdown($0.fraction, ofProblemsWith: slowed) },
      limits: limits.limits())
    server.serve(lines: { readLine() }) { reply in
      // A reader that went away ends the loop with the next end of input.
      try? FileHandle.standardOutput.write(contentsOf: reply + Data("\n".utf8))
    }
  }
}

/// `5%` or `0.05`, from nothing to the whole. `5` is neither: it would be 500 %, which nobody means.
struct Percentage: Sendable {
  let fraction: Double

  init(_ text: String) throws {
    let isPercent = text.hasSuffix("%")
    let digits = (isPercent ? String(text.dropLast()) : text).trimmingCharacters(in: .whitespaces)
    guard let value = Double(digits), value >= 0, isPercent ? value <= 100 : value < 1 else {
      throw ValidationError(
        "'\(text.printable)': expected a percentage from 0% to 100% such as 5%, or a fraction below 1 such as 0.05")
    }
    fraction = isPercent ? value / 100 : value
  }
}
