import Engines
import Fuzzing
import Operations
import Problems
import SelfTest
import Tensors
import Testing

/// How near the smallest problem that fails shrinking comes, for every kernel of a convolution that is wrong for a class of problems.
@Suite struct ShrinkingTests {
  @Test func `what is shrunk has at most twice the elements of the smallest problem that fails`() throws {
    let mutants = SelfTest.mutants.filter { $0.family == .classes && $0.operations == ["conv2d"] }
    var (near, worst) = (0, "")
    for mutant in mutants {
      let shrunk = try shrunk(mutant)
      // Every problem of less than half of its elements, and all are right: then it is within the factor.
      let smaller = Candidates(below: (shrunk.elementCount + 1) / 2, near: shrunk).first { fails(mutant, $0) }
      if let smaller {
        worst += "\(mutant.name): \(shrunk.text) has \(shrunk.elementCount), \(smaller.text) \(smaller.elementCount); "
      } else {
        near += 1
      }
    }
    #expect(mutants.count >= 10)
    #expect(10 * near >= 9 * mutants.count, "\(near) of \(mutants.count): \(worst)")
  }

  private func shrunk(_ mutant: Mutant) throws -> Conv2dProblem {
    var plan = FuzzPlan(engines: [MutantEngine(mutant)], operations: ["conv2d"], dtypes: [.float32])
    plan.cases = 5_000
    plan.threads = [1]
    let found = try Fuzzer(plan).firstFailure(besides: ReferenceEngine())
    #expect(found.problem != nil, "\(mutant.name)")
    let section = Fuzzer(plan).run(number: found.cases - 1, of: "conv2d")
    let failure = try #require(section.failures.first)
    return try #require(try Problem.parse(failure.problem) as? Conv2dProblem)
  }

  /// Whether any value differs from the reference's.
  private func fails(_ mutant: Mutant, _ problem: Conv2dProblem) -> Bool {
    let exercise = DataRecipe(kind: .exact, seed: 1).exercise(of: problem)
    guard let wrong = try? MutantEngine(mutant).compute(exercise),
      let right = try? ReferenceEngine().compute(exercise)
    else { return false }
    func values(_ tensors: [String: AnyTensor]) -> [String: [Double]] { tensors.mapValues(\.doubles.elements) }
    return values(wrong.outputs) != values(right.outputs) || values(wrong.gradients) != values(right.gradients)
  }
}

/// All convolutions of fewer elements than a number, with the attributes of a given one or none: those of one that is the simplest in
/// it can only be.
private struct Candidates: Sequence {
  let below: Int
  let near: Conv2dProblem

  init(below: Int, near: Conv2dProblem) {
    self.below = below
    self.near = near
  }

  func makeIterator() -> AnyIterator<Conv2dProblem> {
    // An operand of a thousand elements is in no problem that has fewer.
    guard below <= 200 else { return AnyIterator { nil } }
    var found: [Conv2dProblem] = []
    for plane in Self.tuples(4, product: below - 2) {
      for weight in Self.tuples(4, product: below - plane.reduce(1, *) - 1) { found += problems(plane, weight) }
    }
    found.sort { $0.elementCount < $1.elementCount }
    return AnyIterator(found.makeIterator())
  }

  /// N, C, H, W and K, C/groups, R, S.
  private func problems(_ plane: [Int], _ weight: [Int]) -> [Conv2dProblem] {
    guard plane[1] % weight[1] == 0, weight[0] % (plane[1] / weight[1]) == 0 else { return [] }
    func values(_ pair: Pair, _ all: [Int]) -> [Pair] {
      pair == Pair(all[0]) ? [pair] : all.flatMap { h in all.map { Pair(h, $0) } }
    }
    return values(near.stride, [1, 2, 3, 4]).flatMap { stride in
      values(near.dilation, [1, 2, 3]).flatMap { dilation in
        paddings.flatMap { padding in
          (near.hasBias ? [false, true] : [false]).compactMap { hasBias in
            let problem = try? Conv2dProblem(
              batch: plane[0], inputChannels: plane[1], inputSize: Pair(plane[2], plane[3]), outputChannels: weight[0],
              kernelSize: Pair(weight[2], weight[3]), stride: stride, padding: padding, dilation: dilation,
              groups: plane[1] / weight[1], hasBias: hasBias)
            return problem.flatMap { $0.elementCount < below ? $0 : nil }
          }
        }
      }
    }
  }

  private var paddings: [Conv2dProblem.Padding] {
    switch near.padding {
    case .explicit(let pair):
      pair == 0 ? [.explicit(0)] : [0, 1, 2].flatMap { h in [0, 1, 2].map { .explicit(Pair(h, $0)) } }
    default: [.explicit(0), near.padding]
    }
  }

  /// So many numbers from 1, whose product is at most a limit.
  private static func tuples(_ count: Int, product limit: Int) -> [[Int]] {
    guard limit >= 1 else { return [] }
    guard count > 0 else { return [[]] }
    return (1...limit).flatMap { first in tuples(count - 1, product: limit / first).map { [first] + $0 } }
  }
}
