import KernelContracts

/// Runs a strip: see ``ConvolutionStrip`` for the contract.
///
/// Each row is cut into tiles of at most `tilePixels` pixels, of sizes as even as they can be; where rows are no longer
/// than half a tile, two rows share one; rows without gaps are one row. Every output element is summed in the same order whatever tile it falls in.
func convolveStrip(_ strip: UnsafePointer<ConvolutionStrip>) {
  let stride = strip.pointee.inputPixelStride
  if strip.pointee.vectors == 2 {
    switch stride {
    case vectorWidth: convolveRows(strip) { Tiles<OneVector>.two($0, $1, $2, $3, $4, $5, $6, $7) }
    case 2 * vectorWidth: convolveRows(strip) { Tiles<TwoVectors>.two($0, $1, $2, $3, $4, $5, $6, $7) }
    case 6: convolveRows(strip) { Tiles<SixFloats>.two($0, $1, $2, $3, $4, $5, $6, $7) }
    default: convolveRows(strip) { Tiles<AnyStride>.two($0, $1, $2, $3, $4, $5, $6, $7) }
    }
  } else if stride == vectorWidth {
    convolveRows(strip) { Tiles<OneVector>.one($0, $1, $2, $3, $4, $5, $6, $7) }
  } else {
    convolveRows(strip) { Tiles<AnyStride>.one($0, $1, $2, $3, $4, $5, $6, $7) }
  }
}

@inline(__always)
private func convolveRows(
  _ strip: UnsafePointer<ConvolutionStrip>,
  _ tile: (UnsafePointer<ConvolutionStrip>, Int, Int, Int, Int, Int, Int, Int) -> Void
) {
  let width = strip.pointee.width
  let rows = strip.pointee.rowCount
  let inputRows = strip.pointee.inputRows
  let outputRows = strip.pointee.outputRows
  let inputStep = strip.pointee.inputPixelStride
  let outputStep = strip.pointee.outputPixelStride
  // From a row to the one that follows it; the last is followed by the first, of the next output vectors.
  func ahead(_ row: Int, _ next: Int) -> Int { inputRows[next < rows ? next : 0] - inputRows[row] }
  var row = 0
  if width * 2 <= tilePixels {
    while row + 2 <= rows {
      tile(
        strip, width, width, inputRows[row], inputRows[row + 1], outputRows[row], outputRows[row + 1],
        ahead(row, row + 2))
      row += 2
    }
  }
  while row < rows {
    var input = inputRows[row]
    var output = outputRows[row]
    var left = width
    var next = row + 1
    // Rows without a gap between them are one long row.
    while next < rows, inputRows[next] == input + left * inputStep, outputRows[next] == output + left * outputStep {
      left += width
      next += 1
    }
    let ahead = ahead(row, next) + input
    if left == oddWidth, next < rows {
      // Two rows share a tile: half of it from each, then the rest of each.
      let half = tilePixels / 2
      let inputB = inputRows[next]
      let outputB = outputRows[next]
      tile(strip, half, half, input, inputB, output, outputB, half * inputStep)
      let rest = oddWidth - half
      let skip = half * inputStep
      tile(
        strip, rest / 2, rest / 2, input + skip, input + skip + rest / 2 * inputStep, output + half * outputStep,
        output + (half + rest / 2) * outputStep, inputB - input)
      tile(
        strip, rest / 2, rest / 2, inputB + skip, inputB + skip + rest / 2 * inputStep, outputB + half * outputStep,
        outputB + (half + rest / 2) * outputStep, inputRows[next + 1 < rows ? next + 1 : 0] - inputB - skip)
      row = next + 1
      continue
    }
    while left > 0 {
      let tiles = (left + tilePixels - 1) / tilePixels
      var pixels = (left + tiles - 1) / tiles
      // Two halves where the count is even; an odd one is a single piece of at most half a tile.
      if pixels & 1 == 1 && pixels > largestOddTile { pixels = largestOddTile }
      let first = pixels & 1 == 0 ? pixels / 2 : pixels
      tile(
        strip, first, pixels - first, input, input + first * inputStep, output, output + first * outputStep,
        pixels < left ? pixels * inputStep : ahead - input)
      input += pixels * inputStep
      output += pixels * outputStep
      left -= pixels
    }
    row = next
  }
}

@inline(__always)
private var largestOddTile: Int { tilePixels == 6 ? 5 : 7 }

/// The row that would be cut into a tile of 4 and one of 3, with too few sums in flight: half a tile and 4 pixels.
@inline(__always)
private var oddWidth: Int { tilePixels == 6 ? 7 : 0 }
