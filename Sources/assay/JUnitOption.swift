import ArgumentParser

/// `--junit` of every command that makes a run with a verdict.
struct JUnitOption: ParsableArguments {
  @Option(
    name: .customLong("junit"), help: "Write JUnit XML to this file.", completion: .file(extensions: ["xml"]))
  var path: String?

  func validate() throws {
    if path == "" { throw ValidationError("--junit takes the path of a file.") }
  }
}
