import ArgumentParser
import Foundation
import OperatingSystem
import Reporting

/// Where the results of `assay verify` go, and how they look.
struct VerifyOutput: ParsableArguments {
  @Option(help: "Write run.json and every report to this folder.", completion: .directory)
  var out: String?

  @OptionGroup var json: JSONOption

  @OptionGroup var junit: JUnitOption

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Print every failure, what is unsupported, and what widened a bound.")
  var verbose = false

  @OptionGroup var colors: ColorOption

  func validate() throws {
    if out == "" { throw ValidationError("--out takes the path of a folder.") }
  }

  var reports: ReportOutput {
    ReportOutput(folder: out, junit: junit.path, files: json.files)
  }
}
