import Convolution
import Operations
import Problems
import Tensors
import Testing

/// What a training step does between convolutions, on channel-blocked activations: against plain loops in double precision.
@Suite struct BlockedTrainingTests {
  typealias Samples = BlockedLayerTests

  /// Rows that end within a chunk of pixels, and planes of several chunks.
  static let shapes: [(channels: Int, height: Int, width: Int)] = [
    (1, 5, 7), (3, 1, 1), (12, 4, 9), (16, 19, 17), (20, 2, 3), (33, 7, 7),
  ]

  struct Sample {
    let shape: Shape
    let z: Tensor<Float>
    let residual: Tensor<Float>
    let dOutput: Tensor<Float>
    let centre: [Double]
    let factor: [Double]
    let term: [Double]

    /// Channels of various means, the last far from 0: its squares' sum must not suffer from that.
    init(_ shape: (channels: Int, height: Int, width: Int)) {
      self.shape = Shape(3, shape.channels, shape.height, shape.width)
      let plane = shape.height * shape.width
      var z = Tensor<Float>(splitMix64Uniform: self.shape, seed: 1, low: -1, high: 1)
      for index in z.elements.indices where index / plane % shape.channels == shape.channels - 1 {
        z.elements[index] += 1000
      }
      self.z = z
      residual = Tensor(splitMix64Uniform: self.shape, seed: 2, low: -1, high: 1)
      dOutput = Tensor(splitMix64Uniform: self.shape, seed: 3, low: -1, high: 1)
      centre = (0..<shape.channels).map { $0 == shape.channels - 1 ? 1000.1 : 0.01 * Double($0) }
      factor = (0..<shape.channels).map { 1 + 0.1 * Double($0) }
      term = (0..<shape.channels).map { 0.2 - 0.05 * Double($0) }
    }

    /// The same with other numbers.
    init(_ other: Sample, _ z: Tensor<Float>) {
      (shape, self.z, residual, dOutput) = (other.shape, z, other.residual, other.dOutput)
      (centre, factor, term) = (other.centre, other.factor, other.term)
    }

    func channel(_ index: Int) -> Int { index / (shape[2] * shape[3]) % shape[1] }
    func sums(_ value: (Int) -> Double) -> [Double] {
      var sums = [Double](repeating: 0, count: shape[1])
      for index in 0..<shape.count { sums[channel(index)] += value(index) }
      return sums
    }
  }

  /// Within `bound`, which each test derives.
  private static func expect(_ found: [Double], _ expected: [Double], within bound: [Double], _ name: String) {
    for (index, (a, b)) in zip(found, expected).enumerated() {
      #expect(abs(a - b) <= bound[index], "\(name) \(index): \(a), expected \(b)")
    }
  }

  private static let unit = 0x1p-24

