// The inner loop of the oracle's sums of products, compiled once for each instruction set. It is safe Swift with its checks, and adds
// each element's terms one after the other, a rounded product and a rounded sum for each: the same bits on every CPU.

/// Eight columns of a matrix, filters or tiles.
public typealias Lane = SIMD8<Double>

/// sums[r] += Σ_t weights[t][r]·panel[t] for the eight rows r, the terms t in order.
/// - Requires: as many weights as vectors in the panel; eight sums.
public func addProducts(_ weights: Span<Lane>, _ panel: Span<Lane>, to sums: inout MutableSpan<Lane>) {
  #if ORACLE_AVX512
    addRows(weights, panel, &sums)
  #elseif ORACLE_AVX2
    addRows(0, 1, 2, 3, weights, panel, &sums)
    addRows(4, 5, 6, 7, weights, panel, &sums)
  #else
    addRows(0, 1, weights, panel, &sums)
    addRows(2, 3, weights, panel, &sums)
    addRows(4, 5, weights, panel, &sums)
    addRows(6, 7, weights, panel, &sums)
  #endif
}

// As many rows at once as there are registers for their sums. Rows are constants, which the optimiser needs to see.
#if ORACLE_AVX512
  @inline(__always)
  private func addRows(_ weights: Span<Lane>, _ panel: Span<Lane>, _ sums: inout MutableSpan<Lane>) {
    let count = weights.count
    precondition(panel.count == count)
    var (a, b, c, d) = (sums[0], sums[1], sums[2], sums[3])
    var (e, f, g, h) = (sums[4], sums[5], sums[6], sums[7])
    for t in 0..<count {
      let (w, x) = (weights[t], panel[t])
      a += x * w[0]
      b += x * w[1]
      c += x * w[2]
      d += x * w[3]
      e += x * w[4]
      f += x * w[5]
      g += x * w[6]
      h += x * w[7]
    }
    (sums[0], sums[1], sums[2], sums[3]) = (a, b, c, d)
    (sums[4], sums[5], sums[6], sums[7]) = (e, f, g, h)
  }
#elseif ORACLE_AVX2
  @inline(__always)
  private func addRows(
    _ i: Int, _ j: Int, _ k: Int, _ l: Int, _ weights: Span<Lane>, _ panel: Span<Lane>,
    _ sums: inout MutableSpan<Lane>
  ) {
    let count = weights.count
    precondition(panel.count == count)
    var (a, b, c, d) = (sums[i], sums[j], sums[k], sums[l])
    for t in 0..<count {
      let (w, x) = (weights[t], panel[t])
      a += x * w[i]
      b += x * w[j]
      c += x * w[k]
      d += x * w[l]
    }
    (sums[i], sums[j], sums[k], sums[l]) = (a, b, c, d)
  }
#else
  @inline(__always)
  private func addRows(
    _ i: Int, _ j: Int, _ weights: Span<Lane>, _ panel: Span<Lane>, _ sums: inout MutableSpan<Lane>
  ) {
    let count = weights.count
    precondition(panel.count == count)
    var (a, b) = (sums[i], sums[j])
    for t in 0..<count {
      let (w, x) = (weights[t], panel[t])
      a += x * w[i]
      b += x * w[j]
    }
    (sums[i], sums[j]) = (a, b)
  }
#endif
