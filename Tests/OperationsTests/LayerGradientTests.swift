import Problems
import Operations
import Tensors
import Testing

/// Every hand-written backward pass against derivatives of the forward pass.
@Suite struct LayerGradientTests {
  @Test(arguments: [
    "conv2d n2c4h5w6 k6r3s2 bias stride2x1 pad1x0", "conv2d n1c4h6w5 k4r2s3 stride1 pad2 dilation2 groups2",
    "conv2d n2c3h4w4 k3r1s1 stride1 pad0 groups3", "conv2d n1c2h5w5 k2r3s2 stride1 padsame",
    "conv2d n1c1h3w3 k1r3s3 stride3 pad3",
  ])
  func conv2d(line: String) throws {
    let problem = try #require(try Problem.parse(line) as? Conv2dProblem)
    let (x, w) = (random(problem.inputShape, seed: 1), random(problem.weightShape, seed: 2))
    let bias = problem.hasBias ? random(Shape(problem.outputChannels), seed: 3) : nil
    let dy = random(problem.outputShape, seed: 4)
    let layer = Conv2d(problem)
    let hand = try layer.backward(dy, x: x, weight: w)
    let dual = try dualGradients(of: [x, w] + (bias.map { [$0] } ?? []), cotangent: dy) {
      try layer.forward($0[0], weight: $0[1], bias: $0.count > 2 ? $0[2] : nil)
    }
    #expect(difference(hand.dInput, dual[0]) < allowedDifference)
    #expect(difference(hand.dWeight, dual[1]) < allowedDifference)
    if let dBias = hand.dBias { #expect(difference(dBias, dual[2]) < allowedDifference) }
  }

  @Test(arguments: ["training", ""])
  func batchNorm2d(mode: String) throws {
    let problem = try BatchNorm2dProblem(inputShape: [3, 2, 2, 4], training: mode == "training")
    let x = random(problem.inputShape, seed: 1)
    let (weight, bias) = (random([2], seed: 2), random([2], seed: 3))
    let (mean, variance) = (random([2], seed: 4), random([2], seed: 5).map { abs($0) + 0.5 })
    let dy = random(problem.inputShape, seed: 6)
    let layer = BatchNorm2d(problem)
    let hand = try layer.backward(
      dy, x: x, weight: weight, buffers: .init(runningMean: mean, runningVariance: variance))
    let dual = try dualGradients(of: [x, weight, bias], cotangent: dy) {
      try layer.forward(
        $0[0], weight: $0[1], bias: $0[2],
        buffers: .init(
          runningMean: mean.map { Dual(constant: $0) }, runningVariance: variance.map { Dual(constant: $0) })
      ).y
    }
    #expect(difference(hand.dInput, dual[0]) < allowedDifference)
    #expect(difference(try #require(hand.dWeight), dual[1]) < allowedDifference)
    #expect(difference(try #require(hand.dBias), dual[2]) < allowedDifference)
  }

  @Test func linear() throws {
    let problem = try LinearProblem(batch: 3, inputFeatures: 7, outputFeatures: 5, hasBias: true)
    let (x, w, b) = (random([3, 7], seed: 1), random([5, 7], seed: 2), random([5], seed: 3))
    let dy = random([3, 5], seed: 4)
    let hand = try Linear(problem).backward(dy, x: x, weight: w)
    let dual = try dualGradients(of: [x, w, b], cotangent: dy) {
      try Linear(problem).forward($0[0], weight: $0[1], bias: $0[2])
    }
    #expect(difference(hand.dInput, dual[0]) < allowedDifference)
    #expect(difference(hand.dWeight, dual[1]) < allowedDifference)
    #expect(difference(try #require(hand.dBias), dual[2]) < allowedDifference)
  }

  @Test func pooling() throws {
    let shape: Shape = [2, 2, 7, 6]
    let x = random(shape, seed: 1)
    let largest = MaxPool2d(
      try MaxPool2dProblem(
        inputShape: shape, kernelSize: 3, stride: 2, padding: 1, dilation: Pair(2, 1), ceilMode: true))
    var dy = random(largest.problem.outputShape, seed: 2)
    var dual = try dualGradients(of: [x], cotangent: dy) { try largest.forward($0[0]).y }
    #expect(difference(try largest.backward(dy, indices: largest.forward(x).indices), dual[0]) < allowedDifference)
    let mean = AvgPool2d(
      try AvgPool2dProblem(
        inputShape: shape, kernelSize: Pair(3, 2), stride: 2, padding: 1, ceilMode: true, countIncludePad: false))
    dy = random(mean.problem.outputShape, seed: 3)
    dual = try dualGradients(of: [x], cotangent: dy) { try mean.forward($0[0]) }
    #expect(difference(try mean.backward(dy), dual[0]) < allowedDifference)
    let adaptive = AdaptiveAvgPool2d(try AdaptiveAvgPool2dProblem(inputShape: shape, outputSize: Pair(3, 8)))
    dy = random(adaptive.problem.outputShape, seed: 4)
    dual = try dualGradients(of: [x], cotangent: dy) { try adaptive.forward($0[0]) }
    #expect(difference(try adaptive.backward(dy), dual[0]) < allowedDifference)
  }

  @Test(arguments: ["scale1.7", "size7x3", "modebilinear scale2.3", "modebilinear size7x9 aligned"])
  func upsample2d(attributes: String) throws {
    let problem = try #require(try Problem.parse("upsample2d n1c2h4w5 \(attributes)") as? Upsample2dProblem)
    let x = random(problem.inputShape, seed: 1)
    let dy = random(problem.outputShape, seed: 2)
    let dual = try dualGradients(of: [x], cotangent: dy) { try Upsample2d(problem).forward($0[0]) }
    #expect(difference(try Upsample2d(problem).backward(dy), dual[0]) < allowedDifference)
  }

  @Test func elementwiseAndSoftmax() throws {
    let shape: Shape = [2, 5, 3]
    var x = random(shape, seed: 1)
    x.elements[4] = 0
    let dy = random(shape, seed: 2)
    let relu = ReLU(ReLUProblem(inputShape: shape))
    var dual = try dualGradients(of: [x], cotangent: dy) { try relu.forward($0[0]) }
    #expect(try relu.backward(dy, x: x) == dual[0])
    let softmax = Softmax(try SoftmaxProblem(inputShape: shape))
    dual = try dualGradients(of: [x], cotangent: dy) { try softmax.forward($0[0]) }
    #expect(difference(try softmax.backward(dy, x: x), dual[0]) < allowedDifference)
    let logSoftmax = LogSoftmax(try LogSoftmaxProblem(inputShape: shape))
    dual = try dualGradients(of: [x], cotangent: dy) { try logSoftmax.forward($0[0]) }
    #expect(difference(try logSoftmax.backward(dy, x: x), dual[0]) < allowedDifference)
  }

  @Test(arguments: CrossEntropyProblem.Reduction.allCases, [0, 0.2])
  func crossEntropy(reduction: CrossEntropyProblem.Reduction, smoothing: Double) throws {
    let x = random([4, 3], seed: 1)
    let weight = random([3], seed: 2).map { abs($0) + 0.1 }
    let dy = random(reduction == .none ? [4] : [], seed: 3)
    for probabilities in [false, true] {
      let layer = CrossEntropy(
        try CrossEntropyProblem(
          batch: 4, classes: 3, reduction: reduction, ignoreIndex: 1, labelSmoothing: smoothing,
          hasProbabilityTargets: probabilities, hasClassWeights: true))
      let indices = Tensor<Int64>(shape: [4], elements: [2, 1, 0, 2])
      let shares = random([4, 3], seed: 5).map { abs($0) }
      let hand = try layer.backward(
        dy, x: x, target: probabilities ? .probabilities(shares) : .indices(indices), weight: weight)
      let dual = try dualGradients(of: [x], cotangent: dy) {
        try layer.forward(
          $0[0], target: probabilities ? .probabilities(shares.map { Dual(constant: $0) }) : .indices(indices),
          weight: weight.map { Dual(constant: $0) })
      }
      #expect(difference(hand, dual[0]) < allowedDifference)
    }
  }
}
