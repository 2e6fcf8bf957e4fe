import KernelContracts

/// Runs a gradient strip: see ``GradientStrip`` for the contract. Channels are cut into tiles as even as they can be.
func accumulateGradient(_ strip: UnsafePointer<GradientStrip>) {
  var left = strip.pointee.channels
  var tiles = (left + tilePixels - 1) / tilePixels
  var channel = 0
  while left > 0 {
    let count = (left + tiles - 1) / tiles
    switch count {
    case 1: GradientTile<C1>.run(strip, channel)
    case 2: GradientTile<C2>.run(strip, channel)
    case 3: GradientTile<C3>.run(strip, channel)
    case 4: GradientTile<C4>.run(strip, channel)
    case 5: GradientTile<C5>.run(strip, channel)
    case 6: GradientTile<C6>.run(strip, channel)
    #if KERNELS_AVX512 || KERNELS_NEON
      case 7: GradientTile<C7>.run(strip, channel)
      case 8: GradientTile<C8>.run(strip, channel)
      case 9: GradientTile<C9>.run(strip, channel)
      case 10: GradientTile<C10>.run(strip, channel)
      case 11: GradientTile<C11>.run(strip, channel)
      case 12: GradientTile<C12>.run(strip, channel)
      case 13: GradientTile<C13>.run(strip, channel)
      case 14: GradientTile<C14>.run(strip, channel)
    #endif
    default: fatalError("no such tile")
    }
    channel += count
    left -= count
    tiles -= 1
  }
}
