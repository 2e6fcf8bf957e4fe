import GoldenFiles
import Problems

/// A part of what a case expects, by the name that `bench --pass` has for it.
public enum JudgedPass: String, Hashable, Sendable, CaseIterable {
  /// Outputs, and buffers afterwards.
  case forward
  /// Gradients of inputs.
  case backwardData = "backward_data"
  /// Gradients of parameters.
  case backwardWeight = "backward_weight"

  /// Their names, in the order of the passes.
  package static func names(_ passes: Set<JudgedPass>) -> [String] {
    allCases.filter(passes.contains).map(\.rawValue)
  }
}

extension GoldenCase {
  /// Leaves what these passes compute, and the cotangents only where that are gradients.
  /// - Returns: the paths of what is expected no more, in order.
  package mutating func keep(_ passes: Set<JudgedPass>) -> [String] {
    let before = expected.keys
    if !passes.contains(.forward) { (outputs, buffersAfter) = ([:], [:]) }
    gradients = gradients.filter { passes.contains(inputs[$0.key] == nil ? .backwardWeight : .backwardData) }
    if gradients.isEmpty { exercise.upstream = [:] }
    let kept = expected
    return before.filter { kept[$0] == nil }.sorted()
  }
}

extension VerificationCase {
  /// Of what the file expects, the part that is judged.
  /// - Returns: the case and the paths that are not asked for; `nil` where nothing of it is.
  func keeping(_ passes: Set<JudgedPass>?) -> (item: VerificationCase, notAsked: [String])? {
    guard let passes else { return (self, []) }
    // A refusal is asked for in the forward pass.
    if golden.expectError != nil { return passes.contains(.forward) ? (self, []) : nil }
    var kept = golden
    let notAsked = kept.keep(passes)
    guard notAsked.isEmpty || !kept.expected.isEmpty else { return nil }
    return (VerificationCase(file: file, oracle: oracle, golden: kept, isPart: isPart), notAsked)
  }
}
