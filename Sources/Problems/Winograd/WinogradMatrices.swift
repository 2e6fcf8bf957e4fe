/// The matrices of Winograd's minimal filtering F(m, r): m outputs of an r-tap correlation with n = m + r − 1
/// multiplications, from n − 1 finite interpolation points and the point at infinity.
///
///     y = Aᵀ[(G g) ∘ (Bᵀ d)]        in two dimensions   Y = Aᵀ[(G g Gᵀ) ∘ (Bᵀ d B)] A
///
/// - Shapes: Aᵀ m×n, G n×r, Bᵀ n×n. All entries are exact; ``satisfiesIdentity`` proves them right.
/// - Aᵀ and Bᵀ hold the products of the points alone and are exact in float32 for dyadic points; every division is in G,
///   whose product with the weights is computed once and in Double.
/// - The same trilinear form gives the other two gradients: the input's by a correlation with the turned weights, the
///   weight's as dW = Gᵀ[Σ (A dy Aᵀ) ∘ (Bᵀ x B)]G.
/// - Source: Winograd 1980; Lavin and Gray 2016; Toom and Cook's construction as in Barabasz et al. 2020.
public struct WinogradMatrices: Sendable, Equatable {
  /// m, outputs of a tile in one dimension.
  public let outputTile: Int
  /// r, taps in one dimension.
  public let kernelSize: Int
  /// The finite points; infinity is implied, last.
  public let points: [Rational]
  /// Aᵀ (m×n).
  public let outputTransform: [[Rational]]
  /// G (n×r).
  public let weightTransform: [[Rational]]
  /// Bᵀ (n×n).
  public let inputTransform: [[Rational]]

  /// n, inputs of a tile in one dimension.
  public var inputTile: Int { outputTile + kernelSize - 1 }

  /// - Throws: ``WinogradMatricesError`` for a tile or kernel below 1, a wrong number of points, or points that are equal or
  ///   too large to be handled exactly.
  public init(outputTile: Int, kernelSize: Int = 3, points: [Rational]) throws(WinogradMatricesError) {
    guard outputTile >= 1, kernelSize >= 1, outputTile <= 64, kernelSize <= 64 else {
      throw .impossibleSize(outputTile: outputTile, kernelSize: kernelSize)
    }
    guard points.count == outputTile + kernelSize - 2 else {
      throw .wrongPointCount(expected: outputTile + kernelSize - 2, found: points.count)
    }
    for (index, point) in points.enumerated() where points[..<index].contains(point) { throw .equalPoints(point) }
    self.init(constructing: outputTile, kernelSize, points)
    guard satisfiesIdentity else { throw .notExact(points) }
  }

  /// The same with another G: how the self-test makes a Winograd convolution that is wrong.
  package func replacing(weightTransform: [[Rational]]) -> WinogradMatrices {
    WinogradMatrices(self, weightTransform: weightTransform)
  }

  private init(_ matrices: WinogradMatrices, weightTransform: [[Rational]]) {
    outputTile = matrices.outputTile
    kernelSize = matrices.kernelSize
    points = matrices.points
    outputTransform = matrices.outputTransform
    self.weightTransform = weightTransform
    inputTransform = matrices.inputTransform
  }

  init(constructing outputTile: Int, _ kernelSize: Int, _ points: [Rational]) {
    self.outputTile = outputTile
    self.kernelSize = kernelSize
    self.points = points
    let matrices = ToomCook(outputTile: outputTile, kernelSize: kernelSize, points: points)
    outputTransform = matrices.outputTransform
    weightTransform = matrices.weightTransform
    inputTransform = matrices.inputTransform
  }

  /// The defining identity, exactly: Σⱼ Aᵀ[i][j]·G[j][k]·Bᵀ[j][l] = 1 where l = i + k, else 0.
  public var satisfiesIdentity: Bool {
    Self.isFiltering(output: outputTransform, weight: weightTransform, input: inputTransform)
  }

  /// Whether three matrices (m×n, n×r, n×n) compute a correlation: the identity for matrices from anywhere.
  public static func isFiltering(output: [[Rational]], weight: [[Rational]], input: [[Rational]]) -> Bool {
    for (i, outputRow) in output.enumerated() {
      for k in weight.first?.indices ?? 0..<0 {
        for l in input.first?.indices ?? 0..<0 {
          var sum = Rational.zero
          for j in input.indices { sum = sum + outputRow[j] * weight[j][k] * input[j][l] }
          guard sum == (l == i + k ? .one : .zero) else { return false }
        }
      }
    }
    return true
  }

  /// True where float32 holds Aᵀ and Bᵀ exactly, so that the transforms at run time round only in their arithmetic.
  public var hasExactRuntimeTransforms: Bool {
    (outputTransform + inputTransform).allSatisfy { $0.allSatisfy(\.isExactFloat) }
  }
}

/// Why there are no matrices.
public enum WinogradMatricesError: Error, Equatable, CustomStringConvertible {
  case impossibleSize(outputTile: Int, kernelSize: Int)
  case wrongPointCount(expected: Int, found: Int)
  case equalPoints(Rational)
  /// The exact arithmetic overflowed.
  case notExact([Rational])

  public var description: String {
    switch self {
    case .impossibleSize(let tile, let kernel): "F(m, r): expected m and r of 1 to 64, found F(\(tile), \(kernel))"
    case .wrongPointCount(let expected, let found): "expected m + r − 2 = \(expected) points, found \(found)"
    case .equalPoints(let point): "expected distinct points, found \(point) twice"
    case .notExact(let points): "points too large for exact arithmetic: \(points)"
    }
  }
}
