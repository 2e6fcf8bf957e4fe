/// Exact tails of the binomial distribution with n trials, in double precision.
///
/// Every term is built from its neighbour by a ratio, so nothing overflows for the hundreds of trials that a gate has.
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
    return min(1, sum(k...n, trials: n, success: p))
  }

  /// P(X ≤ k).
  public static func atMost(_ k: Int, trials n: Int, success p: Double = 0.5) -> Double {
    guard k < n else { return 1 }
    guard k >= 0 else { return 0 }
    return min(1, sum(0...k, trials: n, success: p))
  }

  /// From the likeliest of them outwards, each from its neighbour, so that none is lost below the smallest number; then added
  /// from both ends inwards, the small terms first.
  private static func sum(_ range: ClosedRange<Int>, trials n: Int, success p: Double) -> Double {
    guard p > 0, p < 1 else { return range.contains(p > 0 ? n : 0) ? 1 : 0 }
    let mode = min(max(Int(Double(n + 1) * p), range.lowerBound), range.upperBound)
    let highest = probability(of: mode, trials: n, success: p)
    let odds = p / (1 - p)
    var (above, below) = ([Double](), [Double]())
    var term = highest
    for i in mode..<range.upperBound {
      term = term * Double(n - i) * odds / Double(i + 1)
      above.append(term)
    }
    term = highest
    for i in stride(from: mode, to: range.lowerBound, by: -1) {
      term = term * Double(i) / odds / Double(n - i + 1)
      below.append(term)
    }
    return above.reversed().reduce(0, +) + below.reversed().reduce(0, +) + highest
  }
}
