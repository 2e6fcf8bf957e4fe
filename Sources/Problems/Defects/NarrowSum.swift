import Tensors

/// A type of 16 bits that ``NarrowSum`` keeps sums in.
public protocol NarrowStorage: Sendable { static var format: FloatFormat { get } }

public enum Binary16: NarrowStorage { public static let format = FloatFormat.binary16 }
public enum BFloat16: NarrowStorage { public static let format = FloatFormat.bfloat16 }

extension DType {
  /// `nil` for types that are not narrow.
  public var narrowStorage: (any NarrowStorage.Type)? {
    switch self {
    case .float16: Binary16.self
    case .bfloat16: BFloat16.self
    case .float64, .float32, .int64: nil
    }
  }
}

/// The arithmetic of kernels that keep sums in 16 bits: every sum and difference is rounded to such a type; products, quotients
/// and functions are float32's. An operation's own definition computes with it as that kernel would.
public struct NarrowSum<Storage: NarrowStorage>: RealScalar {
  var value: Float

  private init(exact value: Float) { self.value = value }
  /// A sum as it is kept.
  private init(sum: Double) { value = Float(Storage.format.rounded(sum)) }

  public init(_ value: Double) { self.value = Float(value) }
  public init(_ value: Int) { self.value = Float(value) }
  public init(integerLiteral value: Int) { self.init(value) }
  public init?<Source: BinaryInteger>(exactly source: Source) {
    guard let value = Float(exactly: source) else { return nil }
    self.value = value
  }

  public var magnitude: NarrowSum { NarrowSum(exact: value.magnitude) }
  public var isNaN: Bool { value.isNaN }
  public var isFinite: Bool { value.isFinite }
  public var doubleValue: Double { Double(value) }
  public static var nan: NarrowSum { NarrowSum(exact: .nan) }
  public static var infinity: NarrowSum { NarrowSum(exact: .infinity) }
  public static var unitRoundoff: Double { Storage.format.unitRoundoff }

  // The sum of two floats in double precision differs from the exact one far below a rounding of 16 bits.
  public static func + (lhs: NarrowSum, rhs: NarrowSum) -> NarrowSum {
    NarrowSum(sum: Double(lhs.value) + Double(rhs.value))
  }
  public static func - (lhs: NarrowSum, rhs: NarrowSum) -> NarrowSum {
    NarrowSum(sum: Double(lhs.value) - Double(rhs.value))
  }
  public static func += (lhs: inout NarrowSum, rhs: NarrowSum) { lhs = lhs + rhs }
  public static func -= (lhs: inout NarrowSum, rhs: NarrowSum) { lhs = lhs - rhs }
  public static func * (lhs: NarrowSum, rhs: NarrowSum) -> NarrowSum { NarrowSum(exact: lhs.value * rhs.value) }
  public static func *= (lhs: inout NarrowSum, rhs: NarrowSum) { lhs = lhs * rhs }
  public static func / (lhs: NarrowSum, rhs: NarrowSum) -> NarrowSum { NarrowSum(exact: lhs.value / rhs.value) }
  public static func /= (lhs: inout NarrowSum, rhs: NarrowSum) { lhs = lhs / rhs }
  public static prefix func - (operand: NarrowSum) -> NarrowSum { NarrowSum(exact: -operand.value) }
  public static func < (lhs: NarrowSum, rhs: NarrowSum) -> Bool { lhs.value < rhs.value }
  public static func == (lhs: NarrowSum, rhs: NarrowSum) -> Bool { lhs.value == rhs.value }

  public func squareRoot() -> NarrowSum { NarrowSum(exact: value.squareRoot()) }
  public static func exp(_ x: NarrowSum) -> NarrowSum { NarrowSum(exact: .exp(x.value)) }
  public static func log(_ x: NarrowSum) -> NarrowSum { NarrowSum(exact: .log(x.value)) }
  public static func tanh(_ x: NarrowSum) -> NarrowSum { NarrowSum(exact: .tanh(x.value)) }
  public static func erfc(_ x: NarrowSum) -> NarrowSum { NarrowSum(exact: .erfc(x.value)) }
}

extension NarrowSum: StoredScalar {
  public static func stored(_ tensor: Tensor<NarrowSum>) -> AnyTensor { .float32(tensor.map(\.value)) }
}
