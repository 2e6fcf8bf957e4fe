import CShims

// The vector of the instruction set this folder is being compiled for, half of one, as many doubles, which fill a register,
// and the largest register tile that it holds without spilling: pixels × two vectors of output channels.
#if KERNELS_AVX512
  typealias Vector = SIMD16<Float>
  typealias HalfVector = SIMD8<Float>
  typealias HalfDoubles = SIMD8<Double>
  @inline(__always) var vectorWidth: Int { 16 }
  @inline(__always) var tilePixels: Int { 14 }
#elseif KERNELS_AVX2
  typealias Vector = SIMD8<Float>
  typealias HalfVector = SIMD4<Float>
  typealias HalfDoubles = SIMD4<Double>
  @inline(__always) var vectorWidth: Int { 8 }
  @inline(__always) var tilePixels: Int { 6 }
#elseif KERNELS_NEON
  typealias Vector = SIMD4<Float>
  typealias HalfVector = SIMD2<Float>
  typealias HalfDoubles = SIMD2<Double>
  @inline(__always) var vectorWidth: Int { 4 }
  @inline(__always) var tilePixels: Int { 14 }
#else
  typealias Vector = SIMD4<Float>
  typealias HalfVector = SIMD2<Float>
  typealias HalfDoubles = SIMD2<Double>
  @inline(__always) var vectorWidth: Int { 4 }
  @inline(__always) var tilePixels: Int { 6 }
#endif

/// 24 KiB of weights, beside which the pixels' operands pass through the smallest first-level cache there is, of 32 KiB.
@inline(__always) var panelSegments: Int { max(1, (24 << 10) / (vectorWidth * 2 * vectorWidth * 4)) }

/// A tile of the widest vectors lasts long enough for the core's own prefetching; asking for each of its pixels' lines again
/// costs 3 to 6 % of the time.
@inline(__always) var fetchesWhatIsNear: Bool { vectorWidth < 16 }

/// x·w + a, rounded once where the instruction set has FMA; without it that would be a library call per lane.
@inline(__always)
func fma(_ x: Vector, _ w: Vector, _ a: Vector) -> Vector { assay_fma(x, w, a) }

/// The same in double precision.
@inline(__always)
func fma(_ x: HalfDoubles, _ w: Double, _ a: HalfDoubles) -> HalfDoubles {
  assay_fma_half_doubles(x, HalfDoubles(repeating: w), a)
}

@inline(__always)
func load(_ p: UnsafePointer<Float>) -> Vector { assay_load(p) }

/// One number in every lane.
@inline(__always)
func broadcast(_ p: UnsafePointer<Float>) -> Vector { assay_broadcast(p) }

@inline(__always)
func store(_ v: Vector, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: v, as: Vector.self)
}

/// The first lanes of a vector; the others are zero, and are not read.
@inline(__always)
func loadLanes(_ p: UnsafePointer<Float>, _ lanes: Int) -> Vector {
  var v = Vector.zero
  for lane in 0..<lanes { v[lane] = p[lane] }
  return v
}

/// In one instruction: the standard library's goes lane by lane, and stays so.
@inline(__always)
func squareRoot(_ v: Vector) -> Vector { assay_square_root(v) }

/// max(v, 0) lane by lane; NaN stays NaN.
@inline(__always)
func positive(_ v: Vector) -> Vector { assay_positive(v) }

/// Asks for the cache line at an address that will be read soon; the address need not be valid.
@inline(__always)
func prefetch(_ p: UnsafePointer<Float>) { assay_prefetch(p) }

/// The same for what will be read later, which may wait in the second-level cache.
@inline(__always)
func prefetchLater(_ p: UnsafePointer<Float>) { assay_prefetch_later(p) }

/// The same a page of memory on: the core's own prefetching begins anew in each.
@inline(__always)
func prefetchNextPage(_ p: UnsafePointer<Float>) { prefetchLater(p + 1024) }

/// Arithmetic as one instruction: that of the standard library goes lane by lane, and the optimiser has to find out what it is.
extension Vector {
  @inline(__always)
  static func + (left: Self, right: Self) -> Self { assay_add(left, right) }

  @inline(__always)
  static func - (left: Self, right: Self) -> Self { assay_subtract(left, right) }

  @inline(__always)
  static func * (left: Self, right: Self) -> Self { assay_multiply(left, right) }

  @inline(__always)
  static func += (left: inout Self, right: Self) { left = left + right }

  @inline(__always)
  static func -= (left: inout Self, right: Self) { left = left - right }

  @inline(__always)
  static func *= (left: inout Self, right: Self) { left = left * right }
}
