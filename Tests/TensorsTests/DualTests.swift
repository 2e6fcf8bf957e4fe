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

  /// tanh′ = 1/cosh² and erfc′ = −2/√π·exp(−x²), at values where a difference from 1 would cancel, too.
  @Test(arguments: [-20.0, -3, -0.5, 0, 0.25, 2, 9])
  func hyperbolicAndErrorFunctions(at value: Double) {
    let x = Dual<Double>(value: value, tangent: SIMD8(repeating: 1))
    let (tanh, erfc) = (Dual.tanh(x), Dual.erfc(x))
    let slope = 1 / (Double.cosh(value) * Double.cosh(value))
    #expect(tanh.value == Double.tanh(value) && abs(tanh.tangent[0] - slope) <= 16 * Double.unitRoundoff * slope)
    let density = -2 / Double.pi.squareRoot() * Double.exp(-value * value)
    #expect(erfc.value == Double.erfc(value))
    #expect(abs(erfc.tangent[0] - density) <= (4 + 2 * value * value) * Double.unitRoundoff * abs(density))
  }
}
