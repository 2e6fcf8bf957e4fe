import Problems
import Operations
import Tensors
import Testing

/// Values that one can work out by hand. The golden corpus has the rest.
@Suite struct LayerTests {
  @Test func convolutionOfOnesCountsItsTaps() throws {
    let problem = try Conv2dProblem(
      batch: 1, inputChannels: 1, inputSize: 3, outputChannels: 1, kernelSize: 3, padding: .explicit(1))
    let y = try Conv2d(problem).forward(
      Tensor<Float>(shape: [1, 1, 3, 3], repeating: 1), weight: Tensor(shape: [1, 1, 3, 3], repeating: 1))
    #expect(y.elements == [4, 6, 4, 6, 9, 6, 4, 6, 4])
  }

  @Test func convolutionIsNotFlipped() throws {
    let problem = try Conv2dProblem(
      batch: 1, inputChannels: 1, inputSize: Pair(1, 4), outputChannels: 1, kernelSize: Pair(1, 2), hasBias: true)
    let y = try Conv2d(problem).forward(
      Tensor<Double>(shape: [1, 1, 1, 4], elements: [1, 2, 4, 8]),
      weight: Tensor(shape: [1, 1, 1, 2], elements: [1, 10]), bias: Tensor(shape: [1], elements: [0.5]))
    #expect(y.elements == [21.5, 42.5, 84.5])
  }

  @Test func convolutionInExtendedPrecisionIsTheSame() throws {
    #if arch(x86_64)
      let problem = try Conv2dProblem(
        batch: 1, inputChannels: 2, inputSize: 4, outputChannels: 2, kernelSize: 3, stride: 2, padding: .explicit(1))
      // Multiples of 1/8 below 4: every sum is exact in every precision.
      let x = random(problem.inputShape, seed: 1).map { ($0 * 8).rounded() / 8 }
      let w = random(problem.weightShape, seed: 2).map { ($0 * 8).rounded() / 8 }
      let double = try Conv2d(problem).forward(x, weight: w)
      let extended = try Conv2d(problem).forward(x.map { Float80($0) }, weight: w.map { Float80($0) })
      let single = try Conv2d(problem).forward(x.map { Float($0) }, weight: w.map { Float($0) })
      #expect(extended.map { Double($0) } == double)
      #expect(single.map { Double($0) } == double)
    #endif
  }

  @Test func batchNormInTraining() throws {
    let problem = try BatchNorm2dProblem(inputShape: [2, 1, 1, 2], training: true, eps: 0, countsBatches: true)
    let (y, after) = try BatchNorm2d(problem).forward(
      Tensor<Double>(shape: [2, 1, 1, 2], elements: [1, 3, 1, 3]), weight: Tensor(shape: [1], elements: [2]),
      bias: Tensor(shape: [1], elements: [5]),
      buffers: .init(
        runningMean: Tensor(shape: [1], elements: [0]), runningVariance: Tensor(shape: [1], elements: [0]),
        batchesTracked: 41))
    // Mean 2, biased variance 1, unbiased 4/3.
    #expect(y.elements == [3, 7, 3, 7])
    #expect(after?.runningMean.elements == [0.2])
    #expect(abs((after?.runningVariance.elements[0] ?? 0) - 0.1 * 4 / 3) < 0x1p-50)
    #expect(after?.batchesTracked == 42)
  }

  @Test func cumulativeAverageCountsItsBatches() throws {
    let problem = try BatchNorm2dProblem(
      inputShape: [1, 1, 1, 2], training: true, momentum: nil, hasWeight: false, hasBias: false, countsBatches: true)
    let after = try BatchNorm2d(problem).forward(
      Tensor<Double>(shape: [1, 1, 1, 2], elements: [6, 10]),
      buffers: .init(
        runningMean: Tensor(shape: [1], elements: [4]), runningVariance: Tensor(shape: [1], elements: [0]),
        batchesTracked: 3)
    ).buffersAfter
    #expect(after?.runningMean.elements == [5])
    #expect(after?.runningVariance.elements == [2])
  }

  @Test func batchNormFarFromZeroKeepsItsPrecision() throws {
    // A constant plus noise: the variance comes from differences, the mean is corrected.
    let count = 4096
    let noise = random([1, 1, 1, count], seed: 9)
    let problem = try BatchNorm2dProblem(
      inputShape: noise.shape, training: true, hasWeight: false, hasBias: false, tracksRunningStatistics: false)
    let x = noise.map { Float($0 + 10_000) }
    let single = try BatchNorm2d(problem).forward(x).y.map { Double($0) }
    let double = try BatchNorm2d(problem).forward(x.map { Double($0) }).y
    // The mean is off by at most 2⁻²⁴·10⁴ after its correction, which the deviation 1/√3 enlarges; 4 for the rest.
    #expect(difference(single, double) < 4 * 0x1p-24 * 10_000 * 1.74)
  }

