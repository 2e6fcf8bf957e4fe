import CShims

// Rows of pixels whose blocks may be narrower than a vector: whole vectors where they are not, and four channels at a time, or
// what is left of them, where they are.

@inline(__always)
func load<V: SIMD>(_ p: UnsafePointer<Float>, as: V.Type, _ lanes: Int) -> V where V.Scalar == Float {
  if lanes == V.scalarCount { return UnsafeRawPointer(p).loadUnaligned(as: V.self) }
  var v = V(repeating: 0)
  for lane in 0..<lanes { v[lane] = p[lane] }
  return v
}

@inline(__always)
func store<V: SIMD>(_ v: V, _ p: UnsafeMutablePointer<Float>, _ lanes: Int) where V.Scalar == Float {
  if lanes == V.scalarCount {
    UnsafeMutableRawPointer(p).storeBytes(of: v, as: V.self)
  } else {
    for lane in 0..<lanes { p[lane] = v[lane] }
  }
}

/// A vector of which some channels of a row fill all or the first lanes. What compares is written for each vector: the generic
/// comparisons of the standard library go lane by lane.
protocol RowVector: SIMD where Scalar == Float {
  /// x·w + a, rounded once where the instruction set has FMA.
  static func fma(_ x: Self, _ w: Self, _ a: Self) -> Self
  /// The vector with 0 where the gate is ≤ 0.
  func gated(by gate: Self) -> Self
  /// Takes a value in that is larger than the best so far, or NaN, and notes whose it was.
  static func take(_ value: Self, of tap: Float, _ best: inout Self, _ winner: inout Self)
  /// The vector where the winner is this one, else 0.
  func share(of tap: Float, winner: Self) -> Self
}

extension Vector: RowVector {
  @inline(__always)
  static func fma(_ x: Self, _ w: Self, _ a: Self) -> Self { assay_fma(x, w, a) }

  @inline(__always)
  func gated(by gate: Self) -> Self { replacing(with: 0, where: gate .<= 0) }

  @inline(__always)
  static func take(_ value: Self, of tap: Float, _ best: inout Self, _ winner: inout Self) {
    let isLarger = (value .> best) .| (value .!= value)
    best.replace(with: value, where: isLarger)
    winner.replace(with: tap, where: isLarger)
  }

  @inline(__always)
  func share(of tap: Float, winner: Self) -> Self { replacing(with: 0, where: winner .!= tap) }
}

#if KERNELS_AVX512 || KERNELS_AVX2
  extension SIMD4<Float>: RowVector {
    @inline(__always)
    static func fma(_ x: Self, _ w: Self, _ a: Self) -> Self { assay_fma_quad(x, w, a) }

    @inline(__always)
    func gated(by gate: Self) -> Self { replacing(with: 0, where: gate .<= 0) }

    @inline(__always)
    static func take(_ value: Self, of tap: Float, _ best: inout Self, _ winner: inout Self) {
      let isLarger = (value .> best) .| (value .!= value)
      best.replace(with: value, where: isLarger)
      winner.replace(with: tap, where: isLarger)
    }

    @inline(__always)
    func share(of tap: Float, winner: Self) -> Self { replacing(with: 0, where: winner .!= tap) }
  }
#endif

/// What is done to some channels of a row.
protocol LaneWork {
  /// - Parameters:
  ///   - type: the vector.
  ///   - first: the first of the channels.
  ///   - lanes: how many there are, at most the vector's.
  func run<V: RowVector>(_ type: V.Type, _ first: Int, _ lanes: Int)
}

@inline(__always)
func forEachLanes(_ block: Int, _ work: some LaneWork) {
  if block == vectorWidth {
    work.run(Vector.self, 0, vectorWidth)
    return
  }
  var first = 0
  while first < block {
    work.run(SIMD4<Float>.self, first, min(4, block - first))
    first += 4
  }
}
