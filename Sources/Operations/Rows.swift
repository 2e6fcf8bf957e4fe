import Tensors

// The two inner loops of everything that is a sum of products. Each checks its bounds once, before the loop.

/// y[yStart + i] += a·x[xStart + i] for i < count.
@inline(__always)
func addMultiple<Scalar: RealScalar>(
  _ a: Scalar, _ x: Span<Scalar>, at xStart: Int, to y: inout MutableSpan<Scalar>, at yStart: Int, count: Int
) {
  let xRow = x.extracting(xStart..<xStart + count)
  var yRow = y._mutatingExtracting(yStart..<yStart + count)
  precondition(xRow.count == count && yRow.count == count)
  for i in 0..<count { yRow[i] += a * xRow[i] }
}

/// Σ x[xStart + i]·y[yStart + i] for i < count, as eight interleaved sums: one chain of additions would wait for each
/// one's latency.
@inline(__always)
func dot<Scalar: RealScalar>(
  _ x: Span<Scalar>, at xStart: Int, _ y: Span<Scalar>, at yStart: Int, count: Int
) -> Scalar {
  let x = x.extracting(xStart..<xStart + count)
  let y = y.extracting(yStart..<yStart + count)
  precondition(x.count == count && y.count == count)
  var sums = InlineArray<8, Scalar>(repeating: 0)
  var i = 0
  while i + 8 <= count {
    for lane in 0..<8 { sums[lane] += x[i + lane] * y[i + lane] }
    i += 8
  }
  while i < count {
    sums[0] += x[i] * y[i]
    i += 1
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
}
