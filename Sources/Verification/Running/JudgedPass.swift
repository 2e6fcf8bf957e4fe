import GoldenFiles
import Operations
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

  /// What the operation gives besides what is expected, in order.
  var uncomputed: [String] {
    guard let definition = (try? OperationRegistry.operation(of: exercise)) ?? nil else { return [] }
    let gradients = exercise.upstream.isEmpty ? [] : definition.differentiableOperands.value ?? []
    let all = definition.problem.outputs.keys.map { "outputs/\($0)" } + gradients.map { "gradients/\($0)" }
    return Set(all).subtracting(expected.keys).sorted()
  }
}

extension Exercise {
  /// The same, asked for what these passes compute: a backward pass costs twice what the forward pass does.
  /// - Parameter operands: those that have gradients.
  func asked(for passes: Set<JudgedPass>, differentiable operands: [String]) -> Exercise {
    var changed = self
    let gradients = operands.filter { passes.contains(inputs[$0] == nil ? .backwardWeight : .backwardData) }
    guard !gradients.isEmpty else {
      (changed.passes, changed.upstream) = ([.forward], [:])
      return changed
    }
    changed.wanted = Set(gradients.map { "gradients/\($0)" })
    // Buffers come with the outputs, and who has some is known to the forward pass alone.
    if !passes.contains(.forward), buffers.isEmpty { changed.passes = [.backward] }
    return changed
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
