import Foundation
import TestSupport
import Testing

/// Files of public bug reports on which correct numbers once failed, or wrong ones were taken for right: `Tests/Trials`.
@Suite struct NumericalTrialTests {
  struct Trial: CustomTestStringConvertible {
    var file: String
    var engine = "reference"
    var command = "verify"
    var testDescription: String { "\(command) \(file) \(engine)" }
  }

  private static func trials(_ files: [String], _ engines: [String] = ["reference"]) -> [Trial] {
    files.flatMap { file in engines.map { Trial(file: file, engine: $0) } }
  }

  private static let winograd = ["winograd2", "winograd4", "winograd6"]
  private static let strategies = ["direct", "im2col", "im2col-materialised", "auto"] + winograd

  static let all: [Trial] =
    // An axis that keeps its size is copied: pytorch/pytorch#65200, #97770.
    trials(["U2_bilinear_axis_keeps_its_size", "U2_nearest_axis_keeps_its_size"])
    // Finite operands with a finite result, whose transforms overflow: tensorflow/tensorflow#60315.
    + trials(["C6_huge_finite_input", "C6_huge_finite_input_for_auto"], ["reference"] + strategies)
    // A max-pool window without one real element: pytorch/pytorch#114216.
    + trials(["P2_windows_of_padding_alone"])
    // Zeros of the padding take part: 0·∞ is NaN.
    + trials(["X_infinite_weight_padded", "X_infinite_cotangent_padded"], ["reference"] + strategies)
    // The largest integer there is, as an index to ignore.
    + trials(["X_ignore_index_largest"]) + [Trial(file: "X_ignore_index_largest", command: "gradcheck")]

  @Test(arguments: all) func holds(trial: Trial) throws {
    let path = Repository.root.appending(path: "Tests/Trials/\(trial.file).h5").path
    let run = try CommandRun([trial.command, "--golden", path, "--engine", trial.engine])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }
}
