import GoldenFiles
import Results
import Tensors
import Testing
import Verification

@Suite struct ComparisonTests {
  private func compare(
    _ got: [Float], _ expected: [Double], bound: Double = 0.5, equalNaN: Bool = true, signedZero: Bool = false
  ) -> TensorResult {
    let tensor = ExpectedTensor(
      .whole(.float64(Tensor(shape: [expected.count], elements: expected))), equalNaN: equalNaN,
      checkSignedZero: signedZero)
    return TensorComparison(
      path: "outputs/y", expected: tensor, allowance: .within(expected.map { _ in bound }, rule: "rigorous"),
      dtype: .float32
    ).compare(.float32(Tensor(shape: [got.count], elements: got)))
  }

  @Test func `distance decides, and the worst element is named`() {
    let result = compare([1, 2.25, 3.5, 9], [1, 2, 3, 4])
    #expect(result.failing == 1)
    #expect(result.worstRatio == 10)
    #expect(result.worst == WorstElement(index: [3], got: 9, expected: 4, bound: 0.5))
    #expect(compare([1, 2.5], [1, 2]).passes, "an error as large as the bound is allowed")
  }

  @Test func `NaN and infinities must be the same`() {
    #expect(compare([.nan], [.nan]).passes)
    #expect(!compare([.nan], [.nan], equalNaN: false).passes)
    #expect(!compare([.nan], [0]).passes)
    #expect(!compare([0], [.nan]).passes)
    #expect(compare([.infinity], [.infinity]).passes)
    #expect(!compare([-.infinity], [.infinity]).passes)
    #expect(!compare([.infinity], [1]).passes)
    #expect(!compare([.greatestFiniteMagnitude], [.infinity]).passes)
  }

  @Test func `beyond float32's range its infinity is right`() {
    #expect(compare([.infinity], [1e39], bound: 1e32).passes)
    #expect(!compare([-.infinity], [1e39], bound: 1e32).passes)
    #expect(!compare([.infinity], [1e38], bound: 1e32).passes)
  }

  @Test func `a bound that is not finite asks for the value itself`() {
    #expect(!compare([1], [2], bound: .infinity).passes)
    #expect(!compare([1], [2], bound: .nan).passes)
    #expect(compare([2], [2], bound: .nan).passes)
  }

  @Test func `a bound of zero`() {
    #expect(compare([2], [2], bound: 0).worstRatio == 0)
    #expect(compare([2], [2.0001], bound: 0).worstRatio == .infinity)
  }

  @Test func `signed zeros when asked for`() {
    #expect(compare([-0.0], [0]).passes)
    #expect(!compare([-0.0], [0], signedZero: true).passes)
    #expect(compare([-0.0], [-0.0], signedZero: true).passes)
  }

  @Test func `empty tensors hold nothing that is wrong`() {
    #expect(compare([], []).passes)
  }

  @Test func `a file's own tolerance`() {
    let tensor = ExpectedTensor(
      .whole(.float64(Tensor(shape: [2], elements: [1, 100]))),
      tolerance: ToleranceOverride(absolute: 0.01, relative: 0.01, reason: "measured data"))
    let rules = AllowanceRules(fill: .exact, candidate: .float32, oracle: .float64)
    guard let allowance = rules.allowance(for: "outputs/y", expected: tensor, model: nil) else {
      Issue.record("no allowance")
      return
    }
    func verdict(_ got: [Float]) -> TensorResult {
      TensorComparison(path: "outputs/y", expected: tensor, allowance: allowance, dtype: .float32)
        .compare(.float32(Tensor(shape: [2], elements: got)))
    }
    #expect(verdict([1.019, 101]).passes)
    #expect(!verdict([1.021, 100]).passes)
    #expect(verdict([1, 100]).overrideReason == "measured data")
  }

