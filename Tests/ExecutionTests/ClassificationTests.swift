import Execution
import Operations
import Problems
import Tensors
import Testing

@Suite struct ClassificationTests {
  static let logits = Tensor<Float>(splitMix64Uniform: [5, 7], seed: 3, low: -200, high: 200)

  @Test func softmaxIsTheReferences() throws {
    let expected = try Softmax(SoftmaxProblem(inputShape: Self.logits.shape)).forward(Self.logits.map { Double($0) })
    for (found, expected) in zip(Classification.softmax(Self.logits).elements, expected.elements) {
      // One rounding to float32, of a value that may be denormal.
      #expect(abs(Double(found) - expected) <= 0x1p-24 * expected + 0x1p-150)
    }
  }

  @Test func crossEntropyIsTheReferences() throws {
    let labels = Tensor<Int64>(shape: [5], elements: [0, 6, 3, 2, 2])
    let loss = CrossEntropy(try CrossEntropyProblem(batch: 5, classes: 7))
    let expected = try loss.forward(Self.logits.map { Double($0) }, target: .indices(labels))
    let found = try Classification.crossEntropy(Self.logits, labels: labels)
    #expect(abs(found - expected.elements[0]) <= 1e-13 * expected.elements[0])
  }

  @Test(arguments: [[0, 1, 2, 3], [0, 1, 2, 3, 7], [0, 1, 2, 3, -1]] as [[Int64]])
  func labelsThatAreNoneAreRefused(_ labels: [Int64]) {
    #expect(throws: ExecutionError.self) {
      try Classification.crossEntropy(Self.logits, labels: Tensor(shape: [labels.count], elements: labels))
    }
  }
}
