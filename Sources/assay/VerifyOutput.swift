import ArgumentParser
import Foundation
import OperatingSystem
import Reporting

/// Where the results of `assay verify` go, and how they look.
struct VerifyOutput: ParsableArguments {
  @Option(help: "Write run.json and every report to this folder.", completion: .directory)
  var out: String?

  @OptionGroup var json: JSONOption

  @Option(help: "Write JUnit XML to this file.", completion: .file(extensions: ["xml"]))
  var junit: String?

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Print every failure, what is unsupported, and what widened a bound.")
  var verbose = false

  @OptionGroup var colors: ColorOption

  func validate() throws {
    if [out, junit].contains("") { throw ValidationError("--out and --junit take a path.") }
  }

  var reports: ReportOutput {
    ReportOutput(folder: out, junit: junit, files: json.files)
  }
}
