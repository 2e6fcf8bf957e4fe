import ArgumentParser
import NetworkFiles

/// The child's side of ``NetworkFileProbe``: parses users' files under limits, so that its death is the parent's error.
struct NetworkFileProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: NetworkFileProbe.subcommand, abstract: "Parse weights for another process.", shouldDisplay: false)

  @Argument(help: "The request, in JSON.")
  var request: String

  func run() throws { try NetworkFileProbe.serve(request) }
}
