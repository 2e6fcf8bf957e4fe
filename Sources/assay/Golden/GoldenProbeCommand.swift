import ArgumentParser
import GoldenFiles

/// The child's side of ``GoldenFileProbe``: parses unlisted files under limits, so that its death is the parent's error.
struct GoldenProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: GoldenFileProbe.subcommand, abstract: "Parse golden files for another process.", shouldDisplay: false)

  @Argument(help: "The request, in JSON.")
  var request: String

  func run() throws { try GoldenFileProbe.serve(request) }
}
