import ArgumentParser

/// `--color` of every command that prints a verdict or a warning.
struct ColorOption: ParsableArguments {
  @Option(help: "Colours of verdicts and warnings; auto: on a terminal, unless NO_COLOR is set.")
  var color: TerminalColor = .auto
}
