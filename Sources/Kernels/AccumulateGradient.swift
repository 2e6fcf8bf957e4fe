import KernelContracts

/// Runs a gradient strip: see ``GradientStrip`` for the contract. Terms are cut into tiles as pixels of a ``ConvolutionStrip``
/// are.
func accumulateGradient(_ strip: UnsafePointer<GradientStrip>) {
  assert(strip.pointee.vectors == 1 || strip.pointee.vectors == 2)
  assert((1...vectorWidth).contains(strip.pointee.lanes))
  assert(strip.pointee.lanes == vectorWidth || strip.pointee.vectors == 1)
  assert(strip.pointee.rowCount >= 0 && strip.pointee.width >= 0 && strip.pointee.termCount >= 0)
  assert(abs(strip.pointee.targetStride) >= strip.pointee.vectors * vectorWidth || strip.pointee.termCount <= 1)
  var left = strip.pointee.termCount
  var first = 0
  while left > 0 {
    let count = tileRows(left)
    switch count {
    case 1: GradientTile<C1>.run(strip, first)
    case 2: GradientTile<C2>.run(strip, first)
    case 3: GradientTile<C3>.run(strip, first)
    case 4: GradientTile<C4>.run(strip, first)
    case 5: GradientTile<C5>.run(strip, first)
    case 6: GradientTile<C6>.run(strip, first)
    #if KERNELS_AVX512 || KERNELS_NEON
      case 7: GradientTile<C7>.run(strip, first)
      case 8: GradientTile<C8>.run(strip, first)
      case 9: GradientTile<C9>.run(strip, first)
      case 10: GradientTile<C10>.run(strip, first)
      case 11: GradientTile<C11>.run(strip, first)
      case 12: GradientTile<C12>.run(strip, first)
      case 13: GradientTile<C13>.run(strip, first)
      case 14: GradientTile<C14>.run(strip, first)
    #endif
    default: fatalError("no such tile")
    }
    first += count
    left -= count
  }
}