  @Test func `units in the last place as a tolerance`() {
    let tensor = ExpectedTensor(
      .whole(.float64(Tensor(shape: [1], elements: [1]))), tolerance: ToleranceOverride(maximumULPs: 2))
    func passes(_ got: Float) -> Bool {
      TensorComparison(path: "outputs/y", expected: tensor, allowance: .tolerance(tensor.tolerance), dtype: .float32)
        .compare(.float32(Tensor(shape: [1], elements: [got]))).passes
    }
    #expect(passes(1 + 2 * Float(1).ulp))
    #expect(!passes(1 + 3 * Float(1).ulp))
  }

  @Test func `integers are compared as integers`() {
    let large = Int64(1) << 53
    let tensor = ExpectedTensor(.int64(Tensor(shape: [1], elements: [large + 1])))
    let comparison = TensorComparison(path: "outputs/indices", expected: tensor, allowance: .byValue, dtype: .float32)
    #expect(comparison.compare(.int64(Tensor(shape: [1], elements: [large + 1]))).passes)
    #expect(!comparison.compare(.int64(Tensor(shape: [1], elements: [large]))).passes)
    #expect(!comparison.compare(.float32(Tensor(shape: [1], elements: [Float(large)]))).passes)
  }

  @Test func `sampled tensors are held to samples and to the figures over the whole`() {
    let values = (0..<100).map { Double($0) - 20 }
    let sample = SampledTensor(
      shape: [100], indices: [3, 50], values: [values[3], values[50]],
      l2Norm: values.reduce(0) { $0 + $1 * $1 }.squareRoot(), sum: values.reduce(0, +), absMax: 79)
    let comparison = TensorComparison(
      path: "gradients/w", expected: ExpectedTensor(.sampled(sample)),
      allowance: .within(values.map { _ in 0.001 }, rule: "statistical"), dtype: .float32)
    func verdict(_ change: (inout [Float]) -> Void) -> TensorResult {
      var elements = values.map { Float($0) }
      change(&elements)
      return comparison.compare(.float32(Tensor(shape: [100], elements: elements)))
    }
    #expect(verdict { _ in }.passes)
    #expect(verdict { $0[50] += 1 }.worst?.index == [50])
    // No sample sees these; a figure does.
    #expect(verdict { $0[70] += 0.5 }.pattern.contains("sum"))
    #expect(verdict { $0.swapAt(60, 61) }.passes, "a permutation between samples is beyond what samples can see")
    #expect(
      verdict { elements in (elements[10], elements[11]) = (elements[10] - 5, elements[11] + 5) }.pattern.contains(
        "l2_norm"))
    #expect(verdict { $0[99] += 3 }.pattern.contains("abs_max"))
    #expect(!verdict { $0[98] = .nan }.passes)
  }

  @Test func `patterns point to the place`() {
    func pattern(_ wrong: (Int, Int, Int, Int) -> Bool) -> String {
      let shape: Shape = [2, 4, 5, 6]
      let elements = (0..<shape.count).map { offset in
        let i = shape.index(ofOffset: offset)
        return wrong(i[0], i[1], i[2], i[3]) ? Float(1) : 0
      }
      return TensorComparison(
        path: "outputs/y", expected: ExpectedTensor(.float64(Tensor(shape: shape, repeating: 0))), allowance: .byValue,
        dtype: .float32
      ).compare(.float32(Tensor(shape: shape, elements: elements))).pattern
    }
    #expect(pattern { _, c, _, _ in c == 2 }.contains("c = 2"))
    #expect(pattern { _, _, _, w in w == 5 }.contains("w = 5 (the last)"))
    #expect(pattern { _, _, h, _ in h == 0 || h == 4 }.contains("h at its border"))
    #expect(pattern { _, _, _, w in w % 2 == 1 }.contains("odd w"))
    #expect(pattern { _, _, _, _ in true } == "every element")
    #expect(pattern { n, c, h, w in (n, c, h, w) == (1, 2, 3, 4) } == "one element")
  }
}
