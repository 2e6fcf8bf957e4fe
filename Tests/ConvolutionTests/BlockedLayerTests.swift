import Convolution
import Problems
import Tensors
import Testing

/// What stands between the convolutions of a network, on channel-blocked activations: against plain loops over NCHW.
@Suite struct BlockedLayerTests {
  /// Channels below, at and beside a block, and the stem's three.
  static let channels = [1, 3, 12, 16, 20, 33]

  static func blocked(
    _ values: Tensor<Float>, _ layout: BlockedLayout, _ options: ConvolutionOptions
  ) throws -> AlignedBuffer {
    let buffer = try AlignedBuffer(zeros: layout.count, name: "activation")
    // A halo that must not be read.
    for index in 0..<buffer.count { buffer.pointer[index] = .nan }
    let conversion = try LayoutConversion(layout, options: options)
    try values.elements.withUnsafeBufferPointer { try conversion.pack($0, into: buffer.buffer) }
    return buffer
  }

  static func dense(
    _ buffer: AlignedBuffer, _ layout: BlockedLayout, _ shape: Shape, _ options: ConvolutionOptions
  ) throws -> Tensor<Float> {
    var values = Tensor<Float>(zeros: shape)
    let conversion = try LayoutConversion(layout, options: options)
    try values.elements.withUnsafeMutableBufferPointer {
      try conversion.unpack(UnsafeBufferPointer(buffer.buffer), into: $0)
    }
    return values
  }

  /// Every element is where its layout says, and nothing else is touched, whatever part of an image falls to a thread.
  @Test(arguments: [1, 2, 5])
  func packing(threads: Int) throws {
    let options = try ConvolutionOptions(threads: threads)
    let (height, width) = (70, 130)
    for (channels, groups) in [(1, 1), (3, 1), (4, 1), (20, 1), (24, 2)] {
      for halo in [0, 2] {
        let layout = try BlockedLayout(
          batch: 1, channels: channels, height: height, width: width, groups: groups, vectorWidth: 16,
          halo: .init(halo))
        let values = Tensor<Float>(splitMix64Uniform: [1, channels, height, width], seed: 5, low: 1, high: 2)
        let buffer = try Self.blocked(values, layout, options)
        var expected = [Float](repeating: .nan, count: layout.count)
        for channel in 0..<channels {
          let inBlock = channel % layout.channelsPerGroup % layout.block
          let first = layout.offset(image: 0, channel: channel) + inBlock
          for row in 0..<height {
            for column in 0..<width {
              expected[first + row * layout.rowStride + column * layout.block] =
                values.elements[(channel * height + row) * width + column]
            }
          }
        }
        let found = Array(buffer.buffer)
        #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "\(channels) channels, halo \(halo)")
        let dense = try Self.dense(buffer, layout, values.shape, options)
        #expect(dense.elements == values.elements)
      }
    }
  }

  static let windows: [(kernel: Pair, stride: Pair, padding: Pair, ceil: Bool)] = [
    (3, 2, 1, false), (2, 2, 0, false), (3, 1, 1, false), (Pair(2, 5), Pair(3, 1), Pair(1, 2), false),
    (3, 2, 0, true), (1, 1, 0, false), (Pair(7, 9), 1, 0, false),
  ]

  @Test(arguments: windows, InstructionSet.available)
  func maxPool(_ window: (kernel: Pair, stride: Pair, padding: Pair, ceil: Bool), _ set: InstructionSet) throws {
    for channels in Self.channels {
      for threads in [1, 2] {
        let options = ConvolutionOptions(threads: threads, instructionSet: set, outputHalo: .init(2))
        let problem = try MaxPool2dProblem(
          inputShape: [2, channels, 7, 9], kernelSize: window.kernel, stride: window.stride, padding: window.padding,
          ceilMode: window.ceil)
        var x = Tensor<Float>(splitMix64Uniform: problem.inputShape, seed: UInt64(channels), low: -1, high: 0)
        // NaN wins over every number, wherever it is in the window.
        x.elements[x.count / 2] = .nan
        let pool = try BlockedMaxPool(problem, inputHalo: .init(1), options: options)
        let input = try Self.blocked(x, pool.inputLayout, options)
        let output = try AlignedBuffer(zeros: pool.outputLayout.count, name: "output")
        try pool.run(input: UnsafeBufferPointer(input.buffer), output: output.buffer)
        let found = try Self.dense(output, pool.outputLayout, problem.outputShape, options)
        let expected = Self.maxima(x, problem)
        #expect(found.elements.map(\.bitPattern) == expected.elements.map(\.bitPattern), "\(channels) channels")
      }
    }
  }

