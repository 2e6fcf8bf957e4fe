import KernelContracts

/// One register tile: `First` pixels from offset A and `Second` from offset B, × one or two vectors of output channels.
///
/// The counts are constants, so that the unused accumulators vanish; named locals stay in registers, an array of them
/// would not.
enum Tile<First: Constant, Second: Constant, Stride: Constant> {
  @inline(never)
  static func run(
    _ strip: UnsafePointer<ConvolutionStrip>, _ inputA: Int, _ inputB: Int, _ outputA: Int, _ outputB: Int
  ) {
    if strip.pointee.vectors == 2 {
      run(strip, true, inputA, inputB, outputA, outputB)
    } else {
      run(strip, false, inputA, inputB, outputA, outputB)
    }
  }

  @inline(__always)
  private static func run(
    _ strip: UnsafePointer<ConvolutionStrip>, _ two: Bool, _ inputA: Int, _ inputB: Int, _ outputA: Int,
    _ outputB: Int
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
    var b = 0
    while b < blocks {
      b += 1
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
            let x = Vector(repeating: pixel(pA, pB, 0, first, stride))
            a0 = fma(x, w0, a0)
            if two { b0 = fma(x, w1, b0) }
          }
          if count > 1 {
            let x = Vector(repeating: pixel(pA, pB, 1, first, stride))
            a1 = fma(x, w0, a1)
            if two { b1 = fma(x, w1, b1) }
          }
          if count > 2 {
            let x = Vector(repeating: pixel(pA, pB, 2, first, stride))
            a2 = fma(x, w0, a2)
            if two { b2 = fma(x, w1, b2) }
          }
          if count > 3 {
            let x = Vector(repeating: pixel(pA, pB, 3, first, stride))
            a3 = fma(x, w0, a3)
            if two { b3 = fma(x, w1, b3) }
          }
          if count > 4 {
            let x = Vector(repeating: pixel(pA, pB, 4, first, stride))
            a4 = fma(x, w0, a4)
            if two { b4 = fma(x, w1, b4) }
          }
          if count > 5 {
            let x = Vector(repeating: pixel(pA, pB, 5, first, stride))
            a5 = fma(x, w0, a5)
            if two { b5 = fma(x, w1, b5) }
          }
          if count > 6 {
            let x = Vector(repeating: pixel(pA, pB, 6, first, stride))
            a6 = fma(x, w0, a6)
            if two { b6 = fma(x, w1, b6) }
          }
          if count > 7 {
            let x = Vector(repeating: pixel(pA, pB, 7, first, stride))
            a7 = fma(x, w0, a7)
            if two { b7 = fma(x, w1, b7) }
          }
          if count > 8 {
            let x = Vector(repeating: pixel(pA, pB, 8, first, stride))
            a8 = fma(x, w0, a8)
            if two { b8 = fma(x, w1, b8) }
          }
          if count > 9 {
            let x = Vector(repeating: pixel(pA, pB, 9, first, stride))
            a9 = fma(x, w0, a9)
            if two { b9 = fma(x, w1, b9) }
          }
          if count > 10 {
            let x = Vector(repeating: pixel(pA, pB, 10, first, stride))
            a10 = fma(x, w0, a10)
            if two { b10 = fma(x, w1, b10) }
          }
          if count > 11 {
            let x = Vector(repeating: pixel(pA, pB, 11, first, stride))
            a11 = fma(x, w0, a11)
            if two { b11 = fma(x, w1, b11) }
          }
          if count > 12 {
            let x = Vector(repeating: pixel(pA, pB, 12, first, stride))
            a12 = fma(x, w0, a12)
            if two { b12 = fma(x, w1, b12) }
          }
          if count > 13 {
            let x = Vector(repeating: pixel(pA, pB, 13, first, stride))
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
    let epilogue = Epilogue(strip, two)
    if count > 0 { epilogue.write(strip, two, 0 < first ? outputA : outputB, 0 < first ? 0 : 0 - first, a0, b0) }
    if count > 1 { epilogue.write(strip, two, 1 < first ? outputA : outputB, 1 < first ? 1 : 1 - first, a1, b1) }
    if count > 2 { epilogue.write(strip, two, 2 < first ? outputA : outputB, 2 < first ? 2 : 2 - first, a2, b2) }
    if count > 3 { epilogue.write(strip, two, 3 < first ? outputA : outputB, 3 < first ? 3 : 3 - first, a3, b3) }
    if count > 4 { epilogue.write(strip, two, 4 < first ? outputA : outputB, 4 < first ? 4 : 4 - first, a4, b4) }
    if count > 5 { epilogue.write(strip, two, 5 < first ? outputA : outputB, 5 < first ? 5 : 5 - first, a5, b5) }
    if count > 6 { epilogue.write(strip, two, 6 < first ? outputA : outputB, 6 < first ? 6 : 6 - first, a6, b6) }
    if count > 7 { epilogue.write(strip, two, 7 < first ? outputA : outputB, 7 < first ? 7 : 7 - first, a7, b7) }
    if count > 8 { epilogue.write(strip, two, 8 < first ? outputA : outputB, 8 < first ? 8 : 8 - first, a8, b8) }
    if count > 9 { epilogue.write(strip, two, 9 < first ? outputA : outputB, 9 < first ? 9 : 9 - first, a9, b9) }
    if count > 10 { epilogue.write(strip, two, 10 < first ? outputA : outputB, 10 < first ? 10 : 10 - first, a10, b10) }
    if count > 11 { epilogue.write(strip, two, 11 < first ? outputA : outputB, 11 < first ? 11 : 11 - first, a11, b11) }
    if count > 12 { epilogue.write(strip, two, 12 < first ? outputA : outputB, 12 < first ? 12 : 12 - first, a12, b12) }
    if count > 13 { epilogue.write(strip, two, 13 < first ? outputA : outputB, 13 < first ? 13 : 13 - first, a13, b13) }
  }
}

@inline(__always)
private func pixel(
  _ pA: UnsafePointer<Float>, _ pB: UnsafePointer<Float>, _ index: Int, _ first: Int, _ stride: Int
) -> Float {
  index < first ? pA[index * stride] : pB[(index - first) * stride]
}
