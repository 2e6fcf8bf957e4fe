import ArgumentParser
import Engines
import Foundation

/// `assay engine`: a built-in engine for others to talk to.
struct EngineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "engine",
    abstract: "Serve a built-in engine over the engine protocol, on stdin and stdout.",
    discussion: """
      Two builds of this program can then be compared side by side in one run:

        assay duet --base 'old/assay engine auto' --head 'new/assay engine auto'
      """)

  @Argument(help: "The engine's name.")
  var name = "reference"

  @Option(
    help: ArgumentHelp("Make every timed iteration really longer, to test the gate.", visibility: .hidden),
    transform: Percentage.init)
  var injectSlowdown: Percentage?

  @OptionGroup var limits: CaseLimitOptions

  func run() throws {
    guard let engine = BuiltInEngines.named(name) else {
      let known = BuiltInEngines.all.map(\.description.name).joined(separator: ", ")
      throw ValidationError("engine '\(name)': expected one of \(known)")
    }
    let server = EngineServer(engine, slowdown: injectSlowdown?.fraction ?? 0, limits: limits.limits())
    server.serve(lines: { readLine() }) { reply in
      // A reader that went away ends the loop with the next end of input.
      try? FileHandle.standardOutput.write(contentsOf: reply + Data("\n".utf8))
    }
  }
}

/// `5%` or `0.05`.
struct Percentage: Sendable {
  var fraction: Double

  init(_ text: String) throws {
    let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let value = Double(digits.trimmingCharacters(in: .whitespaces)), value.isFinite, value >= 0 else {
      throw ValidationError("'\(text)': expected a percentage such as 5%, or a fraction such as 0.05")
    }
    fraction = text.hasSuffix("%") ? value / 100 : value
  }
}
