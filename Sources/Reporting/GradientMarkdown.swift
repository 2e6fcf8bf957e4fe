import Results

/// The gradients of a run as Markdown.
struct GradientMarkdown {
  private let section: GradientSection

  init(_ section: GradientSection) { self.section = section }

  var lines: [String] {
    let counts = GradientVerdict.allCases.compactMap { verdict in
      let count = section.records.count { $0.verdict == verdict }
      return count > 0 ? "\(count) \(verdict.rawValue)" : nil
    }
    let seconds = (section.seconds * 10).rounded() / 10
    var lines = ["## Gradients", "", counts.joined(separator: ", ") + ", in \(seconds) s.", ""]
    let calibration = section.calibration
    if calibration.elements > 0 {
      lines += [
        "Finite differences against dual numbers: in \(calibration.elements) elements the error estimate was exceeded "
          + "\(calibration.exceeded) times; at most \(Self.number(calibration.worstRatio)) of it was used.", "",
      ]
    }
    let methods = TextTable(
      ["method", "tensors", "elements", "worst error/bound", "worst resolution"], methodRows)
    lines += methods.markdown
    let checks = TextTable(
      ["verdict", "checked", "engine", "what", "worst error/bound"],
      (section.records.filter { $0.verdict != .pass } + section.records.filter { $0.verdict == .pass }).map(row),
      words: 4)
    lines += checks.markdown
    return lines
  }

  private var methodRows: [[String]] {
    GradientMethod.allCases.compactMap { method in
      let tensors = section.records.flatMap(\.tensors).filter { $0.method == method }
      guard !tensors.isEmpty else { return nil }
      return [
        method.rawValue, "\(tensors.count)", "\(tensors.reduce(0) { $0 + $1.elementCount })",
        Self.number(tensors.map(\.worstRatio).max() ?? 0), Self.number(tensors.map(\.worstResolution).max() ?? 0),
      ]
    }
  }

  private func row(_ record: GradientRecord) -> [String] {
    let tensor = record.tensors.first { $0.verdict != .pass }
    let contract = record.contracts.first { $0.verdict != .pass }
    let what =
      record.reason ?? tensor.map { "\($0.tensor): \($0.pattern ?? $0.reason ?? "")" }
      ?? contract.map { "\($0.name): \($0.detail ?? "")" } ?? ""
    return [
      record.verdict.rawValue, record.name, "\(record.engine) \(record.dtype)", what,
      Self.number(record.tensors.map(\.worstRatio).max() ?? 0),
    ]
  }

  private static func number(_ value: Double) -> String { NumberText.short(value) }
}
