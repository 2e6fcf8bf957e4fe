import Operations
import Problems
import Tensors
import Testing

/// Channels less their mean, over their standard deviation.
@Suite struct ImageNormalizationTests {
  @Test func normalisesEachChannelAfterScaling() throws {
    let normalization = try ImageNormalization(mean: [0.5, 0.25, 0], std: [0.5, 0.25, 2])
    let architecture = try ResNetArchitecture(named: "cifar_resnet8")
    let preparation = try ImagePreparation([3, 1, 2], scale: 4, normalization: normalization, for: architecture)
    let images = Tensor<Float>(shape: [2, 3, 1, 2], elements: [0, 4, 1, 2, 4, 2, 2, 2, 0, 0, 0, 1])
    #expect(try preparation.prepare(images).elements == [-1, 1, 0, 1, 0.5, 0.25, 0, 0, -1, -1, 0, 0.125])
    // One channel becomes three first.
    let grey = try ImagePreparation([1, 1, 1], scale: 4, normalization: normalization, for: architecture)
    #expect(try grey.prepare(Tensor<Float>(shape: [1, 1, 1, 1], elements: [4])).elements == [1, 3, 0.5])
  }

  /// More images than are looked at at once, of known mean and standard deviation: halves of 0 and of 2c.
  @Test func measuresWhatIsThere() throws {
    let count = 250
    let image: [Float] = [0, 2, 0, 2, 0, 4, 0, 4, 0, 6, 0, 6]
    let found = try ImageNormalization(measuring: count) { (rows) throws(ProblemError) in
      Tensor(shape: [rows.count, 3, 2, 2], elements: rows.flatMap { _ in image })
    }
    #expect(found.mean == [1, 2, 3] && found.std == [1, 2, 3])
  }

  @Test(arguments: [[], [0, 0], [0, 0, 0, 0], [0, 0, .nan], [0, 0, .infinity], [0, 0, 1e300]] as [[Double]])
  func meansThatAreNone(_ mean: [Double]) {
    #expect(throws: ProblemError.self) { try ImageNormalization(mean: mean, std: [1, 1, 1]) }
  }

  @Test(arguments: [[], [1, 0, 1], [1, 1, -1], [1, 1, 1e-300], [1, 1, .nan]] as [[Double]])
  func deviationsThatAreNone(_ std: [Double]) {
    #expect(throws: ProblemError.self) { try ImageNormalization(mean: [0, 0, 0], std: std) }
  }

  @Test func aChannelThatIsTheSameEverywhere() {
    #expect(throws: ProblemError.self) {
      try ImageNormalization(measuring: 1) { _ in Tensor(shape: [1, 3, 1, 1], elements: [1, 2, 3]) }
    }
  }
}
