import KernelContracts

/// Rank-`tiles` update of V × two vectors: see ``WinogradProducts``.
func winogradProducts(_ products: UnsafePointer<WinogradProducts>) {
  #if KERNELS_AVX512
    rows8(products, 0)
    rows8(products, 8)
  #else
    for row in stride(from: 0, to: vectorWidth, by: 4) { rows4(products, row) }
  #endif
}

#if KERNELS_AVX512
  /// Eight input channels: sixteen accumulators, ten loads for sixteen FMAs.
  @inline(__always)
  private func rows8(_ products: UnsafePointer<WinogradProducts>, _ row: Int) {
    let two = products.pointee.vectors == 2
    let rowStride = products.pointee.vectors * vectorWidth
    let sums = products.pointee.sums + row * rowStride
    var x = products.pointee.input + row
    var y = products.pointee.gradient
    let next = products.pointee.gradientVectorStride
    let accumulate = products.pointee.accumulate
    if two {
      var a0 = accumulate ? load(sums) : .zero
      var b0 = accumulate ? load(sums + vectorWidth) : .zero
      var a1 = accumulate ? load(sums + rowStride) : .zero
      var b1 = accumulate ? load(sums + rowStride + vectorWidth) : .zero
      var a2 = accumulate ? load(sums + 2 * rowStride) : .zero
      var b2 = accumulate ? load(sums + 2 * rowStride + vectorWidth) : .zero
      var a3 = accumulate ? load(sums + 3 * rowStride) : .zero
      var b3 = accumulate ? load(sums + 3 * rowStride + vectorWidth) : .zero
      var a4 = accumulate ? load(sums + 4 * rowStride) : .zero
      var b4 = accumulate ? load(sums + 4 * rowStride + vectorWidth) : .zero
      var a5 = accumulate ? load(sums + 5 * rowStride) : .zero
      var b5 = accumulate ? load(sums + 5 * rowStride + vectorWidth) : .zero
      var a6 = accumulate ? load(sums + 6 * rowStride) : .zero
      var b6 = accumulate ? load(sums + 6 * rowStride + vectorWidth) : .zero
      var a7 = accumulate ? load(sums + 7 * rowStride) : .zero
      var b7 = accumulate ? load(sums + 7 * rowStride + vectorWidth) : .zero
      for _ in 0..<products.pointee.tiles {
        let y0 = load(y)
        let y1 = load(y + next)
        a0 = fma(Vector(repeating: x[0]), y0, a0)
        b0 = fma(Vector(repeating: x[0]), y1, b0)
        a1 = fma(Vector(repeating: x[1]), y0, a1)
        b1 = fma(Vector(repeating: x[1]), y1, b1)
        a2 = fma(Vector(repeating: x[2]), y0, a2)
        b2 = fma(Vector(repeating: x[2]), y1, b2)
        a3 = fma(Vector(repeating: x[3]), y0, a3)
        b3 = fma(Vector(repeating: x[3]), y1, b3)
        a4 = fma(Vector(repeating: x[4]), y0, a4)
        b4 = fma(Vector(repeating: x[4]), y1, b4)
        a5 = fma(Vector(repeating: x[5]), y0, a5)
        b5 = fma(Vector(repeating: x[5]), y1, b5)
        a6 = fma(Vector(repeating: x[6]), y0, a6)
        b6 = fma(Vector(repeating: x[6]), y1, b6)
        a7 = fma(Vector(repeating: x[7]), y0, a7)
        b7 = fma(Vector(repeating: x[7]), y1, b7)
        x += vectorWidth
        y += vectorWidth
      }
      store(a0, sums)
      store(b0, sums + vectorWidth)
      store(a1, sums + rowStride)
      store(b1, sums + rowStride + vectorWidth)
      store(a2, sums + 2 * rowStride)
      store(b2, sums + 2 * rowStride + vectorWidth)
      store(a3, sums + 3 * rowStride)
      store(b3, sums + 3 * rowStride + vectorWidth)
      store(a4, sums + 4 * rowStride)
      store(b4, sums + 4 * rowStride + vectorWidth)
      store(a5, sums + 5 * rowStride)
      store(b5, sums + 5 * rowStride + vectorWidth)
      store(a6, sums + 6 * rowStride)
      store(b6, sums + 6 * rowStride + vectorWidth)
      store(a7, sums + 7 * rowStride)
      store(b7, sums + 7 * rowStride + vectorWidth)
    } else {
      rows4(products, row)
      rows4(products, row + 4)
    }
  }
#endif

/// Four input channels.
@inline(__always)
private func rows4(_ products: UnsafePointer<WinogradProducts>, _ row: Int) {
  let two = products.pointee.vectors == 2
  let rowStride = products.pointee.vectors * vectorWidth
  let sums = products.pointee.sums + row * rowStride
  let second = two ? vectorWidth : 0
  let accumulate = products.pointee.accumulate
  var x = products.pointee.input + row
  var y = products.pointee.gradient
  let next = two ? products.pointee.gradientVectorStride : 0
  var a0 = accumulate ? load(sums) : .zero
  var b0 = accumulate ? load(sums + second) : .zero
  var a1 = accumulate ? load(sums + rowStride) : .zero
  var b1 = accumulate ? load(sums + rowStride + second) : .zero
  var a2 = accumulate ? load(sums + 2 * rowStride) : .zero
  var b2 = accumulate ? load(sums + 2 * rowStride + second) : .zero
  var a3 = accumulate ? load(sums + 3 * rowStride) : .zero
  var b3 = accumulate ? load(sums + 3 * rowStride + second) : .zero
  for _ in 0..<products.pointee.tiles {
    let y0 = load(y)
    let y1 = load(y + next)
    a0 = fma(Vector(repeating: x[0]), y0, a0)
    b0 = fma(Vector(repeating: x[0]), y1, b0)
    a1 = fma(Vector(repeating: x[1]), y0, a1)
    b1 = fma(Vector(repeating: x[1]), y1, b1)
    a2 = fma(Vector(repeating: x[2]), y0, a2)
    b2 = fma(Vector(repeating: x[2]), y1, b2)
    a3 = fma(Vector(repeating: x[3]), y0, a3)
    b3 = fma(Vector(repeating: x[3]), y1, b3)
    x += vectorWidth
    y += vectorWidth
  }
  // With one vector b is a's copy.
  store(a0, sums)
  store(b0, sums + second)
  store(a1, sums + rowStride)
  store(b1, sums + rowStride + second)
  store(a2, sums + 2 * rowStride)
  store(b2, sums + 2 * rowStride + second)
  store(a3, sums + 3 * rowStride)
  store(b3, sums + 3 * rowStride + second)
}
