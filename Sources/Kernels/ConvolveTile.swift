import KernelContracts

/// One register tile: `First` pixels from offset A and `Second` from offset B, × one or two vectors of output channels.
///
/// `ahead` is the distance from A to the pixels that the next call will begin with: they are fetched meanwhile.
/// The counts are constants, so that the unused sums vanish; named locals stay in registers, an array of them would not.
enum Tile<First: Constant, Second: Constant, Stride: Constant> {
  @inline(never)
  static func two(
    _ strip: UnsafePointer<ConvolutionStrip>, _ inputA: Int, _ inputB: Int, _ outputA: Int, _ outputB: Int,
    _ ahead: Int
  ) {
    run(strip, true, inputA, inputB, outputA, outputB, ahead)
  }

  @inline(never)
  static func one(
    _ strip: UnsafePointer<ConvolutionStrip>, _ inputA: Int, _ inputB: Int, _ outputA: Int, _ outputB: Int,
    _ ahead: Int
  ) {
    run(strip, false, inputA, inputB, outputA, outputB, ahead)
  }

  @inline(__always)
  private static func run(
    _ strip: UnsafePointer<ConvolutionStrip>, _ two: Bool, _ inputA: Int, _ inputB: Int, _ outputA: Int,
    _ outputB: Int, _ ahead: Int
  ) {
    let first = First.value
    let count = first + Second.value
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

    let stride = Stride.value == 0 ? strip.pointee.inputPixelStride : Stride.value
    var weights = strip.pointee.weights
    let blocks = strip.pointee.blockCount
    let taps = strip.pointee.tapCount
    var block = strip.pointee.input
    let restart = ahead - (blocks - 1) * strip.pointee.blockStride
    var b = 0
    while b < blocks {
      b += 1
      if taps == 1 {
        // So few lines of each block are read that the CPU cannot foresee those of the next one.
        let next = block + (strip.pointee.taps[0] + inputA + (b < blocks ? strip.pointee.blockStride : restart))
        var p = 0
        while p < count {
          prefetch(next + p * stride)
          p += 1
        }
      }
      let channels = b == blocks ? strip.pointee.lastBlockChannels : strip.pointee.blockChannels
      var t = 0
      while t < taps {
        var pA = block + (strip.pointee.taps[t] + inputA)
        var pB = block + (strip.pointee.taps[t] + inputB)
        var c = channels
        while c > 0 {
          let w0 = load(weights)
          let w1 = two ? load(weights + vectorWidth) : Vector.zero
          if count > 0 {
            let x = Vector(repeating: 0 < first ? pA[0 * stride] : pB[(0 - first) * stride])
            a0 = fma(x, w0, a0)
            if two { b0 = fma(x, w1, b0) }
          }
          if count > 1 {
            let x = Vector(repeating: 1 < first ? pA[1 * stride] : pB[(1 - first) * stride])
            a1 = fma(x, w0, a1)
            if two { b1 = fma(x, w1, b1) }
          }
          if count > 2 {
            let x = Vector(repeating: 2 < first ? pA[2 * stride] : pB[(2 - first) * stride])
            a2 = fma(x, w0, a2)
            if two { b2 = fma(x, w1, b2) }
          }
          if count > 3 {
            let x = Vector(repeating: 3 < first ? pA[3 * stride] : pB[(3 - first) * stride])
            a3 = fma(x, w0, a3)
            if two { b3 = fma(x, w1, b3) }
          }
          if count > 4 {
            let x = Vector(repeating: 4 < first ? pA[4 * stride] : pB[(4 - first) * stride])
            a4 = fma(x, w0, a4)
            if two { b4 = fma(x, w1, b4) }
          }
          if count > 5 {
            let x = Vector(repeating: 5 < first ? pA[5 * stride] : pB[(5 - first) * stride])
            a5 = fma(x, w0, a5)
            if two { b5 = fma(x, w1, b5) }
          }
          if count > 6 {
            let x = Vector(repeating: 6 < first ? pA[6 * stride] : pB[(6 - first) * stride])
            a6 = fma(x, w0, a6)
            if two { b6 = fma(x, w1, b6) }
          }
          if count > 7 {
            let x = Vector(repeating: 7 < first ? pA[7 * stride] : pB[(7 - first) * stride])
            a7 = fma(x, w0, a7)
            if two { b7 = fma(x, w1, b7) }
          }
          if count > 8 {
            let x = Vector(repeating: 8 < first ? pA[8 * stride] : pB[(8 - first) * stride])
            a8 = fma(x, w0, a8)
            if two { b8 = fma(x, w1, b8) }
          }
          if count > 9 {
            let x = Vector(repeating: 9 < first ? pA[9 * stride] : pB[(9 - first) * stride])
            a9 = fma(x, w0, a9)
            if two { b9 = fma(x, w1, b9) }
          }
          if count > 10 {
            let x = Vector(repeating: 10 < first ? pA[10 * stride] : pB[(10 - first) * stride])
            a10 = fma(x, w0, a10)
            if two { b10 = fma(x, w1, b10) }
          }
          if count > 11 {
            let x = Vector(repeating: 11 < first ? pA[11 * stride] : pB[(11 - first) * stride])
            a11 = fma(x, w0, a11)
            if two { b11 = fma(x, w1, b11) }
          }
          if count > 12 {
            let x = Vector(repeating: 12 < first ? pA[12 * stride] : pB[(12 - first) * stride])
            a12 = fma(x, w0, a12)
            if two { b12 = fma(x, w1, b12) }
          }
          if count > 13 {
            let x = Vector(repeating: 13 < first ? pA[13 * stride] : pB[(13 - first) * stride])
            a13 = fma(x, w0, a13)
            if two { b13 = fma(x, w1, b13) }
          }
          weights += two ? 2 * vectorWidth : vectorWidth
          pA += 1
          pB += 1
          c -= 1
        }
        t += 1
      }
      block += strip.pointee.blockStride
    }

    if !two && strip.pointee.lanes < vectorWidth {
      let pixelStride = strip.pointee.outputPixelStride
      if count > 0 {
        finishLanes(strip, 0 < first ? outputA + 0 * pixelStride : outputB + (0 - first) * pixelStride, a0)
      }
      if count > 1 {
        finishLanes(strip, 1 < first ? outputA + 1 * pixelStride : outputB + (1 - first) * pixelStride, a1)
      }
      if count > 2 {
        finishLanes(strip, 2 < first ? outputA + 2 * pixelStride : outputB + (2 - first) * pixelStride, a2)
      }
      if count > 3 {
        finishLanes(strip, 3 < first ? outputA + 3 * pixelStride : outputB + (3 - first) * pixelStride, a3)
      }
      if count > 4 {
        finishLanes(strip, 4 < first ? outputA + 4 * pixelStride : outputB + (4 - first) * pixelStride, a4)
      }
      if count > 5 {
        finishLanes(strip, 5 < first ? outputA + 5 * pixelStride : outputB + (5 - first) * pixelStride, a5)
      }
      if count > 6 {
        finishLanes(strip, 6 < first ? outputA + 6 * pixelStride : outputB + (6 - first) * pixelStride, a6)
      }
      if count > 7 {
        finishLanes(strip, 7 < first ? outputA + 7 * pixelStride : outputB + (7 - first) * pixelStride, a7)
      }
      if count > 8 {
        finishLanes(strip, 8 < first ? outputA + 8 * pixelStride : outputB + (8 - first) * pixelStride, a8)
      }
      if count > 9 {
        finishLanes(strip, 9 < first ? outputA + 9 * pixelStride : outputB + (9 - first) * pixelStride, a9)
      }
      if count > 10 {
        finishLanes(strip, 10 < first ? outputA + 10 * pixelStride : outputB + (10 - first) * pixelStride, a10)
      }
      if count > 11 {
        finishLanes(strip, 11 < first ? outputA + 11 * pixelStride : outputB + (11 - first) * pixelStride, a11)
      }
      if count > 12 {
        finishLanes(strip, 12 < first ? outputA + 12 * pixelStride : outputB + (12 - first) * pixelStride, a12)
      }
      if count > 13 {
        finishLanes(strip, 13 < first ? outputA + 13 * pixelStride : outputB + (13 - first) * pixelStride, a13)
      }
      return
    }
    let pixelStride = strip.pointee.outputPixelStride
    let vectorStride = strip.pointee.outputVectorStride
    // Each step for all pixels, so that it is asked for once.
    if strip.pointee.accumulate {
      let target = UnsafePointer(strip.pointee.output)
      if count > 0 {
        let p = target + (0 < first ? outputA + 0 * pixelStride : outputB + (0 - first) * pixelStride)
        a0 += load(p)
        if two { b0 += load(p + vectorStride) }
      }
      if count > 1 {
        let p = target + (1 < first ? outputA + 1 * pixelStride : outputB + (1 - first) * pixelStride)
        a1 += load(p)
        if two { b1 += load(p + vectorStride) }
      }
      if count > 2 {
        let p = target + (2 < first ? outputA + 2 * pixelStride : outputB + (2 - first) * pixelStride)
        a2 += load(p)
        if two { b2 += load(p + vectorStride) }
      }
      if count > 3 {
        let p = target + (3 < first ? outputA + 3 * pixelStride : outputB + (3 - first) * pixelStride)
        a3 += load(p)
        if two { b3 += load(p + vectorStride) }
      }
      if count > 4 {
        let p = target + (4 < first ? outputA + 4 * pixelStride : outputB + (4 - first) * pixelStride)
        a4 += load(p)
        if two { b4 += load(p + vectorStride) }
      }
      if count > 5 {
        let p = target + (5 < first ? outputA + 5 * pixelStride : outputB + (5 - first) * pixelStride)
        a5 += load(p)
        if two { b5 += load(p + vectorStride) }
      }
      if count > 6 {
        let p = target + (6 < first ? outputA + 6 * pixelStride : outputB + (6 - first) * pixelStride)
        a6 += load(p)
        if two { b6 += load(p + vectorStride) }
      }
      if count > 7 {
        let p = target + (7 < first ? outputA + 7 * pixelStride : outputB + (7 - first) * pixelStride)
        a7 += load(p)
        if two { b7 += load(p + vectorStride) }
      }
      if count > 8 {
        let p = target + (8 < first ? outputA + 8 * pixelStride : outputB + (8 - first) * pixelStride)
        a8 += load(p)
        if two { b8 += load(p + vectorStride) }
      }
      if count > 9 {
        let p = target + (9 < first ? outputA + 9 * pixelStride : outputB + (9 - first) * pixelStride)
        a9 += load(p)
        if two { b9 += load(p + vectorStride) }
      }
      if count > 10 {
        let p = target + (10 < first ? outputA + 10 * pixelStride : outputB + (10 - first) * pixelStride)
        a10 += load(p)
        if two { b10 += load(p + vectorStride) }
      }
      if count > 11 {
        let p = target + (11 < first ? outputA + 11 * pixelStride : outputB + (11 - first) * pixelStride)
        a11 += load(p)
        if two { b11 += load(p + vectorStride) }
      }
      if count > 12 {
        let p = target + (12 < first ? outputA + 12 * pixelStride : outputB + (12 - first) * pixelStride)
        a12 += load(p)
        if two { b12 += load(p + vectorStride) }
      }
      if count > 13 {
        let p = target + (13 < first ? outputA + 13 * pixelStride : outputB + (13 - first) * pixelStride)
        a13 += load(p)
        if two { b13 += load(p + vectorStride) }
      }
    }
    if let scale = strip.pointee.scale {
      let s0 = load(scale)
      let s1 = two ? load(scale + vectorWidth) : Vector.zero
      if count > 0 {
        a0 *= s0
        if two { b0 *= s1 }
      }
      if count > 1 {
        a1 *= s0
        if two { b1 *= s1 }
      }
      if count > 2 {
        a2 *= s0
        if two { b2 *= s1 }
      }
      if count > 3 {
        a3 *= s0
        if two { b3 *= s1 }
      }
      if count > 4 {
        a4 *= s0
        if two { b4 *= s1 }
      }
      if count > 5 {
        a5 *= s0
        if two { b5 *= s1 }
      }
      if count > 6 {
        a6 *= s0
        if two { b6 *= s1 }
      }
      if count > 7 {
        a7 *= s0
        if two { b7 *= s1 }
      }
      if count > 8 {
        a8 *= s0
        if two { b8 *= s1 }
      }
      if count > 9 {
        a9 *= s0
        if two { b9 *= s1 }
      }
      if count > 10 {
        a10 *= s0
        if two { b10 *= s1 }
      }
      if count > 11 {
        a11 *= s0
        if two { b11 *= s1 }
      }
      if count > 12 {
        a12 *= s0
        if two { b12 *= s1 }
      }
      if count > 13 {
        a13 *= s0
        if two { b13 *= s1 }
      }
    }
    if let shift = strip.pointee.shift {
      let s0 = load(shift)
      let s1 = two ? load(shift + vectorWidth) : Vector.zero
      if count > 0 {
        a0 += s0
        if two { b0 += s1 }
      }
      if count > 1 {
        a1 += s0
        if two { b1 += s1 }
      }
      if count > 2 {
        a2 += s0
        if two { b2 += s1 }
      }
      if count > 3 {
        a3 += s0
        if two { b3 += s1 }
      }
      if count > 4 {
        a4 += s0
        if two { b4 += s1 }
      }
      if count > 5 {
        a5 += s0
        if two { b5 += s1 }
      }
      if count > 6 {
        a6 += s0
        if two { b6 += s1 }
      }
      if count > 7 {
        a7 += s0
        if two { b7 += s1 }
      }
      if count > 8 {
        a8 += s0
        if two { b8 += s1 }
      }
      if count > 9 {
        a9 += s0
        if two { b9 += s1 }
      }
      if count > 10 {
        a10 += s0
        if two { b10 += s1 }
      }
      if count > 11 {
        a11 += s0
        if two { b11 += s1 }
      }
      if count > 12 {
        a12 += s0
        if two { b12 += s1 }
      }
      if count > 13 {
        a13 += s0
        if two { b13 += s1 }
      }
    }
    if let residual = strip.pointee.residual {
      if count > 0 {
        let p = residual + (0 < first ? outputA + 0 * pixelStride : outputB + (0 - first) * pixelStride)
        a0 += load(p)
        if two { b0 += load(p + vectorStride) }
      }
      if count > 1 {
        let p = residual + (1 < first ? outputA + 1 * pixelStride : outputB + (1 - first) * pixelStride)
        a1 += load(p)
        if two { b1 += load(p + vectorStride) }
      }
      if count > 2 {
        let p = residual + (2 < first ? outputA + 2 * pixelStride : outputB + (2 - first) * pixelStride)
        a2 += load(p)
        if two { b2 += load(p + vectorStride) }
      }
      if count > 3 {
        let p = residual + (3 < first ? outputA + 3 * pixelStride : outputB + (3 - first) * pixelStride)
        a3 += load(p)
        if two { b3 += load(p + vectorStride) }
      }
      if count > 4 {
        let p = residual + (4 < first ? outputA + 4 * pixelStride : outputB + (4 - first) * pixelStride)
        a4 += load(p)
        if two { b4 += load(p + vectorStride) }
      }
      if count > 5 {
        let p = residual + (5 < first ? outputA + 5 * pixelStride : outputB + (5 - first) * pixelStride)
        a5 += load(p)
        if two { b5 += load(p + vectorStride) }
      }
      if count > 6 {
        let p = residual + (6 < first ? outputA + 6 * pixelStride : outputB + (6 - first) * pixelStride)
        a6 += load(p)
        if two { b6 += load(p + vectorStride) }
      }
      if count > 7 {
        let p = residual + (7 < first ? outputA + 7 * pixelStride : outputB + (7 - first) * pixelStride)
        a7 += load(p)
        if two { b7 += load(p + vectorStride) }
      }
      if count > 8 {
        let p = residual + (8 < first ? outputA + 8 * pixelStride : outputB + (8 - first) * pixelStride)
        a8 += load(p)
        if two { b8 += load(p + vectorStride) }
      }
      if count > 9 {
        let p = residual + (9 < first ? outputA + 9 * pixelStride : outputB + (9 - first) * pixelStride)
        a9 += load(p)
        if two { b9 += load(p + vectorStride) }
      }
      if count > 10 {
        let p = residual + (10 < first ? outputA + 10 * pixelStride : outputB + (10 - first) * pixelStride)
        a10 += load(p)
        if two { b10 += load(p + vectorStride) }
      }
      if count > 11 {
        let p = residual + (11 < first ? outputA + 11 * pixelStride : outputB + (11 - first) * pixelStride)
        a11 += load(p)
        if two { b11 += load(p + vectorStride) }
      }
      if count > 12 {
        let p = residual + (12 < first ? outputA + 12 * pixelStride : outputB + (12 - first) * pixelStride)
        a12 += load(p)
        if two { b12 += load(p + vectorStride) }
      }
      if count > 13 {
        let p = residual + (13 < first ? outputA + 13 * pixelStride : outputB + (13 - first) * pixelStride)
        a13 += load(p)
        if two { b13 += load(p + vectorStride) }
      }
    }
    if strip.pointee.relu {
      if count > 0 {
        a0 = positive(a0)
        if two { b0 = positive(b0) }
      }
      if count > 1 {
        a1 = positive(a1)
        if two { b1 = positive(b1) }
      }
      if count > 2 {
        a2 = positive(a2)
        if two { b2 = positive(b2) }
      }
      if count > 3 {
        a3 = positive(a3)
        if two { b3 = positive(b3) }
      }
      if count > 4 {
        a4 = positive(a4)
        if two { b4 = positive(b4) }
      }
      if count > 5 {
        a5 = positive(a5)
        if two { b5 = positive(b5) }
      }
      if count > 6 {
        a6 = positive(a6)
        if two { b6 = positive(b6) }
      }
      if count > 7 {
        a7 = positive(a7)
        if two { b7 = positive(b7) }
      }
      if count > 8 {
        a8 = positive(a8)
        if two { b8 = positive(b8) }
      }
      if count > 9 {
        a9 = positive(a9)
        if two { b9 = positive(b9) }
      }
      if count > 10 {
        a10 = positive(a10)
        if two { b10 = positive(b10) }
      }
      if count > 11 {
        a11 = positive(a11)
        if two { b11 = positive(b11) }
      }
      if count > 12 {
        a12 = positive(a12)
        if two { b12 = positive(b12) }
      }
      if count > 13 {
        a13 = positive(a13)
        if two { b13 = positive(b13) }
      }
    }
    let target = strip.pointee.output
    if count > 0 {
      let p = target + (0 < first ? outputA + 0 * pixelStride : outputB + (0 - first) * pixelStride)
      store(a0, p)
      if two { store(b0, p + vectorStride) }
    }
    if count > 1 {
      let p = target + (1 < first ? outputA + 1 * pixelStride : outputB + (1 - first) * pixelStride)
      store(a1, p)
      if two { store(b1, p + vectorStride) }
    }
    if count > 2 {
      let p = target + (2 < first ? outputA + 2 * pixelStride : outputB + (2 - first) * pixelStride)
      store(a2, p)
      if two { store(b2, p + vectorStride) }
    }
    if count > 3 {
      let p = target + (3 < first ? outputA + 3 * pixelStride : outputB + (3 - first) * pixelStride)
      store(a3, p)
      if two { store(b3, p + vectorStride) }
    }
    if count > 4 {
      let p = target + (4 < first ? outputA + 4 * pixelStride : outputB + (4 - first) * pixelStride)
      store(a4, p)
      if two { store(b4, p + vectorStride) }
    }
    if count > 5 {
      let p = target + (5 < first ? outputA + 5 * pixelStride : outputB + (5 - first) * pixelStride)
      store(a5, p)
      if two { store(b5, p + vectorStride) }
    }
    if count > 6 {
      let p = target + (6 < first ? outputA + 6 * pixelStride : outputB + (6 - first) * pixelStride)
      store(a6, p)
      if two { store(b6, p + vectorStride) }
    }
    if count > 7 {
      let p = target + (7 < first ? outputA + 7 * pixelStride : outputB + (7 - first) * pixelStride)
      store(a7, p)
      if two { store(b7, p + vectorStride) }
    }
    if count > 8 {
      let p = target + (8 < first ? outputA + 8 * pixelStride : outputB + (8 - first) * pixelStride)
      store(a8, p)
      if two { store(b8, p + vectorStride) }
    }
    if count > 9 {
      let p = target + (9 < first ? outputA + 9 * pixelStride : outputB + (9 - first) * pixelStride)
      store(a9, p)
      if two { store(b9, p + vectorStride) }
    }
    if count > 10 {
      let p = target + (10 < first ? outputA + 10 * pixelStride : outputB + (10 - first) * pixelStride)
      store(a10, p)
      if two { store(b10, p + vectorStride) }
    }
    if count > 11 {
      let p = target + (11 < first ? outputA + 11 * pixelStride : outputB + (11 - first) * pixelStride)
      store(a11, p)
      if two { store(b11, p + vectorStride) }
    }
    if count > 12 {
      let p = target + (12 < first ? outputA + 12 * pixelStride : outputB + (12 - first) * pixelStride)
      store(a12, p)
      if two { store(b12, p + vectorStride) }
    }
    if count > 13 {
      let p = target + (13 < first ? outputA + 13 * pixelStride : outputB + (13 - first) * pixelStride)
      store(a13, p)
      if two { store(b13, p + vectorStride) }
    }
  }
}

/// max(v, 0) lane by lane; NaN stays NaN.
@inline(__always)
private func positive(_ v: Vector) -> Vector { v.replacing(with: 0, where: v .< 0) }

/// Finishes and writes the first lanes only: fewer output channels than a vector has.
@inline(never)
private func finishLanes(_ strip: UnsafePointer<ConvolutionStrip>, _ offset: Int, _ sum: Vector) {
  let target = strip.pointee.output + offset
  for lane in 0..<strip.pointee.lanes {
    var y = sum[lane]
    if strip.pointee.accumulate { y += target[lane] }
    if let scale = strip.pointee.scale { y *= scale[lane] }
    if let shift = strip.pointee.shift { y += shift[lane] }
    if let residual = strip.pointee.residual { y += residual[offset + lane] }
    if strip.pointee.relu && y < 0 { y = 0 }
    target[lane] = y
  }
}
