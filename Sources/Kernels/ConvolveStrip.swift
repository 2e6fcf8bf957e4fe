import KernelContracts

/// Runs a strip: see ``ConvolutionStrip`` for the contract.
///
/// Each row is cut into tiles of at most `tilePixels` pixels, of sizes as even as they can be; where rows are no longer
/// than half a tile, two rows share one. Every output element is summed in the same order whatever tile it falls in.
func convolveStrip(_ strip: UnsafePointer<ConvolutionStrip>) {
  switch strip.pointee.inputPixelStride {
  case vectorWidth: convolveRows(strip, Tiles<OneVector>.self)
  case 2 * vectorWidth: convolveRows(strip, Tiles<TwoVectors>.self)
  case 6: convolveRows(strip, Tiles<SixFloats>.self)
  default: convolveRows(strip, Tiles<AnyStride>.self)
  }
}

@inline(__always)
private func convolveRows<Stride: Constant>(_ strip: UnsafePointer<ConvolutionStrip>, _: Tiles<Stride>.Type) {
  let width = strip.pointee.width
  let rows = strip.pointee.rowCount
  let inputRows = strip.pointee.inputRows
  let outputRows = strip.pointee.outputRows
  var row = 0
  if width * 2 <= tilePixels {
    while row + 2 <= rows {
      Tiles<Stride>.run(
        strip, width, width, inputRows[row], inputRows[row + 1], outputRows[row],
        outputRows[row + 1])
      row += 2
    }
  }
  let inputStep = strip.pointee.inputPixelStride
  let outputStep = strip.pointee.outputPixelStride
  while row < rows {
    var tiles = (width + tilePixels - 1) / tilePixels
    var left = width
    var input = inputRows[row]
    var output = outputRows[row]
    while left > 0 {
      let pixels = (left + tiles - 1) / tiles
      let first = pixels & 1 == 0 ? pixels / 2 : pixels
      Tiles<Stride>.run(
        strip, first, pixels - first, input, input + first * inputStep, output,
        output + first * outputStep)
      input += pixels * inputStep
      output += pixels * outputStep
      left -= pixels
      tiles -= 1
    }
    row += 1
  }
}
