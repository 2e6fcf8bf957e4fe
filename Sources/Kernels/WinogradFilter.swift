/// The one-dimensional transforms of F(m, 3) on vectors of channels. Each reads and writes vectors `stride` floats apart.
///
/// Points come as 0, ±p …, ∞, so that a pair's two values are the sum and the difference of an even and an odd part. The
/// constants are products of the points alone and exact in float32; a test holds every transform against the exact matrices.
protocol WinogradFilter {
  /// m.
  static var outputs: Int { get }
  /// n = m + 2.
  static var points: Int { get }
  /// Bᵀ: n vectors to n.
  static func input(
    _ d: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int)
  /// Aᵀ: n vectors to m.
  static func output(
    _ x: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int)
  /// A: m vectors to n.
  static func gradient(
    _ y: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int)
}

@inline(__always)
private func constant(_ value: Float) -> Vector { Vector(repeating: value) }

/// Points 0, ±1, ∞.
enum WinogradF2: WinogradFilter {
  @inline(__always) static var outputs: Int { 2 }
  @inline(__always) static var points: Int { 4 }

  @inline(__always)
  static func input(
    _ d: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    let d0 = load(d)
    let d1 = load(d + stride)
    let d2 = load(d + 2 * stride)
    let d3 = load(d + 3 * stride)
    store(d2 - d0, to)
    store(d2 + d1, to + toStride)
    store(d2 - d1, to + 2 * toStride)
    store(d3 - d1, to + 3 * toStride)
  }

  @inline(__always)
  static func output(
    _ x: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    let x1 = load(x + stride)
    let x2 = load(x + 2 * stride)
    store(load(x) + (x1 + x2), to)
    store(load(x + 3 * stride) + (x1 - x2), to + toStride)
  }

  @inline(__always)
  static func gradient(
    _ y: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    let y0 = load(y)
    let y1 = load(y + stride)
    store(y0, to)
    store(y0 + y1, to + toStride)
    store(y0 - y1, to + 2 * toStride)
    store(y1, to + 3 * toStride)
  }
}

/// Points 0, ±5/8, ±3/2, ∞.
enum WinogradF4: WinogradFilter {
  @inline(__always) static var outputs: Int { 4 }
  @inline(__always) static var points: Int { 6 }
  @inline(__always) private static var p: Float { 0.625 }
  @inline(__always) private static var q: Float { 1.5 }
  @inline(__always) private static var p2: Float { 0.390625 }
  @inline(__always) private static var q2: Float { 2.25 }

  @inline(__always)
  static func input(
    _ d: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    let d1 = load(d + stride)
    let d2 = load(d + 2 * stride)
    let d3 = load(d + 3 * stride)
    let d4 = load(d + 4 * stride)
    store(fma(load(d), constant(p2 * q2), fma(d2, constant(-(p2 + q2)), d4)), to)
    let evenP = fma(d2, constant(-q2), d4)
    let oddP = fma(d1, constant(-q2), d3)
    store(fma(oddP, constant(p), evenP), to + toStride)
    store(fma(oddP, constant(-p), evenP), to + 2 * toStride)
    let evenQ = fma(d2, constant(-p2), d4)
    let oddQ = fma(d1, constant(-p2), d3)
    store(fma(oddQ, constant(q), evenQ), to + 3 * toStride)
    store(fma(oddQ, constant(-q), evenQ), to + 4 * toStride)
    store(fma(d1, constant(p2 * q2), fma(d3, constant(-(p2 + q2)), load(d + 5 * stride))), to + 5 * toStride)
  }

  @inline(__always)
  static func output(
    _ x: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    let x1 = load(x + stride)
    let x2 = load(x + 2 * stride)
    let x3 = load(x + 3 * stride)
    let x4 = load(x + 4 * stride)
    let evenP = x1 + x2
    let oddP = x1 - x2
    let evenQ = x3 + x4
    let oddQ = x3 - x4
    store(load(x) + (evenP + evenQ), to)
    store(fma(oddQ, constant(q), oddP * constant(p)), to + toStride)
    store(fma(evenQ, constant(q2), evenP * constant(p2)), to + 2 * toStride)
    let x5 = load(x + 5 * stride)
    store(fma(oddQ, constant(q2 * q), fma(oddP, constant(p2 * p), x5)), to + 3 * toStride)
  }

  @inline(__always)
  static func gradient(
    _ y: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    let y0 = load(y)
    let y1 = load(y + stride)
    let y2 = load(y + 2 * stride)
    let y3 = load(y + 3 * stride)
    store(y0, to)
    let evenP = fma(y2, constant(p2), y0)
    let oddP = fma(y3, constant(p2), y1)
    store(fma(oddP, constant(p), evenP), to + toStride)
    store(fma(oddP, constant(-p), evenP), to + 2 * toStride)
    let evenQ = fma(y2, constant(q2), y0)
    let oddQ = fma(y3, constant(q2), y1)
    store(fma(oddQ, constant(q), evenQ), to + 3 * toStride)
    store(fma(oddQ, constant(-q), evenQ), to + 4 * toStride)
    store(y3, to + 5 * toStride)
  }
}

