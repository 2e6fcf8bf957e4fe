/// What the points of an interpolation are numbers of: exact fractions, or doubles where points may be irrational.
public protocol InterpolationScalar: Equatable, Sendable {
  static var zero: Self { get }
  static var one: Self { get }
  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
}

extension Rational: InterpolationScalar {}

extension Double: InterpolationScalar {
  public static var one: Double { 1 }
}

/// Toom and Cook's matrices of F(m, r): m outputs of an r-tap correlation from n = m + r − 1 products, at n − 1 finite points
/// and infinity.
///
/// - Shapes: Aᵀ m×n, G n×r, Bᵀ n×n. Every division is in G.
/// - Source: Winograd 1980; Lavin and Gray 2016; the construction as in Barabasz et al. 2020.
public struct ToomCook<Scalar: InterpolationScalar>: Sendable, Equatable {
  /// Aᵀ (m×n).
  public let outputTransform: [[Scalar]]
  /// G (n×r).
  public let weightTransform: [[Scalar]]
  /// Bᵀ (n×n).
  public let inputTransform: [[Scalar]]

  /// - Parameters:
  ///   - outputTile: m, at least 1.
  ///   - kernelSize: r, at least 1.
  ///   - points: m + r − 2 that differ; infinity is implied, last.
  public init(outputTile: Int, kernelSize: Int, points: [Scalar]) {
    let inputTile = outputTile + kernelSize - 1
    func power(_ point: Scalar, _ exponent: Int) -> Scalar {
      (0..<exponent).reduce(.one) { product, _ in product * point }
    }
    outputTransform = (0..<outputTile).map { i in
      points.map { power($0, i) } + [i == outputTile - 1 ? .one : .zero]
    }
    let others = points.indices.map { j in points.indices.filter { $0 != j }.map { points[$0] } }
    weightTransform =
      points.indices.map { j in
        let divisor = others[j].reduce(.one) { $0 * (points[j] - $1) }
        return (0..<kernelSize).map { power(points[j], $0) / divisor }
      } + [(0..<kernelSize).map { $0 == kernelSize - 1 ? .one : .zero }]
    inputTransform = (others + [points]).map { roots in
      let coefficients = Self.polynomial(roots: roots)
      return coefficients + Array(repeating: .zero, count: inputTile - coefficients.count)
    }
  }

  /// Coefficients of Π(x − root), lowest power first.
  private static func polynomial(roots: [Scalar]) -> [Scalar] {
    roots.reduce([.one]) { coefficients, root in
      zip(coefficients + [.zero], [.zero] + coefficients).map { constant, shifted in shifted - root * constant }
    }
  }
}