  @Test(arguments: shapes, InstructionSet.available)
  func moments(_ shape: (channels: Int, height: Int, width: Int), _ set: InstructionSet) throws {
    let sample = Sample(shape)
    let count = Double(sample.shape.count / shape.channels)
    let means = sample.sums { Double(sample.z.elements[$0]) }.map { $0 / count }
    let squares = sample.sums { index in
      let difference = Double(sample.z.elements[index]) - means[sample.channel(index)]
      return difference * difference
    }
    for threads in [1, 2] {
      let options = ConvolutionOptions(threads: threads, instructionSet: set)
      let (normalisation, z, output) = try Self.prepared(sample, options)
      let found = try normalisation.run(
        Self.operands(z, output), weight: sample.factor, term: sample.term, eps: 1e-5)
      // A chunk is summed about its own mean, so that only differences, below 2, are rounded: 64 additions of a chain, 4 chains,
      // the difference and the square.
      Self.expect(found.means, means, within: means.map { _ in 70 * Self.unit * 2 }, "mean")
      Self.expect(found.squares, squares, within: squares.map { _ in 70 * Self.unit * 4 * count }, "sum of squares")
      // What these make of z, to the bit, is what it is by given numbers.
      let own = Array(output.buffer).map(\.bitPattern)
      try normalisation.run(Self.operands(z, output), by: normalisation.normaliser)
      #expect(Array(output.buffer).map(\.bitPattern) == own)
      let variances = found.squares.map { $0 / count + 1e-5 }
      #expect(normalisation.normaliser.centre == found.means)
      // Two roots, a quotient and a product are rounded.
      #expect(
        zip(normalisation.normaliser.inverse, variances).allSatisfy { abs($0 * $1.squareRoot() - 1) <= 4 * 0x1p-53 })
    }
  }

  /// Infinities, both signs of them, NaN, and sums beyond float32: as in double precision.
  @Test(arguments: InstructionSet.available) func momentsOfHostileNumbers(_ set: InstructionSet) throws {
    var sample = Sample((channels: 20, height: 19, width: 17))
    var z = sample.z
    let plane = 19 * 17
    for pixel in 0..<plane { z.elements[3 * plane + pixel] = pixel % 2 == 0 ? 3e38 : 2.5e38 }
    z.elements[4 * plane + 7] = .infinity
    (z.elements[5 * plane + 7], z.elements[25 * plane + 9]) = (.infinity, -.infinity)
    z.elements[46 * plane + 300] = .nan
    sample = Sample(sample, z)
    let options = ConvolutionOptions(threads: 1, instructionSet: set)
    let (normalisation, blocked, output) = try Self.prepared(sample, options)
    let found = try normalisation.run(
      Self.operands(blocked, output), weight: sample.factor, term: sample.term, eps: 1e-5)
    let expected = sample.sums { Double(z.elements[$0]) }.map { $0 / Double(3 * plane) }
    #expect(found.means[4] == .infinity && found.means[5].isNaN && found.means[6].isNaN)
    #expect(found.squares[4].isNaN && found.squares[5].isNaN && found.squares[6].isNaN)
    #expect(abs(found.means[3] - expected[3]) < 1e-6 * expected[3] && found.squares[3].isFinite)
    #expect(found.squares[7].isFinite && found.squares[19].isFinite)
  }

  /// With z, and room for y.
  private static func prepared(
    _ sample: Sample, _ options: ConvolutionOptions
  ) throws -> (BlockedNormalisation, z: AlignedBuffer, output: AlignedBuffer) {
    let width = try options.instructionSet.vectorWidth()
    let normalisation = try BlockedNormalisation(
      BlockedLayout(sample.shape, vectorWidth: width, halo: .init(1)), options: options)
    return (
      normalisation, try Samples.blocked(sample.z, normalisation.inputLayout, options),
      try AlignedBuffer(zeros: normalisation.outputLayout.count, name: "output")
    )
  }

  private static func operands(
    _ z: AlignedBuffer, _ output: AlignedBuffer, residual: AlignedBuffer? = nil
  ) -> BlockedNormalisation.Operands {
    .init(
      input: UnsafeBufferPointer(z.buffer), residual: residual.map { UnsafeBufferPointer($0.buffer) }, relu: true,
      output: output.buffer)
  }

  private static func normaliser(_ sample: Sample) -> BlockedNormalisation.Normaliser {
    .init(
      centre: sample.centre, inverse: sample.factor, weight: sample.factor.map { _ in 1 }, term: sample.term)
  }

  @Test(arguments: shapes, InstructionSet.available)
  func forwardAndBackward(_ shape: (channels: Int, height: Int, width: Int), _ set: InstructionSet) throws {
    let sample = Sample(shape)
    let options = ConvolutionOptions(threads: 2, instructionSet: set)
    let (normalisation, z, output) = try Self.prepared(sample, options)
    let outer = normalisation.outputLayout
    let residual = try Samples.blocked(sample.residual, outer, options)
    try normalisation.run(Self.operands(z, output, residual: residual), by: Self.normaliser(sample))
    let y = try Samples.dense(output, outer, sample.shape, options)
    func difference(_ index: Int) -> Double {
      Double(sample.z.elements[index]) - sample.centre[sample.channel(index)]
    }
    for index in 0..<sample.shape.count {
      let channel = sample.channel(index)
      let sum =
        difference(index) * sample.factor[channel] + sample.term[channel] + Double(sample.residual.elements[index])
      // The centre, up to 1000, is rounded; then four roundings of values below 16.
      let bound = Self.unit * (abs(sample.centre[channel]) * sample.factor[channel] + 4 * 16)
      #expect(abs(Double(y.elements[index]) - max(sum, 0)) <= bound)
    }

    let gradient = try outer.with(halo: .init(2))
    let m = (0..<sample.shape.count).map { y.elements[$0] > 0 ? Double(sample.dOutput.elements[$0]) : 0 }
    let count = Double(sample.shape.count / shape.channels)
    for throughStatistics in [true, false] {
      let masked = try AlignedBuffer(zeros: outer.count, name: "masked")
      // In place, over dy.
      let target = try Samples.blocked(sample.dOutput, gradient, options)
      let found = try normalisation.runBackward(
        .init(
          dOutput: .init(target.buffer, gradient), gate: .output(UnsafeBufferPointer(output.buffer)),
          input: UnsafeBufferPointer(z.buffer), masked: .init(masked.buffer, outer),
          dInput: .init(target.buffer, gradient)),
        throughStatistics: throughStatistics)
      // Of at most 256 pixels, whose terms are below 4, in float32.
      Self.expect(found.sums, sample.sums { m[$0] }, within: m.map { _ in 256 * Self.unit * count }, "sum")
      Self.expect(
        found.products, sample.sums { m[$0] * difference($0) * sample.factor[sample.channel($0)] },
        within: sample.factor.map { 259 * Self.unit * 4 * count * $0 }, "sum of products")
      let inHalo = try Samples.dense(masked, outer, sample.shape, options)
      #expect(inHalo.elements.map(Double.init) == m)

      let dz = try Samples.dense(target, gradient, sample.shape, options)
      for index in 0..<sample.shape.count {
        let channel = sample.channel(index)
        let factor = sample.factor[channel]
        var expected = m[index] * factor
        var slope = 0.0
        if throughStatistics {
          slope = -factor * factor * found.products[channel] / count
          expected += difference(index) * slope - factor * found.sums[channel] / count
        }
        // What the rounded centre lacks is in the term; four roundings of values below 16 and 4·|slope|.
        let bound = Self.unit * 4 * (16 + 4 * abs(slope))
        #expect(abs(Double(dz.elements[index]) - expected) <= bound)
      }
    }
  }

  @Test("without a residual z opens the gate that y would, to the bit", arguments: shapes, InstructionSet.available)
  func gateOfTheInput(_ shape: (channels: Int, height: Int, width: Int), _ set: InstructionSet) throws {
    var sample = Sample(shape)
    // At the gate's edge, and a NaN.
    var values = sample.z
    values.elements[0] = Float(sample.centre[0] - sample.term[0] / sample.factor[0])
    values.elements[1] = .nan
    sample = Sample(sample, values)
    let options = ConvolutionOptions(threads: 2, instructionSet: set)
    let (normalisation, z, output) = try Self.prepared(sample, options)
    let outer = normalisation.outputLayout
    try normalisation.run(Self.operands(z, output), by: Self.normaliser(sample))
    let dOutput = try Samples.blocked(sample.dOutput, outer, options)
    for throughStatistics in [true, false] {
      var results: [[UInt32]] = []
      for gate in [.input, BlockedNormalisation.Gate.output(UnsafeBufferPointer(output.buffer)), .open] {
        let masked = try AlignedBuffer(zeros: outer.count, name: "masked")
        let target = try AlignedBuffer(zeros: outer.count, name: "input gradient")
        for place in [nil, BlockedNormalisation.Place(masked.buffer, outer)] {
          let sums = try normalisation.runBackward(
            .init(
              dOutput: .init(dOutput.buffer, outer), gate: gate, input: UnsafeBufferPointer(z.buffer), masked: place,
              dInput: .init(target.buffer, outer)),
            throughStatistics: throughStatistics)
          results.append(
            (Array(masked.buffer) + Array(target.buffer) + (sums.sums + sums.products).map(Float.init))
              .map(\.bitPattern))
        }
      }
      #expect(results[0] == results[2] && results[1] == results[3])
      // Some gates are closed.
      #expect(results[0] != results[4] && results[1] != results[5])
    }
  }

  @Test(arguments: BlockedLayerTests.windows, InstructionSet.available)
  func maxPoolBackward(_ window: (kernel: Pair, stride: Pair, padding: Pair, ceil: Bool), _ set: InstructionSet) throws
  {
    for channels in Samples.channels {
      let options = ConvolutionOptions(threads: 2, instructionSet: set, outputHalo: .init(1))
      let problem = try MaxPool2dProblem(
        inputShape: [2, channels, 7, 9], kernelSize: window.kernel, stride: window.stride, padding: window.padding,
        ceilMode: window.ceil)
      // Few values, so that there are ties; and a NaN.
      var x = Tensor<Float>(splitMix64Uniform: problem.inputShape, seed: UInt64(channels), low: 0, high: 3).map {
        $0.rounded(.down)
      }
      x.elements[x.count / 2] = .nan
      let dOutput = Tensor<Float>(splitMix64Uniform: problem.outputShape, seed: 9, low: -4, high: 4).map {
        $0.rounded()
      }
      let expected = try MaxPool2d(problem).backward(
        dOutput, indices: MaxPool2d(problem).forward(x).indices)
      let pool = try BlockedMaxPool(problem, inputHalo: .init(1), options: options)
      let input = try Samples.blocked(x, pool.inputLayout, options)
      let outer = try pool.outputLayout.with(halo: .init(3))
      let gradient = try Samples.blocked(dOutput, outer, options)
      let inner = try pool.inputLayout.with(halo: .init(2))
      let target = try Samples.blocked(x, inner, options)
      for accumulates in [false, true] {
        try pool.runBackward(
          input: UnsafeBufferPointer(input.buffer), outputGradient: UnsafeBufferPointer(gradient.buffer),
          gradientLayout: outer, inputGradient: target.buffer, inner, accumulates: accumulates)
        let found = try Samples.dense(target, inner, problem.inputShape, options)
        // Whole numbers: no sum is rounded.
        #expect(found.elements == expected.elements.map { accumulates ? 2 * $0 : $0 }, "\(channels) channels")
      }
    }
  }

  @Test(arguments: InstructionSet.available) func meanBackward(_ set: InstructionSet) throws {
    for channels in Samples.channels {
      let options = ConvolutionOptions(threads: 2, instructionSet: set)
      let shape: Shape = [2, channels, 2, 4]
      let mean = try BlockedMean(shape, inputHalo: .init(1), options: options)
      let dOutput = Tensor<Float>(splitMix64Uniform: [2, channels, 1, 1], seed: 1, low: -1, high: 1)
      let outer = try mean.outputLayout.with(halo: .init(1))
      let gradient = try Samples.blocked(dOutput, outer, options)
      let target = try AlignedBuffer(zeros: mean.inputLayout.count, name: "gradient")
      for accumulates in [false, true] {
        try mean.runBackward(
          outputGradient: UnsafeBufferPointer(gradient.buffer), gradientLayout: outer, inputGradient: target.buffer,
          mean.inputLayout, accumulates: accumulates)
        let found = try Samples.dense(target, mean.inputLayout, shape, options)
        for (index, value) in found.elements.enumerated() {
          #expect(value == dOutput.elements[index / 8] * (accumulates ? 0.25 : 0.125))
        }
      }
    }
  }
}
