import Foundation
import Problems
import Tensors
import Testing

/// The study behind the chosen points: a search by expected error, and float32 error measured on random operands.
@Suite("Winograd interpolation points")
struct WinogradPointsTests {
  @Test("F(4): the chosen points have less than half the textbook's error; no pair of sixteenths is notably better")
  func four() throws {
    let chosen = measure(.f4)
    let textbook = measure(try matrices(4, [1, -1, 2, -2].map(Rational.init(_:))))
    let mixed = measure(
      try WinogradMatrices(outputTile: 4, points: [.zero, .one, Rational(-1), Rational(1, 2), Rational(-2)]))
    let thirds = measure(try matrices(4, [Rational(2, 3), Rational(-2, 3), Rational(3, 2), Rational(-3, 2)]))
    print("F(4) rms, worst: 0 ±1 ±2 \(textbook), 0 1 −1 ½ −2 \(mixed), 0 ±⅔ ±3/2 \(thirds), chosen \(chosen)")
    #expect(chosen.rms < 0.5 * textbook.rms)
    #expect(chosen.rms < 0.75 * mixed.rms)
    let best = try bestSymmetric(tile: 4, grid: (4...40).map { Rational($0, 16) }).map {
      (points: $0, error: measure($0))
    }
    for candidate in best { print("F(4)", candidate.points.points.map(\.description), candidate.error) }
    #expect(chosen.rms <= 1.05 * (best.map(\.error.rms).min() ?? 0))
  }

  @Test("F(6): no triple of eighths is notably better than ±½, ±1, ±2")
  func six() throws {
    let chosen = measure(.f6)
    let integers = measure(try matrices(6, [1, -1, 2, -2, 3, -3].map(Rational.init(_:))))
    print("F(6) rms, worst: 0 ±1 ±2 ±3 \(integers), chosen \(chosen)")
    #expect(chosen.rms < 0.1 * integers.rms)
    let best = try bestSymmetric(tile: 6, grid: (2...20).map { Rational($0, 8) }).map {
      (points: $0, error: measure($0))
    }
    for candidate in best { print("F(6)", candidate.points.points.map(\.description), candidate.error) }
    #expect(chosen.rms <= 1.05 * (best.map(\.error.rms).min() ?? 0))
  }

  private func matrices(_ tile: Int, _ points: [Rational]) throws -> WinogradMatrices {
    try WinogradMatrices(outputTile: tile, points: [.zero] + points)
  }

  /// The eight sets 0, ±p, ±q … from a grid in [¼, 2½] with the least expected error.
  private func bestSymmetric(tile: Int, grid: [Rational]) throws -> [WinogradMatrices] {
    var sets: [[Rational]] = [[]]
    for _ in 0..<tile / 2 {
      sets = sets.flatMap { set in
        grid.filter { $0.doubleValue > (set.last?.doubleValue ?? 0) }.map { set + [$0] }
      }
    }
    return try sets.map { set in
      let candidate = try matrices(tile, set.flatMap { [$0, -$0] })
      return (candidate, expectedError(candidate))
    }.sorted { $0.1 < $1.1 }.prefix(8).map(\.0)
  }

  /// The statistical bound's variance for independent operands of unit variance, 64 channels.
  private func expectedError(_ matrices: WinogradMatrices) -> Double {
    func rows(_ matrix: [[Rational]], _ norm: ([Double]) -> Double) -> [Double] {
      matrix.map { norm($0.map(\.doubleValue)) }
    }
    let squares = { (row: [Double]) in row.reduce(0) { $0 + $1 * $1 } }
    // E|x| = 0.8 for a normal variable.
    let magnitudes = { (row: [Double]) in 0.64 * pow(row.reduce(0) { $0 + abs($1) }, 2) }
    let (g, b) = (rows(matrices.weightTransform, squares), rows(matrices.inputTransform, squares))
    let inputMagnitude = rows(matrices.inputTransform, magnitudes)
    return matrices.outputTransform.flatMap { p in
      matrices.outputTransform.map { q in
        var sum = 0.0
        for i in 0..<g.count {
          for j in 0..<g.count {
            let variance = g[i] * g[j] * (inputMagnitude[i] * inputMagnitude[j] + 64 / 3 * b[i] * b[j])
            sum += pow(p[i].doubleValue * q[j].doubleValue, 2) * variance
          }
        }
        return sum
      }
    }.max() ?? 0
  }

  private struct MeasuredError: CustomStringConvertible {
    let rms: Double
    let worst: Double
    var description: String { String(format: "%.3f %.1f", rms, worst) }
  }

  /// Error in float32 as a multiple of 2⁻²⁴·√K·sqrt(Σ(w·x)²), K = 9·64; weights transformed in Double, the rest in `Float`.
  private func measure(_ matrices: WinogradMatrices) -> MeasuredError {
    let (channels, n, m) = (64, matrices.inputTile, matrices.outputTile)
    let b = matrices.inputTransform.map { $0.map { Float($0.doubleValue) } }
    let a = matrices.outputTransform.map { $0.map { Float($0.doubleValue) } }
    let g = matrices.weightTransform.map { $0.map(\.doubleValue) }
    var generator = SplitMix64(seed: 42)
    var (sum, worst, count) = (0.0, 0.0, 0)
    for _ in 0..<16384 / (m * m) {
      var products = [[Float]](repeating: [Float](repeating: 0, count: n), count: n)
      var exact = [[Double]](repeating: [Double](repeating: 0, count: m), count: m)
      var squares = exact
      for _ in 0..<channels {
        let w = (0..<3).map { _ in (0..<3).map { _ in Double(Float(generator.nextUniform() * 2 - 1)) } }
        let d = (0..<n).map { _ in (0..<n).map { _ in Float(generator.nextUniform() * 2 - 1) } }
        let u = sandwich(g, w)
        let v = sandwich(b, d)
        for i in 0..<n { for j in 0..<n { products[i][j] += Float(u[i][j]) * v[i][j] } }
        for i in 0..<m * m {
          for tap in 0..<9 {
            let term = w[tap / 3][tap % 3] * Double(d[i / m + tap / 3][i % m + tap % 3])
            exact[i / m][i % m] += term
            squares[i / m][i % m] += term * term
          }
        }
      }
      let y = sandwich(a, products)
      for i in 0..<m {
        for j in 0..<m {
          let scale = 0x1p-24 * (Double(9 * channels) * squares[i][j]).squareRoot()
          let error = abs(Double(y[i][j]) - exact[i][j]) / scale
          sum += error * error
          worst = max(worst, error)
          count += 1
        }
      }
    }
    return MeasuredError(rms: (sum / Double(count)).squareRoot(), worst: worst)
  }

  private func sandwich<T: FloatingPoint>(_ left: [[T]], _ x: [[T]]) -> [[T]] {
    let half = left.map { row in x[0].indices.map { j in row.indices.reduce(T(0)) { $0 + row[$1] * x[$1][j] } } }
    return half.map { row in left.map { other in row.indices.reduce(T(0)) { $0 + row[$1] * other[$1] } } }
  }
}