/// Points 0, ±½, ±1, ±2, ∞.
enum WinogradF6: WinogradFilter {
  @inline(__always) static var outputs: Int { 6 }
  @inline(__always) static var points: Int { 8 }

  @inline(__always)
  static func input(
    _ d: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    let d1 = load(d + stride)
    let d2 = load(d + 2 * stride)
    let d3 = load(d + 3 * stride)
    let d4 = load(d + 4 * stride)
    let d5 = load(d + 5 * stride)
    let d6 = load(d + 6 * stride)
    // Elementary symmetric functions of ¼, 1, 4: 5¼, 5¼, 1.
    store(fma(d2, constant(5.25), fma(d4, constant(-5.25), d6)) - load(d), to)
    // Those of the other two squares: 5 and 4 for ½, 4¼ and 1 for 1, 1¼ and ¼ for 2.
    let evenHalf = fma(d2, constant(4), fma(d4, constant(-5), d6))
    let oddHalf = fma(d1, constant(4), fma(d3, constant(-5), d5))
    store(fma(oddHalf, constant(0.5), evenHalf), to + toStride)
    store(fma(oddHalf, constant(-0.5), evenHalf), to + 2 * toStride)
    let evenOne = fma(d4, constant(-4.25), d6) + d2
    let oddOne = fma(d3, constant(-4.25), d5) + d1
    store(evenOne + oddOne, to + 3 * toStride)
    store(evenOne - oddOne, to + 4 * toStride)
    let evenTwo = fma(d2, constant(0.25), fma(d4, constant(-1.25), d6))
    let oddTwo = fma(d1, constant(0.25), fma(d3, constant(-1.25), d5))
    store(fma(oddTwo, constant(2), evenTwo), to + 5 * toStride)
    store(fma(oddTwo, constant(-2), evenTwo), to + 6 * toStride)
    let d7 = load(d + 7 * stride)
    store(fma(d3, constant(5.25), fma(d5, constant(-5.25), d7)) - d1, to + 7 * toStride)
  }

  @inline(__always)
  static func output(
    _ x: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    let x1 = load(x + stride)
    let x2 = load(x + 2 * stride)
    let x3 = load(x + 3 * stride)
    let x4 = load(x + 4 * stride)
    let x5 = load(x + 5 * stride)
    let x6 = load(x + 6 * stride)
    let evenHalf = x1 + x2
    let oddHalf = x1 - x2
    let evenOne = x3 + x4
    let oddOne = x3 - x4
    let evenTwo = x5 + x6
    let oddTwo = x5 - x6
    store(load(x) + evenHalf + (evenOne + evenTwo), to)
    store(fma(oddTwo, constant(2), fma(oddHalf, constant(0.5), oddOne)), to + toStride)
    store(fma(evenTwo, constant(4), fma(evenHalf, constant(0.25), evenOne)), to + 2 * toStride)
    store(fma(oddTwo, constant(8), fma(oddHalf, constant(0.125), oddOne)), to + 3 * toStride)
    store(fma(evenTwo, constant(16), fma(evenHalf, constant(0.0625), evenOne)), to + 4 * toStride)
    let x7 = load(x + 7 * stride)
    store(fma(oddTwo, constant(32), fma(oddHalf, constant(0.03125), oddOne + x7)), to + 5 * toStride)
  }

  @inline(__always)
  static func gradient(
    _ y: UnsafePointer<Float>, _ stride: Int, _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    let y0 = load(y)
    let y1 = load(y + stride)
    let y2 = load(y + 2 * stride)
    let y3 = load(y + 3 * stride)
    let y4 = load(y + 4 * stride)
    let y5 = load(y + 5 * stride)
    store(y0, to)
    let evenHalf = fma(y4, constant(0.0625), fma(y2, constant(0.25), y0))
    let oddHalf = fma(y5, constant(0.0625), fma(y3, constant(0.25), y1))
    store(fma(oddHalf, constant(0.5), evenHalf), to + toStride)
    store(fma(oddHalf, constant(-0.5), evenHalf), to + 2 * toStride)
    let evenOne = y0 + y2 + y4
    let oddOne = y1 + y3 + y5
    store(evenOne + oddOne, to + 3 * toStride)
    store(evenOne - oddOne, to + 4 * toStride)
    let evenTwo = fma(y4, constant(16), fma(y2, constant(4), y0))
    let oddTwo = fma(y5, constant(16), fma(y3, constant(4), y1))
    store(fma(oddTwo, constant(2), evenTwo), to + 5 * toStride)
    store(fma(oddTwo, constant(-2), evenTwo), to + 6 * toStride)
    store(y5, to + 7 * toStride)
  }
}
