extension WinogradMatrices {
  /// F(2, 3) with 0, ±1, ∞: every entry is 0, ±1 or ±½, so sums of dyadic integers stay exact.
  public static let f2 = WinogradMatrices(constructing: 2, 3, [Rational(0)] + signed([Rational(1)]))

  /// F(4, 3) with 0, ±5/8, ±3/2, ∞.
  ///
  /// Points that come as ±p share their even and odd parts (12 multiply-adds for six values), dyadic ones keep Aᵀ and Bᵀ
  /// exact, and pairs of product near one keep the powers p⁰ … p³ near one. `WinogradPointsTests` searches those pairs and
  /// measures float32 error, as a multiple of the direct scale 2⁻²⁴·√K·sqrt(Σ(w·x)²), over 64 channels (root mean square,
  /// and the worst of 16,384 outputs):
  ///
  /// | points | rms | worst |
  /// | --- | --- | --- |
  /// | 0, ±1, ±2 (the textbook's) | 1.19 | 12.8 |
  /// | 0, 1, −1, ½, −2 | 0.77 | 5.6 |
  /// | 0, ±⅔, ±3/2 | 0.54 | 3.4 |
  /// | 0, ±11/16, ±23/16 (least expected error of all pairs of sixteenths) | 0.54 | 3.7 |
  /// | 0, ±5/8, ±3/2 | 0.54 | 5.2 |
  public static let f4 = WinogradMatrices(constructing: 4, 3, [Rational(0)] + signed([Rational(5, 8), Rational(3, 2)]))

  /// F(6, 3) with 0, ±½, ±1, ±2, ∞: among the 969 triples of eighths in [¼, 2½] the one with the least expected error, and
  /// of the best eight the one with the least measured, as above:
  ///
  /// | points | rms | worst |
  /// | --- | --- | --- |
  /// | 0, ±1, ±2, ±3 | 125 | 3375 |
  /// | 0, ±9/16, ±1, ±7/4 | 2.61 | 20.5 |
  /// | 0, ±½, ±1, ±2 | 2.36 | 22.4 |
  public static let f6 = WinogradMatrices(
    constructing: 6, 3, [Rational(0)] + signed([Rational(1, 2), Rational(1), Rational(2)]))

  /// The chosen matrices of F(m×m, 3×3): m is 2, 4 or 6, else nil.
  public static func chosen(outputTile: Int) -> WinogradMatrices? {
    switch outputTile {
    case 2: f2
    case 4: f4
    case 6: f6
    default: nil
    }
  }

  private static func signed(_ points: [Rational]) -> [Rational] { points.flatMap { [$0, -$0] } }
}
