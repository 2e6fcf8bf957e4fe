import ArgumentParser
import Foundation
import Reporting
import Results

/// A run that `--resume` finds complete.
enum CompleteRun {
  /// - Returns: the run in the folder, where it is the same and nothing of it is open; `nil` where there is something to do.
  /// - Throws: `ValidationError` where the folder holds another run.
  static func read(_ out: String, _ provenance: Provenance) throws -> Run? {
    guard FileManager.default.fileExists(atPath: "\(out)/run.json"),
      !FileManager.default.fileExists(atPath: "\(out)/results")
    else { return nil }
    let run = try ReportOutput.read(out)
    var differences = run.differences(from: Run(provenance: provenance))
    let commands = [run.provenance, provenance].map { SameCommand.text($0) }
    if commands[0] != commands[1] {
      differences.append(RunDifference(name: "command", first: commands[0], second: commands[1]))
    }
    guard differences.isEmpty else {
      throw ValidationError(
        "--resume: \(out.printable) holds another run:\n"
          + differences.map { "  \($0.name): \($0.first) then, \($0.second) now".printable }.joined(separator: "\n"))
    }
    let isOpen = run.gradients?.interrupted == true || run.selfTest?.interrupted == true
    return isOpen ? nil : run
  }
}

/// A command without the words that do not decide what is done and how.
enum SameCommand {
  static func text(_ provenance: Provenance) -> String {
    ShellCommand(provenance.command).without(
      options: ["--out", "--json", "--junit", "--deadline", "--color", "--jobs"],
      flags: ["--resume", "--quiet", "-q", "--verbose", "-v"]
    ).description
  }
}
