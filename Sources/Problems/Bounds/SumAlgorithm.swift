/// How a sum of products is computed, as far as rounding sees it: which bound holds.
public enum SumAlgorithm: Hashable, Sendable, Codable {
  /// Term by term, in any order: direct, im2col and gemm alike.
  case terms
  /// Winograd's F(tile×tile) where it applies, term by term elsewhere.
  case winograd(outputTile: Int)

  /// What an engine calls it.
  public var name: String {
    switch self {
    case .terms: "terms"
    case .winograd(let outputTile): "winograd\(outputTile)"
    }
  }

  /// The algorithm that an engine names (`direct`, `winograd4`).
  public init(named name: some StringProtocol) {
    let digits = name.hasPrefix("winograd") ? Int(name.dropFirst(8)) : nil
    self = digits.map { .winograd(outputTile: $0) } ?? .terms
  }
}
