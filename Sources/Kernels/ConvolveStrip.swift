import KernelContracts

/// Runs a strip: see ``ConvolutionStrip`` for the contract.
///
/// Each row is cut into tiles of at most `tilePixels` pixels, of sizes as even as they can be; where rows are no longer
/// than half a tile, two rows share one. Every output element is summed in the same order whatever tile it falls in.
func convolveStrip(_ strip: UnsafePointer<ConvolutionStrip>) {
  let stride = strip.pointee.inputPixelStride
  if strip.pointee.vectors == 2 {
    switch stride {
    case vectorWidth: convolveRows(strip) { Tiles<OneVector>.two($0, $1, $2, $3, $4, $5, $6) }
    case 2 * vectorWidth: convolveRows(strip) { Tiles<TwoVectors>.two($0, $1, $2, $3, $4, $5, $6) }
    case 6: convolveRows(strip) { Tiles<SixFloats>.two($0, $1, $2, $3, $4, $5, $6) }
    default: convolveRows(strip) { Tiles<AnyStride>.two($0, $1, $2, $3, $4, $5, $6) }
    }
  } else if stride == vectorWidth {
    convolveRows(strip) { Tiles<OneVector>.one($0, $1, $2, $3, $4, $5, $6) }
  } else {
    convolveRows(strip) { Tiles<AnyStride>.one($0, $1, $2, $3, $4, $5, $6) }
  }
}

@inline(__always)
private func convolveRows(
  _ strip: UnsafePointer<ConvolutionStrip>,
  _ tile: (UnsafePointer<ConvolutionStrip>, Int, Int, Int, Int, Int, Int) -> Void
) {
  let width = strip.pointee.width
  let rows = strip.pointee.rowCount
  let inputRows = strip.pointee.inputRows
  let outputRows = strip.pointee.outputRows
  var row = 0
  if width * 2 <= tilePixels {
    while row + 2 <= rows {
      tile(strip, width, width, inputRows[row], inputRows[row + 1], outputRows[row], outputRows[row + 1])
      row += 2
    }
  }
  let inputStep = strip.pointee.inputPixelStride
  let outputStep = strip.pointee.outputPixelStride
  while row < rows {
    var left = width
    var input = inputRows[row]
    var output = outputRows[row]
    while left > 0 {
      let tiles = (left + tilePixels - 1) / tilePixels
      var pixels = (left + tiles - 1) / tiles
      // Two halves where the count is even; an odd one is a single piece of at most half a tile.
      if pixels & 1 == 1 && pixels > largestOddTile { pixels = largestOddTile }
      let first = pixels & 1 == 0 ? pixels / 2 : pixels
      tile(strip, first, pixels - first, input, input + first * inputStep, output, output + first * outputStep)
      input += pixels * inputStep
      output += pixels * outputStep
      left -= pixels
    }
    row += 1
  }
}

@inline(__always)
private var largestOddTile: Int { tilePixels == 6 ? 5 : 7 }
