import Foundation
import Fuzzing
import GoldenFiles
import Results

/// The golden files of failures, below the folder of `--out`.
struct FailureFolder {
  let path: String
  /// The files of the run whose record is in the folder, which this one replaces.
  private let earlier: [String]

  /// Makes the folder, and looks at what is in it, before any work begins.
  /// - Parameter out: `nil` where nothing is written.
  /// - Throws: the exit code of what cannot be written.
  init?(_ out: String?) throws {
    guard let out else { return nil }
    path = "\(out)/failures"
    earlier = ((try? ReportOutput.read(out))?.fuzzing?.failures ?? []).compactMap(\.file)
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
      throw Outcome.notWritten.ending("\(path.printable): cannot be made: \(error.localizedDescription)")
    }
  }

  /// The file's name says whose failure it is and which case showed it first: a run that goes on gives no other one the same.
  private func file(of failure: FuzzFailure) -> String {
    let words = [failure.engine, failure.operation, failure.name.split(separator: "/").last.map(String.init) ?? ""]
    // An engine may be called anything.
    let name = (words + [failure.dtype]).joined(separator: "-").map { character -> Character in
      character.isLetter || character.isNumber || "-_.+".contains(character) ? character : "_"
    }
    return "\(path)/\(String(name)).h5"
  }

  /// Files of the run that was here before are not left beside those of this one.
  private func removeOthers(than section: FuzzingSection) {
    let kept = Set(section.failures.compactMap(\.file))
    for file in earlier where !kept.contains(file) && file.hasPrefix("\(path)/") {
      try? FileManager.default.removeItem(atPath: file)
    }
  }

  /// Writes a file for each failure that has none, and names it and the command that verifies it. What an earlier run left is
  /// removed.
  /// - Returns: ``Outcome/holds``, or ``Outcome/notWritten`` after saying which files are missing.
  func write(_ section: inout FuzzingSection, _ fuzzer: Fuzzer) -> Outcome {
    var outcome = Outcome.holds
    for index in section.failures.indices where section.failures[index].file == nil {
      let failure = section.failures[index]
      guard let golden = fuzzer.golden(of: failure),
        let engine = fuzzer.plan.engines.first(where: { $0.description.name == failure.engine })
      else { continue }
      let file = file(of: failure)
      do throws(GoldenFileError) {
        try GoldenFileWriter.write(
          [golden],
          header: GoldenFileHeader(
            generator: "assay fuzz", seed: section.seed, text: "\(failure.problem), operands \(failure.data)"),
          to: file)
      } catch {
        Console.error("\(error)")
        outcome = .notWritten
        continue
      }
      section.failures[index].file = file
      section.failures[index].result.reproduce =
        ShellCommand(["assay", "verify", "--golden", file, "--fresh", "0"] + fuzzer.words(failure.result, engine))
        .description
    }
    removeOthers(than: section)
    return outcome
  }
}
