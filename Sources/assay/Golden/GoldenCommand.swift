import ArgumentParser

/// `assay golden`: what is in golden files, and whether they are sound.
struct GoldenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "golden",
    abstract: "List, show, diff and validate golden files.",
    discussion: """
      A golden file holds cases: inputs, parameters and the expected results of one operation each. Fixtures/FORMAT.md
      describes the format. Files that Fixtures/MANIFEST.json does not list are first parsed in a child process.

      EXAMPLES:
        assay golden list                              every case of ./Fixtures
        assay golden list --filter 'conv2d/*' mine.h5
        assay golden show mine.h5 /conv2d/stride2
        assay golden diff old.h5 new.h5
        assay golden validate mine.h5 folder/
      """,
    subcommands: [
      GoldenListCommand.self, GoldenShowCommand.self, GoldenDiffCommand.self, GoldenValidateCommand.self,
    ])
}