  private static func maxima(_ x: Tensor<Float>, _ problem: MaxPool2dProblem) -> Tensor<Float> {
    let (window, shape) = (problem.window, problem.outputShape)
    var y = Tensor<Float>(zeros: shape)
    for plane in 0..<shape[0] * shape[1] {
      for p in 0..<shape[2] {
        for q in 0..<shape[3] {
          var best = -Float.infinity
          for r in 0..<window.kernelSize.height {
            for s in 0..<window.kernelSize.width {
              let h = p * window.stride.height + r - window.padding.height
              let w = q * window.stride.width + s - window.padding.width
              guard (0..<7).contains(h), (0..<9).contains(w) else { continue }
              let value = x.elements[(plane * 7 + h) * 9 + w]
              if value > best || value.isNaN { best = value }
            }
          }
          y.elements[(plane * shape[2] + p) * shape[3] + q] = best
        }
      }
    }
    return y
  }

  @Test(arguments: channels, InstructionSet.available)
  func mean(_ channels: Int, _ set: InstructionSet) throws {
    let options = ConvolutionOptions(threads: 2, instructionSet: set)
    let x = Tensor<Float>(splitMix64Uniform: [3, channels, 5, 4], seed: 9, low: -1, high: 1)
    let mean = try BlockedMean(x.shape, inputHalo: .init(1), options: options)
    let input = try Self.blocked(x, mean.inputLayout, options)
    let output = try AlignedBuffer(zeros: mean.outputLayout.count, name: "output")
    try mean.run(input: UnsafeBufferPointer(input.buffer), output: output.buffer)
    let found = try Self.dense(output, mean.outputLayout, [3, channels, 1, 1], options)
    for plane in 0..<3 * channels {
      let terms = x.elements[plane * 20..<(plane + 1) * 20].map(Double.init)
      // 19 additions, the factor's own rounding and the product's.
      let bound = 22 * 0x1p-24 * terms.reduce(0) { $0 + abs($1) } / 20
      #expect(abs(Double(found.elements[plane]) - terms.reduce(0, +) / 20) <= bound)
    }
  }

  @Test(arguments: [(32, 8), (24, 4), (20, 4), (64, 2), (48, 16), (12, 12)], InstructionSet.available)
  func blocksOfGroupsAndBack(_ shape: (channels: Int, groups: Int), _ set: InstructionSet) throws {
    let options = ConvolutionOptions(threads: 2, instructionSet: set)
    let width = try set.vectorWidth()
    let x = Tensor<Float>(splitMix64Uniform: [2, shape.channels, 3, 5], seed: 4, low: -1, high: 1)
    let whole = try BlockedLayout(x.shape, vectorWidth: width, halo: .init(1))
    let grouped = try BlockedLayout(
      batch: 2, channels: shape.channels, height: 3, width: 5, groups: shape.groups, vectorWidth: width,
      halo: .init(top: 0, left: 2, bottom: 1, right: 0))
    let input = try Self.blocked(x, whole, options)
    let output = try AlignedBuffer(zeros: grouped.count, name: "grouped")
    try BlockConversion(from: whole, to: grouped, options: options)
      .run(input: UnsafeBufferPointer(input.buffer), output: output.buffer)
    let there = try Self.dense(output, grouped, x.shape, options)
    #expect(there == x)
    let back = try AlignedBuffer(zeros: whole.count, name: "whole")
    try BlockConversion(from: grouped, to: whole, options: options)
      .run(input: UnsafeBufferPointer(output.buffer), output: back.buffer)
    let again = try Self.dense(back, whole, x.shape, options)
    #expect(again == x)
  }

  @Test func wrongSizesAreRefused() throws {
    let options = ConvolutionOptions(instructionSet: .portable)
    let problem = try MaxPool2dProblem(inputShape: [1, 4, 4, 4], kernelSize: 2)
    let pool = try BlockedMaxPool(problem, inputHalo: .init(), options: options)
    let buffer = try AlignedBuffer(zeros: pool.inputLayout.count, name: "input")
    #expect(throws: ConvolutionError.self) {
      try pool.run(input: UnsafeBufferPointer(buffer.buffer), output: buffer.buffer)
    }
    #expect(throws: ConvolutionError.self) {
      try BlockedMaxPool(
        MaxPool2dProblem(inputShape: [1, 4, 8, 8], kernelSize: 2, dilation: 2), inputHalo: .init(), options: options)
    }
    #expect(throws: ConvolutionError.self) {
      try BlockConversion(
        from: pool.inputLayout, to: pool.outputLayout, options: options)
    }
  }
}
