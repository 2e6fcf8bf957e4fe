import Benchmarking
import Engines
import Operations
import Problems
import Tensors
import Testing

@Suite struct OutputWindowTests {
  static let problems = [
    "conv2d n2c8h7w6 k12r3s3 bias stride1 pad1", "conv2d n2c8h7w6 k12r3s3 groups4 bias stride2 pad1",
    "conv2d n1c6h5w5 k6r3s3 groups6 stride1 padsame", "conv2d n3c5h6w6 k2r1s1 stride1 pad0",
  ]

  private func item(_ text: String, _ pass: TimingRequest.TimedPass) throws -> BenchmarkPlan.Item {
    let problem = try #require(try Problem.parse(text) as? Conv2dProblem)
    return BenchmarkPlan.Item(.convolution(problem), pass: pass, layout: .nchw, threads: 1)
  }

  /// A window's own convolution gives the window of the whole one; and no wrong element stays outside all of them where an
  /// image is all that there is.
  @Test(
    arguments: problems, [TimingRequest.TimedPass.forward, .backwardData, .backwardWeight])
  func windowsArePartsOfTheWhole(text: String, pass: TimingRequest.TimedPass) throws {
    let item = try item(text, pass)
    let work = WorkloadExercise(item, seed: 3)
    let whole = try ReferenceEngine().compute(work.single.converted(to: .float64))
    var generator = SplitMix64(seed: 5)
    let windows = OutputWindow.windows(of: item, count: 3, using: &generator)
    let path = try #require(work.single.wanted.first)
    var covered = 0
    for window in windows {
      let part = try ReferenceEngine().compute(window.exercise(of: work.single).converted(to: .float64))
      let expected = try #require(window.part(of: whole)[path])
      let found = try #require(part[path])
      #expect(found.shape == expected.shape, "\(window.text)")
      for (a, b) in zip(found.doubles.elements, expected.doubles.elements) {
        #expect(abs(a - b) <= 1e-12 * max(1, abs(b)))
      }
      covered += expected.shape.count
    }
    let images = pass == .backwardWeight ? 1 : max(1, item.subject.batch)
    let all = try #require(whole[path]).shape.count
    #expect(covered == all / images, "windows share the channels of one image out among them")
  }

  /// Nothing that was drawn for one set or round is drawn again for another.
  @Test func everySetOfEveryRoundHasItsOwnNumbers() throws {
    let work = WorkloadExercise(try item(Self.problems[0], .backwardWeight), seed: 1)
    let sets = OperandSets(of: work.exercise, resultBytes: 0, seed: 9)
    var seen: [LateOperands] = []
    for round in 0..<3 {
      for set in [0, 1, OperandSets.mostSets] {
        let operands = sets.operands(set: set, round: round)
        #expect(!seen.contains(operands))
        #expect(operands == sets.operands(set: set, round: round), "the same seed draws the same numbers")
        #expect(operands.inputs.mapValues(\.shape) == work.exercise.inputs.mapValues(\.shape))
        seen.append(operands)
      }
    }
  }

  /// An image of a network by itself has the logits that it has among others, and a window's numbers go where they belong.
  @Test func anImageIsAWindowOfANetwork() throws {
    let problem = try ResNetProblem(
      architecture: .cifar(depth: 8), inputShape: [3, 3, 32, 32], classCount: 4)
    let item = BenchmarkPlan.Item(.network(problem), pass: .inference, layout: .nchw, threads: 1)
    let work = WorkloadExercise(item, seed: 7)
    let whole = try ReferenceEngine().compute(work.single.converted(to: .float64))
    var generator = SplitMix64(seed: 5)
    let windows = OutputWindow.windows(of: item, count: 12, using: &generator)
    #expect(Set(windows.map(\.text)) == ["image 0, the logits", "image 1, the logits", "image 2, the logits"])
    for window in windows {
      let part = try ReferenceEngine().compute(window.exercise(of: work.single).converted(to: .float64))
      #expect(part.outputs["logits"] == window.part(of: whole).outputs["logits"])
    }
    let window = NetworkWindow(problem: problem, image: 1)
    var part = try OutputWindow.network(window).exercise(of: work.single)
    part.inputs["x"] = .float32(Tensor(shape: [1, 3, 32, 32], repeating: 0.5))
    let completed = window.completed(part, by: work.single)
    let found = try #require(completed.inputs["x"]).doubles.elements
    let given = try #require(work.single.inputs["x"]).doubles.elements
    #expect(found[3072..<6144].allSatisfy { $0 == 0.5 })
    #expect(Array(found[..<3072]) == Array(given[..<3072]) && Array(found[6144...]) == Array(given[6144...]))
  }
}
