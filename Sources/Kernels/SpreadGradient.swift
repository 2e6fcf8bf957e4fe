import KernelContracts

/// A mean's gradient: see ``KernelContracts/TrainingKernels``.
struct SpreadMean: LaneWork {
  let value: UnsafePointer<Float>
  let scale: Float
  let target: UnsafeMutablePointer<Float>
  let block: Int
  let pixels: Int
  let accumulates: Bool

  @inline(__always)
  func run<V: RowVector>(_ type: V.Type, _ first: Int, _ lanes: Int) {
    let share = load(value + first, as: V.self, lanes) * scale
    for i in stride(from: first, to: first + pixels * block, by: block) {
      store(accumulates ? load(target + i, as: V.self, lanes) + share : share, target + i, lanes)
    }
  }
}

/// A max pool's gradient: see ``KernelContracts/TrainingKernels``.
struct SpreadMaxima: LaneWork {
  let strip: UnsafePointer<PoolStrip>
  let target: UnsafeMutablePointer<Float>
  let targetRowStride: Int

  @inline(__always)
  func run<V: RowVector>(_ type: V.Type, _ first: Int, _ lanes: Int) {
    let strip = strip.pointee
    for pixel in 0..<strip.pixels {
      let source = strip.input + pixel * strip.pixelStride + first
      let place = target + pixel * strip.pixelStride + first
      let gradient = load(UnsafePointer(strip.output) + pixel * strip.block + first, as: V.self, lanes)
      // Which tap has the largest element so far, as a number that is exact in a float.
      var best = load(source, as: V.self, lanes)
      var winner = V(repeating: 0)
      forEachTap(strip, strip.rowStride) { tap, offset in
        let value = load(source + offset, as: V.self, lanes)
        V.take(value, of: Float(tap), &best, &winner)
      }
      forEachTap(strip, targetRowStride) { tap, offset in
        let share = gradient.share(of: Float(tap), winner: winner)
        store(load(place + offset, as: V.self, lanes) + share, place + offset, lanes)
      }
    }
  }

  @inline(__always)
  private func forEachTap(_ strip: PoolStrip, _ rowStride: Int, _ body: (_ tap: Int, _ offset: Int) -> Void) {
    for row in 0..<strip.rows {
      for column in 0..<strip.columns {
        body(row * strip.columns + column, row * rowStride + column * strip.block)
      }
    }
  }
}
