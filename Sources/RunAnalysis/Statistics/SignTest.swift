/// The sign test: is the median beyond a margin? It asks only which side each sample is on, so no drift or outlier of the
/// machine can make it say more than the number of samples allows.
public enum SignTest {
  /// p of the one-sided test of "the median is at most `margin`": P(Bin(n, ½) ≥ #{d > margin}).
  ///
  /// A sample exactly on the margin speaks for the hypothesis, which errs towards no alarm. Without samples p is 1.
  public static func pValue(above margin: Double, _ differences: some Collection<Double>) -> Double {
    BinomialTail.atLeast(differences.count { $0 > margin }, trials: differences.count)
  }

  /// p of the one-sided test of "the median is at least `margin`".
  public static func pValue(below margin: Double, _ differences: some Collection<Double>) -> Double {
    BinomialTail.atLeast(differences.count { $0 < margin }, trials: differences.count)
  }

  /// The fewest samples beyond the margin that give p ≤ `level`; `nil` when not even all of them do (n = 3 at 5 %).
  public static func criticalCount(trials n: Int, level: Double) -> Int? {
    (0...n).first { BinomialTail.atLeast($0, trials: n) <= level }
  }
}
