import Foundation

/// The two-sided rank-sum test of Mann and Whitney: whether one of two samples lies higher. It assumes no distribution, and an
/// outlier counts as one value, however far out it lies.
public enum RankSum {
  /// Up to so many pairs, those of the largest windows of ``ChangePoints``, the distribution is counted out; beyond, and where values are equal, it is taken as normal.
  private static let mostCounted = 900

  /// - Returns: the probability of ranks at least as uneven as these between two samples of one distribution; 1 of none.
  public static func pValue(_ first: [Double], _ second: [Double]) -> Double {
    let (n, m) = (first.count, second.count)
    guard n > 0, m > 0 else { return 1 }
    // U: pairs in which the first is larger; of equal ones, half.
    var larger = 0.0
    var hasTies = false
    for a in first {
      for b in second {
        if a > b {
          larger += 1
        } else if a == b {
          larger += 0.5
          hasTies = true
        }
      }
    }
    let smaller = min(larger, Double(n * m) - larger)
    if !hasTies, n * m <= mostCounted { return min(1, 2 * atMost(Int(smaller), n, m)) }
    let variance = variance(first + second, n, m)
    guard variance > 0 else { return 1 }
    let distance = max(0, Double(n * m) / 2 - smaller - 0.5)
    return min(1, erfc(distance / (2 * variance).squareRoot()))
  }

  /// The smallest value that samples of these sizes can have: all of one above all of the other.
  public static func smallest(_ n: Int, _ m: Int) -> Double {
    guard n > 0, m > 0 else { return 1 }
    // 2 by the number of choices, factor by factor: it neither overflows nor loses its digits.
    return min(1, (1...min(n, m)).reduce(2.0) { $0 * Double($1) / Double(max(n, m) + $1) })
  }

  /// P(U ≤ u): of all ways to choose n ranks from n + m, those whose sum is so small.
  ///
  /// There are as many with U = u as the polynomial ∏ (1 − x^(m+i)) / (1 − x^i), i = 1…n, has x^u. After each factor its
  /// coefficients are whole numbers, and of so few pairs none is above 2^53: they are exact.
  private static func atMost(_ limit: Int, _ n: Int, _ m: Int) -> Double {
    var ways = [Double](repeating: 0, count: limit + 1)
    ways[0] = 1
    var all = 1.0
    for part in 1...n {
      for pairs in stride(from: limit, through: m + part, by: -1) { ways[pairs] -= ways[pairs - m - part] }
      for pairs in stride(from: part, through: limit, by: 1) { ways[pairs] += ways[pairs - part] }
      all = all * Double(m + part) / Double(part)
    }
    return ways.reduce(0, +) / all
  }

  /// Of U under one distribution, with the correction for equal values.
  private static func variance(_ all: [Double], _ n: Int, _ m: Int) -> Double {
    let count = Double(n + m)
    guard count > 1 else { return 0 }
    let ties = Dictionary(grouping: all) { $0 }.values.sorted { $0.count < $1.count }.reduce(0.0) { sum, equal in
      let t = Double(equal.count)
      return sum + (t * t * t - t)
    }
    return Double(n * m) / 12 * (count + 1 - ties / (count * (count - 1)))
  }
}
