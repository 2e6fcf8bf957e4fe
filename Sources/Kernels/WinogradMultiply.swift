import KernelContracts

/// Transformed tiles times transformed weights, point by point: see ``WinogradMultiply``.
func winogradMultiply(_ multiply: UnsafePointer<WinogradMultiply>) {
  if multiply.pointee.vectors == 2 {
    multiplyPoints(multiply, MultiplyTwo.self)
  } else {
    multiplyPoints(multiply, MultiplyOne.self)
  }
}

/// Tiles of a point are cut into register tiles of at most `tilePixels`, as even as they can be.
@inline(__always)
private func multiplyPoints<Vectors: Constant>(
  _ multiply: UnsafePointer<WinogradMultiply>, _: Vectors.Type
) {
  let pointWeights = multiply.pointee.channels * Vectors.value * vectorWidth
  for point in 0..<multiply.pointee.points {
    var x = multiply.pointee.transformed + point * multiply.pointee.transformedPointStride
    let w = multiply.pointee.weights + point * pointWeights
    var to = multiply.pointee.products + point * multiply.pointee.productPointStride
    var left = multiply.pointee.tiles
    var parts = (left + tilePixels - 1) / tilePixels
    while left > 0 {
      let count = (left + parts - 1) / parts
      multiplyTile(multiply, Vectors.self, count, x, w, to)
      x += count * vectorWidth
      to += count * vectorWidth
      left -= count
      parts -= 1
    }
  }
}

private typealias MultiplyOne = C1
private typealias MultiplyTwo = C2

@inline(__always)
private func multiplyTile<Vectors: Constant>(
  _ multiply: UnsafePointer<WinogradMultiply>, _: Vectors.Type, _ count: Int, _ x: UnsafePointer<Float>,
  _ w: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>
) {
  switch count {
  case 1: MultiplyTile<C1, Vectors>.run(multiply, x, w, to)
  case 2: MultiplyTile<C2, Vectors>.run(multiply, x, w, to)
  case 3: MultiplyTile<C3, Vectors>.run(multiply, x, w, to)
  case 4: MultiplyTile<C4, Vectors>.run(multiply, x, w, to)
  case 5: MultiplyTile<C5, Vectors>.run(multiply, x, w, to)
  case 6: MultiplyTile<C6, Vectors>.run(multiply, x, w, to)
  #if KERNELS_AVX512 || KERNELS_NEON
    case 7: MultiplyTile<C7, Vectors>.run(multiply, x, w, to)
    case 8: MultiplyTile<C8, Vectors>.run(multiply, x, w, to)
    case 9: MultiplyTile<C9, Vectors>.run(multiply, x, w, to)
    case 10: MultiplyTile<C10, Vectors>.run(multiply, x, w, to)
    case 11: MultiplyTile<C11, Vectors>.run(multiply, x, w, to)
    case 12: MultiplyTile<C12, Vectors>.run(multiply, x, w, to)
    case 13: MultiplyTile<C13, Vectors>.run(multiply, x, w, to)
    case 14: MultiplyTile<C14, Vectors>.run(multiply, x, w, to)
  #endif
  default: break
  }
}

/// One register tile: `Count` tiles × one or two vectors. The counts are constants, so that unused accumulators vanish.
private enum MultiplyTile<Count: Constant, Vectors: Constant> {
  /// The loop over channels is a single one, so that no sum has to change its register between blocks.
  @inline(never)
  static func run(
    _ multiply: UnsafePointer<WinogradMultiply>, _ tiles: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ to: UnsafeMutablePointer<Float>
  ) {
    var sums = Sums<Count, Vectors>()
    var x = tiles
    var w = weights
    let jump = multiply.pointee.blockStride - vectorWidth
    var inBlock = vectorWidth
    var left = multiply.pointee.channels
    while left > 0 {
      sums.add(x, w)
      w += Vectors.value * vectorWidth
      x += 1
      inBlock -= 1
      if inBlock == 0 {
        x += jump
        inBlock = vectorWidth
      }
      left -= 1
    }
    sums.write(to, multiply.pointee.vectorStride)
  }
}

/// The accumulators: named fields stay in registers, an array of them would not.
private struct Sums<Count: Constant, Vectors: Constant> {
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

  @inline(__always)
  init() {}

