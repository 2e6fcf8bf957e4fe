import Foundation
import Results

/// A run as Markdown, for a person and for `$GITHUB_STEP_SUMMARY`.
public enum MarkdownReport {
  public static func text(_ run: Run) -> String {
    var lines = ["# Assay report", ""]
    lines += provenance(run.provenance)
    if let verification = run.verification { lines += VerificationMarkdown(verification).lines }
    if let fuzzing = run.fuzzing { lines += FuzzingMarkdown(fuzzing).lines }
    if let gradients = run.gradients { lines += GradientMarkdown(gradients).lines }
    if let training = run.training { lines += TrainingMarkdown(training).lines }
    if let selfTest = run.selfTest { lines += SelfTestMarkdown(selfTest).lines }
    if let benchmark = run.benchmark { lines += BenchmarkMarkdown.lines(benchmark, run.provenance) }
    if let duet = run.duet { lines += BenchmarkMarkdown.lines(duet) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func provenance(_ provenance: Provenance) -> [String] {
    let commit =
      provenance.gitCommit.map { $0.prefix(12) + (provenance.gitDirty == true ? " (changed)" : "") } ?? "none"
    return [
      "\(MarkdownText.code(provenance.commandLine)), started \(provenance.started), Assay \(provenance.assayVersion), commit \(commit), "
        + "\(provenance.compiler) (\(provenance.compilerFlags)), \(provenance.operatingSystem), \(provenance.cpuModel), "
        + "\(provenance.coreCount) cores.", "",
    ]
  }

  /// `**Fails**: 2 FAIL`.
  static func verdict(_ conclusion: Conclusion) -> String {
    let words = conclusion.outcome.words
    let reasons = conclusion.reasons.isEmpty ? "" : ": " + conclusion.reasons.joined(separator: "; ")
    return "**\(words.prefix(1).uppercased())\(words.dropFirst())**\(reasons)"
  }
}
