import Foundation
import Results

/// A run as Markdown, for a person and for `$GITHUB_STEP_SUMMARY`.
public enum MarkdownReport {
  public static func text(_ run: Run) -> String {
    var lines = ["# Assay report", ""]
    lines += provenance(run.provenance)
    lines += parts(run)
    return lines.joined(separator: "\n") + "\n"
  }

  /// What fails comes first, what decides nothing next, and else they stand in the order of the work.
  private static func parts(_ run: Run) -> [String] {
    var parts: [(outcome: Outcome, lines: [String])] = []
    if let part = run.verification { parts.append((part.conclusion.outcome, VerificationMarkdown(part).lines)) }
    if let part = run.fuzzing { parts.append((part.conclusion.outcome, FuzzingMarkdown(part).lines)) }
    if let part = run.gradients { parts.append((part.conclusion.outcome, GradientMarkdown(part).lines)) }
    if let part = run.training { parts.append((part.conclusion.outcome, TrainingMarkdown(part).lines)) }
    if let part = run.selfTest { parts.append((part.conclusion.outcome, SelfTestMarkdown(part).lines)) }
    if let part = run.changes { parts.append((.holds, ChangesMarkdown.lines(part))) }
    if let part = run.benchmark {
      parts.append((part.conclusion.outcome, BenchmarkMarkdown.lines(part, run.provenance)))
    }
    if let part = run.duet { parts.append((part.conclusion.outcome, BenchmarkMarkdown.lines(part))) }
    func rank(_ outcome: Outcome) -> Int { outcome == .holds ? 2 : outcome == .inconclusive ? 1 : 0 }
    return parts.enumerated()
      .sorted { (rank($0.element.outcome), $0.offset) < (rank($1.element.outcome), $1.offset) }
      .flatMap(\.element.lines)
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
