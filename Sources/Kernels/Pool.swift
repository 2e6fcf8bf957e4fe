import KernelContracts

/// The largest of each window: see ``KernelContracts/PoolStrip``. NaN wins over every number.
func maximaOfWindows(_ strip: UnsafePointer<PoolStrip>) {
  forEachPixel(strip) { source, target, lanes in
    if lanes == vectorWidth {
      var best = load(source)
      forEachTap(strip, source) { tap in
        let value = load(tap)
        best.replace(with: value, where: (value .> best) .| (value .!= value))
      }
      store(best, target)
    } else {
      for lane in 0..<lanes {
        var best = source[lane]
        forEachTap(strip, source) { tap in
          let value = tap[lane]
          if value > best || value.isNaN { best = value }
        }
        target[lane] = best
      }
    }
  }
}

/// The sum of each window times `scale`: see ``KernelContracts/PoolStrip``. Terms are added row by row.
func sumsOfWindows(_ strip: UnsafePointer<PoolStrip>, _ scale: Float) {
  forEachPixel(strip) { source, target, lanes in
    if lanes == vectorWidth {
      var sum = Vector.zero
      forEachTap(strip, source) { sum += load($0) }
      store(sum * scale, target)
    } else {
      for lane in 0..<lanes {
        var sum: Float = 0
        forEachTap(strip, source) { sum += $0[lane] }
        target[lane] = sum * scale
      }
    }
  }
}

@inline(__always)
private func forEachPixel(
  _ strip: UnsafePointer<PoolStrip>,
  _ body: (_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ lanes: Int) -> Void
) {
  assert((1...vectorWidth).contains(strip.pointee.block))
  assert(strip.pointee.rows >= 1 && strip.pointee.columns >= 1 && strip.pointee.pixels >= 0)
  let block = strip.pointee.block
  var source = strip.pointee.input
  var target = strip.pointee.output
  for _ in 0..<strip.pointee.pixels {
    body(source, target, block)
    source += strip.pointee.pixelStride
    target += block
  }
}

@inline(__always)
private func forEachTap(
  _ strip: UnsafePointer<PoolStrip>, _ source: UnsafePointer<Float>, _ body: (UnsafePointer<Float>) -> Void
) {
  let columns = strip.pointee.columns
  let block = strip.pointee.block
  var row = source
  for _ in 0..<strip.pointee.rows {
    var tap = row
    for _ in 0..<columns {
      body(tap)
      tap += block
    }
    row += strip.pointee.rowStride
  }
}
