/// Control of the false discovery rate over many tests.
///
/// - Source: Benjamini and Hochberg 1995, the step-up procedure; adjusted values after Yekutieli and Benjamini 1999.
public enum BenjaminiHochberg {
  /// Adjusted p values in the order given: a test is a discovery at rate q exactly when its adjusted value is ≤ q.
  ///
  ///     p̃₍ᵢ₎ = min over j ≥ i of m·p₍ⱼ₎ / j, at most 1
  public static func adjusted(_ pValues: [Double]) -> [Double] {
    let m = Double(pValues.count)
    let order = pValues.indices.sorted { (pValues[$0], $0) < (pValues[$1], $1) }
    var adjusted = pValues
    var smallest = 1.0
    for (rank, index) in order.enumerated().reversed() {
      smallest = min(smallest, m * pValues[index] / Double(rank + 1))
      adjusted[index] = smallest
    }
    return adjusted
  }

  /// Which tests are discoveries at false discovery rate `q`.
  public static func discoveries(_ pValues: [Double], rate q: Double = 0.05) -> [Bool] {
    adjusted(pValues).map { $0 <= q }
  }
}
