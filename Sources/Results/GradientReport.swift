import Foundation

/// A record as a person reads it.
public struct GradientReport: Sendable {
  private let record: GradientRecord
  /// Elements printed of each tensor.
  private let elementLimit = 5

  public init(_ record: GradientRecord) { self.record = record }

  /// One line.
  public var summary: String {
    let resolution = record.tensors.map(\.worstResolution).max() ?? 0
    let ratio = record.tensors.map(\.worstRatio).max() ?? 0
    let kinks = record.tensors.reduce(0) { $0 + $1.kinkCount }
    var parts = [
      record.verdict.rawValue, record.name, "[\(record.engine) \(record.dtype)]",
      "error/bound \(Self.number(ratio))", "resolution \(Self.number(resolution))",
    ]
    if kinks > 0 { parts.append("\(kinks) at kinks") }
    parts.append(String(format: "%.2f s", record.seconds))
    return parts.joined(separator: "  ")
  }

  /// Everything that is wrong, and what it cost to find out.
  public var text: String {
    var lines = [summary]
    if let reason = record.reason { lines.append("  \(reason)") }
    for tensor in record.tensors where tensor.verdict != .pass { lines += describe(tensor) }
    for contract in record.contracts where contract.verdict != .pass {
      lines.append("  \(contract.verdict.rawValue) contract: \(contract.name): \(contract.detail ?? "")")
    }
    if record.verdict != .pass {
      let cost = record.cost
      lines.append(
        "  cost: \(cost.forward) forward, \(cost.backward) backward, \(cost.dual) dual passes; "
          + "torch.autograd.gradcheck's slow mode: \(cost.torchForward) forward, \(cost.torchBackward) backward")
      if let reproduce = record.reproduce { lines.append("  reproduce: \(reproduce)") }
    }
    return lines.joined(separator: "\n")
  }

  private func describe(_ tensor: GradientTensorRecord) -> [String] {
    var lines = ["  \(tensor.verdict.rawValue) gradient of \(tensor.tensor) by \(tensor.method.rawValue)"]
    if let reason = tensor.reason { lines.append("    \(reason)") }
    if let pattern = tensor.pattern { lines.append("    where: \(pattern)") }
    if let hint = tensor.hint { lines.append("    hint: \(hint)") }
    if tensor.inconclusiveCount > 0 { lines.append("    \(tensor.inconclusiveCount) elements inconclusive") }
    for element in tensor.badElements.prefix(elementLimit) {
      lines.append("    " + Self.describe(element))
    }
    let found = tensor.failedCount + tensor.inconclusiveCount
    if found > elementLimit {
      lines.append("    … \(found - elementLimit) more (--json lists \(tensor.badElements.count))")
    }
    return lines
  }

  static func describe(_ element: GradientElementRecord) -> String {
    var text =
      "\(element.tensor)\(element.index)  analytic \(element.analytic)  numeric \(element.numeric)  "
      + "difference \(number(element.difference))  bound \(number(element.bound)) "
      + "(truncation \(number(element.truncation)), rounding \(number(element.rounding)), "
      + "analytic rounding \(number(element.analyticRounding)))"
    if element.step > 0 { text += "  step \(number(element.step))" }
    if let reason = element.reason { text += "  \(reason)" }
    return text
  }

  public static func number(_ value: Double) -> String { String(format: "%.3g", value) }
}
