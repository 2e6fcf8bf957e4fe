import KernelContracts

/// One register tile of a strip: `Pixels` × one or two vectors of output channels.
enum Tile<Pixels: Constant, Vectors: Constant, Addresses: RowAddresses, Channels: ChannelOrder> {
  /// - Parameters:
  ///   - first, target: the tile's offsets in the input and in the output.
  ///   - offsets: of the pixels' operands from `first`, and then, from `tilePixels` on, of the pixels from `target`.
  ///   - ahead: from a pixel's operands to those that a later tile will read, and that are asked for meanwhile.
  ///   - later: from a segment's weights to those of a later call that are asked for meanwhile; 0: none.
  ///   - lines: how many cache lines of each segment's: 4, 8, 16 or 32. Where vectors are so narrow that a segment has fewer
  ///     than four, it is asked for more than once.
  @inline(never)
  static func run(
    _ strip: UnsafePointer<ConvolutionStrip>, _ first: Int, _ target: Int, _ offsets: UnsafePointer<Int>, _ ahead: Int,
    _ later: Int, _ lines: Int
  ) {
    let two = Vectors.value == 2
    let step = Vectors.value * vectorWidth
    var sums = Sums<Pixels, Vectors>()
    let target = strip.pointee.output + target
    let outputs = offsets + tilePixels
    if strip.pointee.accumulate { start(&sums, strip, target, outputs) }
    let vectorStride = strip.pointee.outputVectorStride
    var weights = strip.pointee.weights
    let input = strip.pointee.input + first
    let fetchesAhead = strip.pointee.fetchesAhead
    var segment = strip.pointee.segments
    var left = strip.pointee.segmentCount
    while left > 0 {
      if later != 0 { ask(for: weights + later, lines) }
      let pixels = Addresses(input + segment[0], offsets)
      if fetchesAhead {
        sums.forEach { pixel, _, _ in
          // A cache line holds 16 floats: one vector of the widest, two or more of the others.
          if vectorWidth == 16 || pixel & 1 == 0 { prefetch(pixels[pixel] + ahead) }
        }
      }
      Channels.addVector(&sums, pixels, weights)
      weights += vectorWidth * step
      segment += 1
      left -= 1
    }
    left = strip.pointee.shortCount
    let channels = strip.pointee.shortChannels
    while left > 0 {
      let pixels = Addresses(input + segment[0], offsets)
      var channel = 0
      while channel < channels {
        addChannel(&sums, pixels, weights, channel)
        channel += 1
      }
      weights += channels * step
      segment += 1
      left -= 1
    }

    if !two && strip.pointee.lanes < vectorWidth {
      let offset = target - strip.pointee.output
      sums.forEach { pixel, first, _ in finishLanes(strip, offset + outputs[pixel], first) }
      return
    }
    if strip.pointee.hasEpilogue { finish(&sums, strip, target, outputs) }
    sums.forEach { pixel, first, second in
      let p = target + outputs[pixel]
      store(first, p)
      if two { store(second, p + vectorStride) }
    }
  }

  /// Asks for some lines of a segment's weights, without a loop: within one the compiler would keep the sums in memory.
  @inline(__always)
  private static func ask(for weights: UnsafePointer<Float>, _ lines: Int) {
    func four(_ first: UnsafePointer<Float>) {
      prefetchLater(first)
      prefetchLater(first + 16)
      prefetchLater(first + 32)
      prefetchLater(first + 48)
    }
    four(weights)
    // A segment has V·V floats a vector of outputs: 32 lines for two of the widest, at most 8 of the others.
    if lines > 4 { four(weights + 64) }
    if vectorWidth == 16, lines > 8 {
      four(weights + 128)
      four(weights + 192)
    }
    if vectorWidth == 16, lines > 16 {
      four(weights + 256)
      four(weights + 320)
      four(weights + 384)
      four(weights + 448)
    }
  }

  /// The sums so far.
  @inline(__always)
  private static func start(
    _ sums: inout Sums<Pixels, Vectors>, _ strip: UnsafePointer<ConvolutionStrip>, _ target: UnsafePointer<Float>,
    _ outputs: UnsafePointer<Int>
  ) {
    let two = Vectors.value == 2
    let vectorStride = strip.pointee.outputVectorStride
    if !two && strip.pointee.lanes < vectorWidth {
      sums.forEach { pixel, first, _ in first = loadLanes(target + outputs[pixel], strip.pointee.lanes) }
    } else {
      sums.forEach { pixel, first, second in
        let p = target + outputs[pixel]
        first = load(p)
        if two { second = load(p + vectorStride) }
      }
    }
  }

  /// The epilogue; each step for all pixels, so that it is asked for once.
  @inline(__always)
  private static func finish(
    _ sums: inout Sums<Pixels, Vectors>, _ strip: UnsafePointer<ConvolutionStrip>, _ target: UnsafePointer<Float>,
    _ outputs: UnsafePointer<Int>
  ) {
    let two = Vectors.value == 2
    if let scale = strip.pointee.scale {
      let s0 = load(scale)
      let s1 = two ? load(scale + vectorWidth) : .zero
      sums.forEach { _, first, second in
        first *= s0
        if two { second *= s1 }
      }
    }
    if let shift = strip.pointee.shift {
      let s0 = load(shift)
      let s1 = two ? load(shift + vectorWidth) : .zero
      sums.forEach { _, first, second in
        first += s0
        if two { second += s1 }
      }
    }
    if let residual = strip.pointee.residual.map({ $0 + (target - UnsafePointer(strip.pointee.output)) }) {
      let vectorStride = strip.pointee.outputVectorStride
      sums.forEach { pixel, first, second in
        let p = residual + outputs[pixel]
        first += load(p)
        if two { second += load(p + vectorStride) }
      }
    }
    if strip.pointee.relu {
      sums.forEach { _, first, second in
        first = positive(first)
        if two { second = positive(second) }
      }
    }
  }
}

extension ConvolutionStrip {
  @inline(__always)
  fileprivate var hasEpilogue: Bool { scale != nil || shift != nil || residual != nil || relu }
}

/// Finishes and writes the first lanes only: fewer output channels than a vector has.
@inline(never)
private func finishLanes(_ strip: UnsafePointer<ConvolutionStrip>, _ offset: Int, _ sum: Vector) {
  let target = strip.pointee.output + offset
  for lane in 0..<strip.pointee.lanes {
    var y = sum[lane]
    if let scale = strip.pointee.scale { y *= scale[lane] }
    if let shift = strip.pointee.shift { y += shift[lane] }
    if let residual = strip.pointee.residual { y += residual[offset + lane] }
    if strip.pointee.relu && y < 0 { y = 0 }
    target[lane] = y
  }
}
