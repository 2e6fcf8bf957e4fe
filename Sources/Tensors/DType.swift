/// The element types that golden files, engines and reports speak of. What depends on one is in its ``FloatFormat``: a new type is
/// a case here and a format there, and what the compiler then asks for (CONTRIBUTING.md, "How to add a precision").
public enum DType: String, Hashable, Sendable, Codable, CaseIterable {
  case float64, float32, float16, bfloat16, int64

  /// `nil` for integers.
  public var format: FloatFormat? {
    switch self {
    case .float64: .binary64
    case .float32: .binary32
    case .float16: .binary16
    case .bfloat16: .bfloat16
    case .int64: nil
    }
  }

  /// Those that kernels compute in, widest first.
  public static let floats = allCases.filter { $0.format != nil }

  /// Those of fewer bits than float32.
  public static let narrow = floats.filter(\.isNarrow)

  /// Unit roundoff; 0 for integers, which are exact.
  public var unitRoundoff: Double { format?.unitRoundoff ?? 0 }
  public var byteCount: Int { format.map { $0.bitCount / 8 } ?? 8 }
  /// Whether it has fewer bits than float32: operands are then rounded to it first, and sums are usually kept in float32.
  public var isNarrow: Bool { format.map { $0.bitCount < 32 } ?? false }
}