  /// One channel: a broadcast of each tile's value times the weights' vectors.
  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>) {
    let count = Count.value
    let two = Vectors.value == 2
    let w0 = load(w)
    let w1 = two ? load(w + vectorWidth) : Vector.zero
    if count > 0 {
      let v = Vector(repeating: x[0 * vectorWidth])
      a0 = fma(v, w0, a0)
      if two { b0 = fma(v, w1, b0) }
    }
    if count > 1 {
      let v = Vector(repeating: x[1 * vectorWidth])
      a1 = fma(v, w0, a1)
      if two { b1 = fma(v, w1, b1) }
    }
    if count > 2 {
      let v = Vector(repeating: x[2 * vectorWidth])
      a2 = fma(v, w0, a2)
      if two { b2 = fma(v, w1, b2) }
    }
    if count > 3 {
      let v = Vector(repeating: x[3 * vectorWidth])
      a3 = fma(v, w0, a3)
      if two { b3 = fma(v, w1, b3) }
    }
    if count > 4 {
      let v = Vector(repeating: x[4 * vectorWidth])
      a4 = fma(v, w0, a4)
      if two { b4 = fma(v, w1, b4) }
    }
    if count > 5 {
      let v = Vector(repeating: x[5 * vectorWidth])
      a5 = fma(v, w0, a5)
      if two { b5 = fma(v, w1, b5) }
    }
    if count > 6 {
      let v = Vector(repeating: x[6 * vectorWidth])
      a6 = fma(v, w0, a6)
      if two { b6 = fma(v, w1, b6) }
    }
    if count > 7 {
      let v = Vector(repeating: x[7 * vectorWidth])
      a7 = fma(v, w0, a7)
      if two { b7 = fma(v, w1, b7) }
    }
    if count > 8 {
      let v = Vector(repeating: x[8 * vectorWidth])
      a8 = fma(v, w0, a8)
      if two { b8 = fma(v, w1, b8) }
    }
    if count > 9 {
      let v = Vector(repeating: x[9 * vectorWidth])
      a9 = fma(v, w0, a9)
      if two { b9 = fma(v, w1, b9) }
    }
    if count > 10 {
      let v = Vector(repeating: x[10 * vectorWidth])
      a10 = fma(v, w0, a10)
      if two { b10 = fma(v, w1, b10) }
    }
    if count > 11 {
      let v = Vector(repeating: x[11 * vectorWidth])
      a11 = fma(v, w0, a11)
      if two { b11 = fma(v, w1, b11) }
    }
    if count > 12 {
      let v = Vector(repeating: x[12 * vectorWidth])
      a12 = fma(v, w0, a12)
      if two { b12 = fma(v, w1, b12) }
    }
    if count > 13 {
      let v = Vector(repeating: x[13 * vectorWidth])
      a13 = fma(v, w0, a13)
      if two { b13 = fma(v, w1, b13) }
    }
  }

  @inline(__always)
  func write(_ to: UnsafeMutablePointer<Float>, _ vectorStride: Int) {
    let count = Count.value
    let two = Vectors.value == 2
    let second = to + vectorStride
    if count > 0 {
      store(a0, to + 0 * vectorWidth)
      if two { store(b0, second + 0 * vectorWidth) }
    }
    if count > 1 {
      store(a1, to + 1 * vectorWidth)
      if two { store(b1, second + 1 * vectorWidth) }
    }
    if count > 2 {
      store(a2, to + 2 * vectorWidth)
      if two { store(b2, second + 2 * vectorWidth) }
    }
    if count > 3 {
      store(a3, to + 3 * vectorWidth)
      if two { store(b3, second + 3 * vectorWidth) }
    }
    if count > 4 {
      store(a4, to + 4 * vectorWidth)
      if two { store(b4, second + 4 * vectorWidth) }
    }
    if count > 5 {
      store(a5, to + 5 * vectorWidth)
      if two { store(b5, second + 5 * vectorWidth) }
    }
    if count > 6 {
      store(a6, to + 6 * vectorWidth)
      if two { store(b6, second + 6 * vectorWidth) }
    }
    if count > 7 {
      store(a7, to + 7 * vectorWidth)
      if two { store(b7, second + 7 * vectorWidth) }
    }
    if count > 8 {
      store(a8, to + 8 * vectorWidth)
      if two { store(b8, second + 8 * vectorWidth) }
    }
    if count > 9 {
      store(a9, to + 9 * vectorWidth)
      if two { store(b9, second + 9 * vectorWidth) }
    }
    if count > 10 {
      store(a10, to + 10 * vectorWidth)
      if two { store(b10, second + 10 * vectorWidth) }
    }
    if count > 11 {
      store(a11, to + 11 * vectorWidth)
      if two { store(b11, second + 11 * vectorWidth) }
    }
    if count > 12 {
      store(a12, to + 12 * vectorWidth)
      if two { store(b12, second + 12 * vectorWidth) }
    }
    if count > 13 {
      store(a13, to + 13 * vectorWidth)
      if two { store(b13, second + 13 * vectorWidth) }
    }
  }
}
