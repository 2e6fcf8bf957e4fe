import Tensors

/// How a sum of products is computed, as far as rounding sees it: which bound holds.
public enum SumAlgorithm: Hashable, Sendable, Codable {
  /// Term by term, in any order: direct, im2col and gemm alike.
  case terms
  /// Winograd's F(m×m, r×r) where it applies, term by term elsewhere.
  case winograd(WinogradTile)
  /// Matrix products by Strassen's algorithm or Winograd's variant of it, at most so many levels deep, where they are large
  /// enough; term by term elsewhere.
  case strassen(levels: Int)

  public var isStrassen: Bool { if case .strassen = self { true } else { false } }

  /// The most levels of Strassen's algorithm that have a bound.
  public static let mostLevels = 2

  /// What a built-in strategy of this name computes (`direct`, `winograd4`).
  public init(named strategy: some StringProtocol) {
    let digits = strategy.hasPrefix("winograd") ? Int(strategy.dropFirst(8)) : nil
    self = digits.flatMap { try? .winograd(WinogradTile(outputTile: $0, preset: .assay)) } ?? .terms
  }

  /// As a person names it: `direct`, `winograd4` (our points), `winograd6:ncnn`, `winograd4x3:0,1,-1,0.5,-2`, `strassen1`.
  /// - Throws: ``SumAlgorithmError``.
  public init(text: String) throws(SumAlgorithmError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    if text == "direct" {
      self = .terms
    } else if text.hasPrefix("strassen") {
      guard let levels = Int(text.dropFirst("strassen".count)), (1...Self.mostLevels).contains(levels) else {
        throw .unknown(text)
      }
      self = .strassen(levels: levels)
    } else if parts[0].hasPrefix("winograd") {
      let sizes = parts[0].dropFirst("winograd".count).split(separator: "x", omittingEmptySubsequences: false)
      guard (1...2).contains(sizes.count), let outputs = Int(sizes[0]), let taps = sizes.count == 2 ? Int(sizes[1]) : 3
      else { throw .unknown(text) }
      let points = parts.count == 2 ? parts[1] : WinogradPreset.assay.rawValue
      do throws(WinogradTileError) { self = .winograd(try Self.tile(outputs, taps, points: points)) } catch {
        throw .tile(text, error)
      }
    } else {
      throw .unknown(text)
    }
  }

  private static func tile(_ outputs: Int, _ taps: Int, points: String) throws(WinogradTileError) -> WinogradTile {
    if let preset = WinogradPreset(rawValue: points) {
      return try WinogradTile(outputTile: outputs, kernelSize: taps, preset: preset)
    }
    let words = points.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = words.compactMap { Double($0) }
    guard numbers.count == words.count else { throw .unknownPreset(points) }
    return try WinogradTile(outputTile: outputs, kernelSize: taps, points: numbers)
  }
}

extension SumAlgorithm: CustomStringConvertible {
  /// `direct`, `winograd 4x3 (textbook)`, `strassen 1`.
  public var description: String {
    switch self {
    case .terms: "direct"
    case .winograd(let tile): "winograd \(tile)"
    case .strassen(let levels): "strassen \(levels)"
    }
  }
}

/// Why a text names no algorithm.
public enum SumAlgorithmError: Error, Equatable, CustomStringConvertible {
  case unknown(String)
  case tile(String, WinogradTileError)

  public var description: String {
    switch self {
    case .unknown(let text):
      "expected direct, winograd4, winograd4:POINTS, winograd4x3:POINTS or strassen1 (at most \(SumAlgorithm.mostLevels)), "
        + "found '\(text)'; POINTS are numbers between commas or one of "
        + WinogradPreset.allCases.map(\.rawValue).joined(separator: ", ")
    case .tile(let text, let error): "'\(text)': \(error)"
    }
  }
}

/// How an engine computes the sums of products of one operation.
public struct OperationAlgorithm: Hashable, Sendable, Codable {
  /// Any of them may have been used on any problem; the definition where there is none.
  public var sums: Set<SumAlgorithm>
  /// What sums are kept in where the operation is computed in 16 bits; `nil` for what the engine says of all.
  public var accumulate: DType?

  public init(_ sums: Set<SumAlgorithm> = [], accumulate: DType? = nil) {
    self.sums = sums
    self.accumulate = accumulate
  }
}
