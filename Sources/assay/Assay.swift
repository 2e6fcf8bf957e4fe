import ArgumentParser

/// The command: parses arguments, calls the modules below, maps outcomes to the documented exit codes.
@main
struct Assay: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assay",
    abstract: "Verify and time numerical kernels for the layers of residual networks.",
    subcommands: [GoldenCommand.self, GoldenProbeCommand.self, EngineCommand.self])
}
