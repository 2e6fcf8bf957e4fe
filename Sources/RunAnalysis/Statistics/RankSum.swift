import Foundation

/// The two-sided rank-sum test of Mann and Whitney: whether one of two samples lies higher. It assumes no distribution, and an
/// outlier counts as one value, however far out it lies.
public enum RankSum {
  /// Up to so many pairs the distribution is counted out; beyond, and where values are equal, it is taken as normal.
  private static let mostCounted = 200

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
  private static func atMost(_ limit: Int, _ n: Int, _ m: Int) -> Double {
    // ways[k][u]: choices of k of the ranks so far with u pairs the other way round.
    var ways = [[Double]](repeating: [Double](repeating: 0, count: n * m + 1), count: n + 1)
    ways[0][0] = 1
    for rank in 0..<(n + m) {
      for chosen in stride(from: min(n, rank + 1), through: 1, by: -1) {
        // Those not chosen among the ranks before this one.
        let passed = rank - (chosen - 1)
        guard passed <= m else { continue }
        for pairs in stride(from: n * m, through: passed, by: -1) {
          ways[chosen][pairs] += ways[chosen - 1][pairs - passed]
        }
      }
    }
    let all = ways[n].reduce(0, +)
    return ways[n].prefix(limit + 1).reduce(0, +) / all
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
