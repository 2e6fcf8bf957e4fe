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

/// Σ x[xStart + i]·y[yStart + i] for i < count, as four interleaved sums: one chain of additions would wait for each one's latency.
@inline(__always)
func dot<Scalar: RealScalar>(
  _ x: Span<Scalar>, at xStart: Int, _ y: Span<Scalar>, at yStart: Int, count: Int
) -> Scalar {
  let x = x.extracting(xStart..<xStart + count)
  let y = y.extracting(yStart..<yStart + count)
  precondition(x.count == count && y.count == count)
  var (sum0, sum1, sum2, sum3): (Scalar, Scalar, Scalar, Scalar) = (0, 0, 0, 0)
  var i = 0
  while i + 4 <= count {
    sum0 += x[i] * y[i]
    sum1 += x[i + 1] * y[i + 1]
    sum2 += x[i + 2] * y[i + 2]
    sum3 += x[i + 3] * y[i + 3]
    i += 4
  }
  while i < count {
    sum0 += x[i] * y[i]
    i += 1
  }
  return (sum0 + sum1) + (sum2 + sum3)
}
