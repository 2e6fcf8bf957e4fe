import RealModule
import Tensors
import Testing

@Suite struct DualTests {
  /// d/dx of x·exp(x)/√x − log(x) at x = 2, by hand: eˣ(√x + 1/(2√x)) − 1/x.
  @Test func compositeDerivative() {
    let x = Dual<Double>(value: 2, tangent: SIMD8(1, -3, 0, 0, 0, 0, 0, 0))
    let y = x * Dual.exp(x) / x.squareRoot() - Dual.log(x)
    let slope = Double.exp(2) * (2.0.squareRoot() + 0.5 / 2.0.squareRoot()) - 0.5
    #expect(abs(y.tangent[0] - slope) < 64 * Double.unitRoundoff * abs(slope))
    #expect(abs(y.tangent[1] + 3 * slope) < 192 * Double.unitRoundoff * abs(slope))
    #expect(y.tangent[2] == 0)
  }

  @Test func orderLooksAtTheValueAlone() {
    let a = Dual<Double>(value: 1, tangent: SIMD8(repeating: 5))
    #expect(a == Dual(1.0) && !(a < Dual(1.0)))
  }
}
