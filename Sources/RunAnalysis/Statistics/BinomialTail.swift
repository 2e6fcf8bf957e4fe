/// Exact tails of the binomial distribution with n trials, in double precision.
///
/// Every term is built from its neighbour by a ratio, so nothing overflows for the few hundred trials that a gate has.
public enum BinomialTail {
  /// P(X = k) for X ~ Bin(n, p).
  /// - Requires: n ≥ 0 and 0 ≤ p ≤ 1.
  public static func probability(of k: Int, trials n: Int, success p: Double = 0.5) -> Double {
    precondition(n >= 0 && (0...1).contains(p), "a binomial needs n ≥ 0 and 0 ≤ p ≤ 1")
    guard k >= 0, k <= n else { return 0 }
    // C(n, k)·p^k·(1 − p)^(n − k), the factors interleaved so that the product stays near 1.
    var result = 1.0
    var (powersOfP, powersOfQ) = (k, n - k)
    for i in 0..<min(k, n - k) {
      result *= Double(n - i) / Double(i + 1)
      while result > 1, powersOfP > 0 { (result, powersOfP) = (result * p, powersOfP - 1) }
      while result > 1, powersOfQ > 0 { (result, powersOfQ) = (result * (1 - p), powersOfQ - 1) }
    }
    for _ in 0..<powersOfP { result *= p }
    for _ in 0..<powersOfQ { result *= 1 - p }
    return result
  }

  /// P(X ≥ k).
  public static func atLeast(_ k: Int, trials n: Int, success p: Double = 0.5) -> Double {
    guard k > 0 else { return 1 }
    guard k <= n else { return 0 }
    // From the far end inwards: the small terms are added first.
    return min(1, stride(from: n, through: k, by: -1).reduce(0) { $0 + probability(of: $1, trials: n, success: p) })
  }

  /// P(X ≤ k).
  public static func atMost(_ k: Int, trials n: Int, success p: Double = 0.5) -> Double {
    guard k < n else { return 1 }
    guard k >= 0 else { return 0 }
    return min(1, (0...k).reduce(0) { $0 + probability(of: $1, trials: n, success: p) })
  }
}
