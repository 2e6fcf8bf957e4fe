/// Multiply-adds on registers alone: what the arithmetic units can do. 12 independent chains hide the latency.
/// - Returns: the flop done, iterations·24·V.
@inline(never)
func peak(_ iterations: Int) -> Int {
  let x = Vector(repeating: 0.999)
  let w = Vector(repeating: 0.001)
  var a0 = Vector(repeating: 1), a1 = Vector(repeating: 2), a2 = Vector(repeating: 3), a3 = Vector(repeating: 4)
  var a4 = Vector(repeating: 5), a5 = Vector(repeating: 6), a6 = Vector(repeating: 7), a7 = Vector(repeating: 8)
  var a8 = Vector(repeating: 9), a9 = Vector(repeating: 10), a10 = Vector(repeating: 11), a11 = Vector(repeating: 12)
  var i = 0
  while i < iterations {
    a0 = fma(a0, x, w)
    a1 = fma(a1, x, w)
    a2 = fma(a2, x, w)
    a3 = fma(a3, x, w)
    a4 = fma(a4, x, w)
    a5 = fma(a5, x, w)
    a6 = fma(a6, x, w)
    a7 = fma(a7, x, w)
    a8 = fma(a8, x, w)
    a9 = fma(a9, x, w)
    a10 = fma(a10, x, w)
    a11 = fma(a11, x, w)
    i += 1
  }
  let s = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11
  // The result is used, so that no chain can be dropped.
  return s.sum().isNaN ? 0 : iterations * 24 * vectorWidth
}
