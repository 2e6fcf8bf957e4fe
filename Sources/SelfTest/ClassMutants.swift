import Operations
import Problems
import Tensors

/// Kernels that are right but for one class of problems, one combination of attributes or one pass: what no list of cases that
/// somebody thought of has to hold, and random problems find. They are made of every operation's own draw.
enum ClassMutants {
  /// Where a kernel slips.
  private struct Slip: Sendable {
    let name: String
    let holds: @Sendable (any OperationProblem) -> Bool
  }

  static let all: [Mutant] = OperationRegistry.all.enumerated().flatMap { position, type -> [Mutant] in
    guard let draw = type.problemDraw.value else { return [] }
    let slips = [tails[position % tails.count], many] + combinations(of: draw)
    return slips.map { forward($0, of: type.name) } + backward(type.name, draw)
  }

  // MARK: Where

  /// The last axis of the first input.
  private static func lastExtent(_ problem: any OperationProblem) -> Int {
    problem.operands.inputs.min { $0.key < $1.key }?.value.shape.dimensions.last ?? 0
  }

  private static let tails = [
    Slip(name: "one column short of 16") { lastExtent($0) % 16 == 15 },
    Slip(name: "one column beyond 8") { lastExtent($0) > 8 && lastExtent($0) % 8 == 1 },
    Slip(name: "three columns beyond 4") { lastExtent($0) > 4 && lastExtent($0) % 4 == 3 },
  ]

  /// As one whose second thread begins at the wrong place.
  private static let many = Slip(name: "more than 1000 elements") { problem in
    (problem.operands.all.values.map(\.shape.count).max() ?? 0) > 1_000
  }

  private static let sampled = 400

  /// Attributes that are both not what they are in the simplest problem, where some problem has such.
  private static func combinations(of draw: ProblemDraw) -> [Slip] {
    guard let simplest = draw.problem([:])?.problem.attributes else { return [] }
    let names = simplest.values.keys.sorted()
    let samples = (0..<sampled).map { draw.problem(seed: UInt64($0)).problem.attributes }
    return zip(names, names.dropFirst()).compactMap { first, second in
      let differs: @Sendable (Attributes) -> Bool = {
        $0[first] != simplest[first] && $0[second] != simplest[second]
      }
      guard samples.contains(where: differs) else { return nil }
      return Slip(name: "\(first) and \(second) together") { differs($0.attributes) }
    }
  }

  // MARK: What is wrong there

  private static func spoil(_ tensor: inout Tensor<Double>) {
    guard let last = tensor.elements.last else { return }
    tensor.elements[tensor.count - 1] = last.isFinite ? last + 1 + abs(last) : 0
  }

  private static func forward(_ slip: Slip, of operation: String) -> Mutant {
    .answering("\(operation): last element, \(slip.name)", .classes, [operation]) { answer, exercise in
      guard let problem = try? exercise.problem(), slip.holds(problem) else { return }
      let floating = answer.outputs.filter { $0.value.dtype != .int64 }.keys
      if let name = floating.min() { answer.outputs.edit(name, spoil) }
    }
  }

  /// A gradient alone.
  private static func backward(_ operation: String, _ draw: ProblemDraw) -> [Mutant] {
    guard let problem = draw.problem([:])?.problem, let operand = problem.definition.differentiableOperands.value?.last
    else { return [] }
    let slip = tails[2]
    return [
      .answering("\(operation): gradient of \(operand), \(slip.name)", .classes, [operation]) { answer, exercise in
        guard let problem = try? exercise.problem(), slip.holds(problem) else { return }
        answer.gradients.edit(operand, spoil)
      }
    ]
  }
}
