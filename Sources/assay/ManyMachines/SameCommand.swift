import Results

/// A command without the words that do not decide what is done and how.
enum SameCommand {
  static func text(_ provenance: Provenance) -> String {
    ShellCommand(provenance.command).without(
      options: ["--out", "--json", "--junit", "--deadline", "--color", "--jobs"],
      flags: ["--resume", "--quiet", "-q", "--verbose", "-v"]
    ).description
  }
}