  @Test func reluKeepsNaNAndZeroes() throws {
    let x = Tensor<Float>(shape: [5], elements: [-1, -0.0, 0, 2, .nan])
    let layer = ReLU(ReLUProblem(inputShape: [5]))
    let y = try layer.forward(x).elements
    #expect(y[0] == 0 && y[1].sign == .minus && y[2].sign == .plus && y[3] == 2 && y[4].isNaN)
    let dx = try layer.backward(Tensor(shape: [5], repeating: 7), x: x)
    #expect(dx.elements == [0, 0, 0, 7, 7])
  }

  @Test func maxPoolOfPaddingAloneIsMinusInfinityAndHasNoPosition() throws {
    // Rows −1, 1 and 3 of an image of one row.
    let layer = MaxPool2d(
      try MaxPool2dProblem(
        inputShape: [1, 1, 1, 8], kernelSize: 3, stride: 6, padding: 1, dilation: 2, ceilMode: true))
    let (y, indices) = try layer.forward(Tensor<Float>(shape: [1, 1, 1, 8], repeating: 2))
    #expect(y.elements.allSatisfy { $0 == -.infinity })
    #expect(indices.elements.allSatisfy { $0 == MaxPool2d.noPosition })
    let dy = Tensor<Float>(shape: y.shape, repeating: 1)
    #expect(try layer.backward(dy, indices: indices).elements.allSatisfy { $0 == 0 })
    #expect(try layer.forward(Tensor<Float>(shape: [1, 1, 1, 8], repeating: 2), indices: indices) == y)
    #expect(throws: ProblemError.self) { try layer.backward(dy, indices: indices.map { $0 - 1 }) }
  }

  @Test func maxPoolTakesTheFirstOfEqualsAndNeverPadding() throws {
    let layer = MaxPool2d(try MaxPool2dProblem(inputShape: [1, 1, 2, 2], kernelSize: 2, stride: 2, padding: 1))
    let (y, indices) = try layer.forward(Tensor<Float>(shape: [1, 1, 2, 2], elements: [-3, -1, -2, -.infinity]))
    #expect(y.elements == [-3, -1, -2, -.infinity])
    #expect(indices.elements == [0, 1, 2, 3])
    let ties = MaxPool2d(try MaxPool2dProblem(inputShape: [1, 1, 2, 2], kernelSize: 2))
    let x = Tensor<Float>(shape: [1, 1, 2, 2], elements: [1, 5, 5, 5])
    let dx = try ties.backward(Tensor(shape: [1, 1, 1, 1], elements: [2]), indices: ties.forward(x).indices)
    #expect(dx.elements == [0, 2, 0, 0])
  }

  @Test func allRowsIgnoredMeansNaNLossAndNoGradient() throws {
    let layer = CrossEntropy(try CrossEntropyProblem(batch: 2, classes: 3))
    let x = Tensor<Double>(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6])
    let target = CrossEntropy.Target<Double>.indices(Tensor(shape: [2], elements: [-100, -100]))
    #expect(try layer.forward(x, target: target).elements[0].isNaN)
    #expect(
      try layer.backward(Tensor(shape: [], elements: [1]), x: x, target: target).elements
        == .init(repeating: 0, count: 6))
  }

  @Test(arguments: [-1, 3] as [Int64])
  func labelsOutsideTheClassesAreRefused(label: Int64) throws {
    let layer = CrossEntropy(try CrossEntropyProblem(batch: 1, classes: 3))
    let error = #expect(throws: ProblemError.self) {
      try layer.forward(Tensor<Float>(zeros: [1, 3]), target: .indices(Tensor(shape: [1], elements: [label])))
    }
    #expect(error?.category == .indexOutOfRange)
  }

  @Test func wrongShapesAreRefused() throws {
    let layer = Linear(try LinearProblem(batch: 2, inputFeatures: 3, outputFeatures: 4, hasBias: false))
    let (x, weight) = (Tensor<Float>(zeros: [2, 3]), Tensor<Float>(zeros: [4, 3]))
    let error = #expect(throws: ProblemError.self) {
      try layer.backward(Tensor<Float>(zeros: [4, 2]), x: x, weight: weight)
    }
    #expect(error?.category == .shapeMismatch)
    #expect(throws: ProblemError.self) { try layer.forward(x, weight: weight, bias: Tensor(zeros: [4])) }
  }
}
