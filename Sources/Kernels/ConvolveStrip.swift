import KernelContracts

/// Runs a strip: see ``ConvolutionStrip`` for the contract.
///
/// The pixels of all rows are one sequence, cut into register tiles of `tilePixels`, the last two of which share what is left
/// where that is little. Every output element is summed in the same order whatever tile it falls in.
func convolveStrip(_ strip: UnsafePointer<ConvolutionStrip>) {
  assert(strip.pointee.vectors == 1 || strip.pointee.vectors == 2)
  assert((1...vectorWidth).contains(strip.pointee.lanes))
  assert(strip.pointee.lanes == vectorWidth || strip.pointee.vectors == 1)
  assert(strip.pointee.rowCount >= 0 && strip.pointee.width >= 0)
  assert(strip.pointee.segmentCount >= 0 && strip.pointee.shortCount >= 0)
  assert(strip.pointee.shortCount == 0 || (1..<vectorWidth).contains(strip.pointee.shortChannels))
  assert(strip.pointee.input != UnsafePointer(strip.pointee.output))
  if strip.pointee.vectors == 2 {
    convolvePixels(strip, C2.self)
  } else {
    convolvePixels(strip, C1.self)
  }
}

@inline(__always)
private func convolvePixels<Vectors: Constant>(_ strip: UnsafePointer<ConvolutionStrip>, _: Vectors.Type) {
  let width = strip.pointee.width
  var left = strip.pointee.rowCount * width
  guard left > 0 else { return }
  // Offsets of pixels side by side, and of those of a tile that is cut by the end of a row. They are never computed in vector
  // registers: that would wait behind all multiply-adds under way, and the tile's loads would wait for it.
  withUnsafeTemporaryAllocation(of: Int.self, capacity: 4 * tilePixels) { buffer in
    guard let together = buffer.baseAddress else { return }
    let apart = together + 2 * tilePixels
    let inputStep = strip.pointee.inputPixelStride
    let outputStep = strip.pointee.outputPixelStride
    for pixel in 0..<tilePixels {
      together[pixel] = pixel * inputStep
      together[tilePixels + pixel] = pixel * outputStep
    }
    var row = 0
    var leftInRow = width
    var input = strip.pointee.inputRows[0]
    var output = strip.pointee.outputRows[0]
    func advance(_ pixels: Int) {
      input += pixels * inputStep
      output += pixels * outputStep
      leftInRow -= pixels
      if leftInRow == 0, row + 1 < strip.pointee.rowCount {
        row += 1
        leftInRow = width
        input = strip.pointee.inputRows[row]
        output = strip.pointee.outputRows[row]
      }
    }
    // The first tiles ask for a later call's weights, segment by segment: the more of them, the fewer lines each, since what
    // is asked for all at once waits for the core's few places for lines on their way, and so does everything else.
    let segmentLines = max(4, vectorWidth * Vectors.value * vectorWidth / 16)
    var asking = 1
    while 2 * asking * tilePixels < left + tilePixels, segmentLines / (2 * asking) >= 4 { asking *= 2 }
    let lines = segmentLines / asking
    var later = strip.pointee.nextWeights.map { $0 - strip.pointee.weights } ?? 0
    while left > 0 {
      let count = tileRows(left)
      let (first, target) = (input, output)
      defer {
        asking -= 1
        later = later != 0 && asking > 0 ? later + lines * 16 : 0
      }
      if count <= leftInRow {
        advance(count)
        convolveTile(strip, Vectors.self, count, first, target, together, tilePixels * inputStep, later, lines)
      } else {
        for pixel in 0..<count {
          apart[pixel] = input - first
          apart[tilePixels + pixel] = output - target
          advance(1)
        }
        convolveTile(strip, Vectors.self, count, first, target, apart, input - first, later, lines)
      }
      left -= count
    }
  }
}

@inline(__always)
private func convolveTile<Vectors: Constant>(
  _ strip: UnsafePointer<ConvolutionStrip>, _: Vectors.Type, _ count: Int, _ first: Int, _ target: Int,
  _ offsets: UnsafePointer<Int>, _ ahead: Int, _ later: Int, _ lines: Int
) {
  #if KERNELS_AVX512
    if count == tilePixels, isTwoRuns(offsets, strip.pointee.inputPixelStride) {
      if strip.pointee.inputPixelStride == vectorWidth {
        return Tile<C14, Vectors, HalfPointers<C1>, Unrolled>.run(strip, first, target, offsets, ahead, later, lines)
      }
      if strip.pointee.inputPixelStride == 2 * vectorWidth {
        return Tile<C14, Vectors, HalfPointers<C2>, Unrolled>.run(strip, first, target, offsets, ahead, later, lines)
      }
    }
  #endif
  switch count {
  case 1: Tile<C1, Vectors, RowPointers<C1>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
  case 2: Tile<C2, Vectors, RowPointers<C2>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
  case 3: Tile<C3, Vectors, RowPointers<C3>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
  case 4: Tile<C4, Vectors, RowPointers<C4>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
  case 5: Tile<C5, Vectors, RowPointers<C5>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
  #if KERNELS_AVX512 || KERNELS_NEON
    case 6: Tile<C6, Vectors, RowPointers<C6>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
    case 7: Tile<C7, Vectors, RowPointers<C7>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
    case 8: Tile<C8, Vectors, RowPointers<C8>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
    case 9: Tile<C9, Vectors, RowPointers<C9>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
    case 10: Tile<C10, Vectors, RowPointers<C10>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
    case 11: Tile<C11, Vectors, RowPointers<C11>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
    case 12: Tile<C12, Vectors, RowPointers<C12>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
    case 13: Tile<C13, Vectors, RowPointers<C13>, FourByFour>.run(strip, first, target, offsets, ahead, later, lines)
    case 14: Tile<C14, Vectors, RowPointers<C14>, Unrolled>.run(strip, first, target, offsets, ahead, later, lines)
  #else
    case 6: Tile<C6, Vectors, RowPointers<C6>, Unrolled>.run(strip, first, target, offsets, ahead, later, lines)
  #endif
  default: fatalError("no such tile")
  }
}

#if KERNELS_AVX512
  /// Whether each half of a whole tile's pixels is side by side.
  @inline(__always)
  private func isTwoRuns(_ offsets: UnsafePointer<Int>, _ step: Int) -> Bool {
    var pixel = 1
    while pixel < tilePixels, pixel == tilePixels / 2 || offsets[pixel] - offsets[pixel - 1] == step { pixel += 1 }
    return pixel == tilePixels
  }
#endif
