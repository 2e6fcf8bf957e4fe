import KernelContracts

/// One register tile of a weight gradient: `Channels` × one or two vectors of output channels.
enum GradientTile<Channels: Constant> {
  @inline(never)
  static func run(_ strip: UnsafePointer<GradientStrip>, _ channel: Int) {
    if strip.pointee.vectors == 2 {
      run(strip, channel, true, true)
    } else if strip.pointee.lanes == vectorWidth {
      run(strip, channel, false, true)
    } else {
      run(strip, channel, false, false)
    }
  }

  @inline(__always)
  private static func run(_ strip: UnsafePointer<GradientStrip>, _ channel: Int, _ two: Bool, _ whole: Bool) {
    let count = Channels.value
    var a0 = Vector.zero
    var b0 = Vector.zero
    var a1 = Vector.zero
    var b1 = Vector.zero
    var a2 = Vector.zero
    var b2 = Vector.zero
    var a3 = Vector.zero
    var b3 = Vector.zero
    var a4 = Vector.zero
    var b4 = Vector.zero
    var a5 = Vector.zero
    var b5 = Vector.zero
    var a6 = Vector.zero
    var b6 = Vector.zero
    var a7 = Vector.zero
    var b7 = Vector.zero
    var a8 = Vector.zero
    var b8 = Vector.zero
    var a9 = Vector.zero
    var b9 = Vector.zero
    var a10 = Vector.zero
    var b10 = Vector.zero
    var a11 = Vector.zero
    var b11 = Vector.zero
    var a12 = Vector.zero
    var b12 = Vector.zero
    var a13 = Vector.zero
    var b13 = Vector.zero

    let rows = strip.pointee.rowCount
    let width = strip.pointee.width
    let inputStep = strip.pointee.inputPixelStride
    let gradientStep = strip.pointee.gradientPixelStride
    let second = strip.pointee.gradientVectorStride
    let lanes = strip.pointee.lanes
    var row = 0
    while row < rows {
      var x = strip.pointee.input + (strip.pointee.inputRows[row] + channel)
      var dy = strip.pointee.gradient + strip.pointee.gradientRows[row]
      var q = width
      while q > 0 {
        let g0 = whole ? load(dy) : loadLanes(dy, lanes)
        let g1 = two ? load(dy + second) : Vector.zero
        if count > 0 {
          let v = Vector(repeating: x[0])
          a0 = fma(v, g0, a0)
          if two { b0 = fma(v, g1, b0) }
        }
        if count > 1 {
          let v = Vector(repeating: x[1])
          a1 = fma(v, g0, a1)
          if two { b1 = fma(v, g1, b1) }
        }
        if count > 2 {
          let v = Vector(repeating: x[2])
          a2 = fma(v, g0, a2)
          if two { b2 = fma(v, g1, b2) }
        }
        if count > 3 {
          let v = Vector(repeating: x[3])
          a3 = fma(v, g0, a3)
          if two { b3 = fma(v, g1, b3) }
        }
        if count > 4 {
          let v = Vector(repeating: x[4])
          a4 = fma(v, g0, a4)
          if two { b4 = fma(v, g1, b4) }
        }
        if count > 5 {
          let v = Vector(repeating: x[5])
          a5 = fma(v, g0, a5)
          if two { b5 = fma(v, g1, b5) }
        }
        if count > 6 {
          let v = Vector(repeating: x[6])
          a6 = fma(v, g0, a6)
          if two { b6 = fma(v, g1, b6) }
        }
        if count > 7 {
          let v = Vector(repeating: x[7])
          a7 = fma(v, g0, a7)
          if two { b7 = fma(v, g1, b7) }
        }
        if count > 8 {
          let v = Vector(repeating: x[8])
          a8 = fma(v, g0, a8)
          if two { b8 = fma(v, g1, b8) }
        }
        if count > 9 {
          let v = Vector(repeating: x[9])
          a9 = fma(v, g0, a9)
          if two { b9 = fma(v, g1, b9) }
        }
        if count > 10 {
          let v = Vector(repeating: x[10])
          a10 = fma(v, g0, a10)
          if two { b10 = fma(v, g1, b10) }
        }
        if count > 11 {
          let v = Vector(repeating: x[11])
          a11 = fma(v, g0, a11)
          if two { b11 = fma(v, g1, b11) }
        }
        if count > 12 {
          let v = Vector(repeating: x[12])
          a12 = fma(v, g0, a12)
          if two { b12 = fma(v, g1, b12) }
        }
        if count > 13 {
          let v = Vector(repeating: x[13])
          a13 = fma(v, g0, a13)
          if two { b13 = fma(v, g1, b13) }
        }
        x += inputStep
        dy += gradientStep
        q -= 1
      }
      row += 1
    }
    let step = two ? 2 * vectorWidth : vectorWidth
    let target = strip.pointee.target + channel * step
    let accumulate = strip.pointee.accumulate
    if count > 0 {
      put(a0, target + 0 * step, accumulate)
      if two { put(b0, target + 0 * step + vectorWidth, accumulate) }
    }
    if count > 1 {
      put(a1, target + 1 * step, accumulate)
      if two { put(b1, target + 1 * step + vectorWidth, accumulate) }
    }
    if count > 2 {
      put(a2, target + 2 * step, accumulate)
      if two { put(b2, target + 2 * step + vectorWidth, accumulate) }
    }
    if count > 3 {
      put(a3, target + 3 * step, accumulate)
      if two { put(b3, target + 3 * step + vectorWidth, accumulate) }
    }
    if count > 4 {
      put(a4, target + 4 * step, accumulate)
      if two { put(b4, target + 4 * step + vectorWidth, accumulate) }
    }
    if count > 5 {
      put(a5, target + 5 * step, accumulate)
      if two { put(b5, target + 5 * step + vectorWidth, accumulate) }
    }
    if count > 6 {
      put(a6, target + 6 * step, accumulate)
      if two { put(b6, target + 6 * step + vectorWidth, accumulate) }
    }
    if count > 7 {
      put(a7, target + 7 * step, accumulate)
      if two { put(b7, target + 7 * step + vectorWidth, accumulate) }
    }
    if count > 8 {
      put(a8, target + 8 * step, accumulate)
      if two { put(b8, target + 8 * step + vectorWidth, accumulate) }
    }
    if count > 9 {
      put(a9, target + 9 * step, accumulate)
      if two { put(b9, target + 9 * step + vectorWidth, accumulate) }
    }
    if count > 10 {
      put(a10, target + 10 * step, accumulate)
      if two { put(b10, target + 10 * step + vectorWidth, accumulate) }
    }
    if count > 11 {
      put(a11, target + 11 * step, accumulate)
      if two { put(b11, target + 11 * step + vectorWidth, accumulate) }
    }
    if count > 12 {
      put(a12, target + 12 * step, accumulate)
      if two { put(b12, target + 12 * step + vectorWidth, accumulate) }
    }
    if count > 13 {
      put(a13, target + 13 * step, accumulate)
      if two { put(b13, target + 13 * step + vectorWidth, accumulate) }
    }
  }
}

@inline(__always)
private func put(_ sum: Vector, _ target: UnsafeMutablePointer<Float>, _ accumulate: Bool) {
  store(accumulate ? load(UnsafePointer(target)) + sum : sum, target)
}

/// The first lanes of a vector; the others are zero, and are not read.
@inline(__always)
private func loadLanes(_ p: UnsafePointer<Float>, _ lanes: Int) -> Vector {
  var v = Vector.zero
  for lane in 0..<lanes { v[lane] = p[lane] }
  return v
}
