import Tensors

/// How the kernels of a defect keep a sum.
public protocol SumKeeping: Sendable {
  /// The float32 that stands for it from then on.
  static func kept(_ sum: Double) -> Float
  static var unitRoundoff: Double { get }
}

/// Sums in a type of 16 bits.
protocol NarrowSumKeeping: SumKeeping { static var format: FloatFormat { get } }

extension NarrowSumKeeping {
  public static func kept(_ sum: Double) -> Float { Float(format.rounded(sum)) }
  public static var unitRoundoff: Double { format.unitRoundoff }
}

public enum Binary16: NarrowSumKeeping { static let format = FloatFormat.binary16 }
public enum BFloat16: NarrowSumKeeping { static let format = FloatFormat.bfloat16 }

/// Sums in float32, cut off in place of rounded.
public enum CutOff: SumKeeping {
  public static func kept(_ sum: Double) -> Float {
    let nearest = Float(sum)
    guard nearest.isFinite, abs(Double(nearest)) > abs(sum) else { return nearest }
    return nearest < 0 ? nearest.nextUp : nearest.nextDown
  }
  public static var unitRoundoff: Double { 2 * Float.unitRoundoff }
}

extension DType {
  /// Sums in it; `nil` for types that are not narrow.
  public var sumKeeping: (any SumKeeping.Type)? {
    switch self {
    case .float16: Binary16.self
    case .bfloat16: BFloat16.self
    case .float64, .float32, .int64: nil
    }
  }
}

/// The arithmetic of kernels that keep sums in their own way: every sum and difference is kept so; products, quotients and
/// functions are float32's. An operation's own definition computes with it as that kernel would.
public struct KeptSum<Keeping: SumKeeping>: RealScalar {
  var value: Float

  private init(exact value: Float) { self.value = value }
  /// A sum as it is kept.
  private init(sum: Double) { value = Keeping.kept(sum) }

  public init(_ value: Double) { self.value = Float(value) }
  public init(_ value: Int) { self.value = Float(value) }
  public init(integerLiteral value: Int) { self.init(value) }
  public init?<Source: BinaryInteger>(exactly source: Source) {
    guard let value = Float(exactly: source) else { return nil }
    self.value = value
  }

  public var magnitude: KeptSum { KeptSum(exact: value.magnitude) }
  public var isNaN: Bool { value.isNaN }
  public var isFinite: Bool { value.isFinite }
  public var doubleValue: Double { Double(value) }
  public static var nan: KeptSum { KeptSum(exact: .nan) }
  public static var infinity: KeptSum { KeptSum(exact: .infinity) }
  public static var unitRoundoff: Double { Keeping.unitRoundoff }

  // The sum of two floats in double precision differs from the exact one far below a rounding to float32.
  public static func + (lhs: KeptSum, rhs: KeptSum) -> KeptSum {
    KeptSum(sum: Double(lhs.value) + Double(rhs.value))
  }
  public static func - (lhs: KeptSum, rhs: KeptSum) -> KeptSum {
    KeptSum(sum: Double(lhs.value) - Double(rhs.value))
  }
  public static func += (lhs: inout KeptSum, rhs: KeptSum) { lhs = lhs + rhs }
  public static func -= (lhs: inout KeptSum, rhs: KeptSum) { lhs = lhs - rhs }
  public static func * (lhs: KeptSum, rhs: KeptSum) -> KeptSum { KeptSum(exact: lhs.value * rhs.value) }
  public static func *= (lhs: inout KeptSum, rhs: KeptSum) { lhs = lhs * rhs }
  public static func / (lhs: KeptSum, rhs: KeptSum) -> KeptSum { KeptSum(exact: lhs.value / rhs.value) }
  public static func /= (lhs: inout KeptSum, rhs: KeptSum) { lhs = lhs / rhs }
  public static prefix func - (operand: KeptSum) -> KeptSum { KeptSum(exact: -operand.value) }
  public static func < (lhs: KeptSum, rhs: KeptSum) -> Bool { lhs.value < rhs.value }
  public static func == (lhs: KeptSum, rhs: KeptSum) -> Bool { lhs.value == rhs.value }

  public func squareRoot() -> KeptSum { KeptSum(exact: value.squareRoot()) }
  public static func exp(_ x: KeptSum) -> KeptSum { KeptSum(exact: .exp(x.value)) }
  public static func log(_ x: KeptSum) -> KeptSum { KeptSum(exact: .log(x.value)) }
  public static func tanh(_ x: KeptSum) -> KeptSum { KeptSum(exact: .tanh(x.value)) }
  public static func erfc(_ x: KeptSum) -> KeptSum { KeptSum(exact: .erfc(x.value)) }
}

extension KeptSum: StoredScalar {
  public static func stored(_ tensor: Tensor<KeptSum>) -> AnyTensor { .float32(tensor.map(\.value)) }
}
