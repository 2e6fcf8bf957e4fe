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

/// x·w + a, rounded once where the instruction set has FMA.
@inline(__always)
func fma<V: SIMD>(_ x: V, _ w: V, _ a: V) -> V where V.Scalar == Float {
  #if KERNELS_PORTABLE
    return a + x * w
  #else
    return a.addingProduct(x, w)
  #endif
}

/// What is done to some channels of a row.
protocol LaneWork {
  /// - Parameters:
  ///   - type: the vector.
  ///   - first: the first of the channels.
  ///   - lanes: how many there are, at most the vector's.
  func run<V: SIMD>(_ type: V.Type, _ first: Int, _ lanes: Int) where V.Scalar == Float
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
