/// Steele, Lea and Flood's SplitMix64: a counter through a finaliser, so element *i* of a stream needs none of the ones
/// before it. Statistically sound for test data; not for secrets.
///
/// - Source: "Fast splittable pseudorandom number generators", OOPSLA 2014; constants of Vigna's public-domain version.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  public private(set) var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// The finaliser alone.
  @inlinable
  public static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [0, 1) with 53 bits.
  public mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Element `i` of the golden format's `splitmix64-uniform` fill: `float32(low + (high − low)·u)`, u with 24 bits, the
  /// product rounded before the sum.
  @inlinable
  public static func uniform(seed: UInt64, element: Int, low: Double, high: Double) -> Float {
    let bits = mix(seed &+ (UInt64(truncatingIfNeeded: element) &+ 1) &* 0x9E37_79B9_7F4A_7C15)
    let product = (high - low) * (Double(bits >> 40) * 0x1p-24)
    return Float(low + product)
  }
}

extension Tensor where Element == Float {
  /// The procedural fill of the golden format.
  public init(splitMix64Uniform shape: Shape, seed: UInt64, low: Double, high: Double) {
    self.init(
      shape: shape,
      elements: (0..<shape.count).map { SplitMix64.uniform(seed: seed, element: $0, low: low, high: high) })
  }
}
