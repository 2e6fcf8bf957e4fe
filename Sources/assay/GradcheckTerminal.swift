import Foundation
import Results

/// Gradient checks on stdout: each as it is done, and the last lines.
struct GradcheckTerminal {
  let color: TerminalColor

  /// A check, whose text begins with its verdict.
  func print(_ record: GradientRecord) {
    let verdict = record.verdict.rawValue
    let text = GradientReport(record).text
    guard text.hasPrefix(verdict) else { return Console.print(text) }
    Console.print(color.painted(verdict, as: Self.outcome(of: record.verdict)) + text.dropFirst(verdict.count))
  }

  private static func outcome(of verdict: GradientVerdict) -> Outcome {
    switch verdict {
    case .pass: .holds
    case .fail, .error: .fails
    case .inconclusive, .unsupported: .inconclusive
    }
  }

  /// What all of them amount to.
  func print(_ section: GradientSection) {
    var lines: [String] = []
    for method in GradientMethod.allCases {
      let tensors = section.records.flatMap(\.tensors).filter { $0.method == method }
      guard !tensors.isEmpty else { continue }
      let elements = tensors.reduce(0) { $0 + $1.elementCount }
      let ratio = tensors.map(\.worstRatio).max() ?? 0
      let resolution = tensors.map(\.worstResolution).max() ?? 0
      lines.append(
        "\(method.rawValue): \(tensors.count) gradients, \(elements) elements, worst error/bound "
          + String(format: "%.3g, worst resolution %.3g", ratio, resolution))
    }
    let calibration = section.calibration
    if calibration.elements > 0 {
      lines.append(
        "error estimate of finite differences: exceeded \(calibration.exceeded) times in \(calibration.elements) "
          + String(format: "elements, at most %.3g of it used", calibration.worstRatio))
    }
    let counts = GradientVerdict.allCases.compactMap { verdict in
      let count = section.records.count { $0.verdict == verdict }
      return count > 0 ? "\(count) \(verdict.rawValue)" : nil
    }
    let verdict =
      (counts.isEmpty ? "nothing was checked" : counts.joined(separator: ", "))
      + String(format: " in %.1f s", section.seconds)
    lines.append(color.painted(verdict, as: section.conclusion.outcome))
    Console.print(lines.joined(separator: "\n"))
  }
}
