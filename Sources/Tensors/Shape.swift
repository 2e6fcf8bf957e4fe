/// The extents of a tensor, outermost first (NCHW for images). An empty list is a scalar with one element.
public struct Shape: Hashable, Sendable {
  public let dimensions: [Int]

  /// - Requires: every extent ≥ 0 and a product that fits `Int`. Data from outside goes through ``init(validating:)``.
  @inlinable
  public init(_ dimensions: [Int]) {
    precondition(dimensions.allSatisfy { $0 >= 0 }, "a shape's extents are never negative")
    self.dimensions = dimensions
  }

  @inlinable
  public init(_ dimensions: Int...) { self.init(dimensions) }

  /// The most elements of a shape from outside: no machine holds as many, and neither bytes nor sums nor padded extents of
  /// so many overflow 64 bits.
  public static let largestCount = 1 << 48

  /// The same with every check that data from outside needs; `nil` when an extent is negative or there are more than
  /// ``largestCount`` elements.
  public init?(validating dimensions: [Int]) {
    var product = 1
    for extent in dimensions {
      guard extent >= 0 else { return nil }
      // A zero extent makes the count zero, but the others must still be addressable on their own.
      let (next, overflow) = product.multipliedReportingOverflow(by: max(extent, 1))
      guard !overflow, next <= Self.largestCount else { return nil }
      product = next
    }
    self.dimensions = dimensions
  }

  @inlinable public var rank: Int { dimensions.count }
  /// The number of elements: 1 for a scalar, 0 when any extent is 0.
  @inlinable public var count: Int { dimensions.reduce(1, *) }
  @inlinable public subscript(axis: Int) -> Int { dimensions[axis] }

  /// Row-major strides in elements.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) { strides[axis] = strides[axis + 1] * dimensions[axis + 1] }
    return strides
  }

  /// The multi-index of a row-major position, as failures print it.
  /// - Requires: `0 ≤ offset < count`.
  public func index(ofOffset offset: Int) -> [Int] {
    var rest = offset
    return strides.map { step in
      defer { rest %= max(step, 1) }
      return rest / max(step, 1)
    }
  }
}

extension Shape: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Int...) { self.init(elements) }
}

extension Shape: CustomStringConvertible {
  /// `2×3×8×8`, or `scalar`.
  public var description: String { rank == 0 ? "scalar" : dimensions.map(String.init).joined(separator: "×") }
}

extension Shape: Codable {
  public init(from decoder: any Decoder) throws {
    let dimensions = try decoder.singleValueContainer().decode([Int].self)
    guard let shape = Shape(validating: dimensions) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\(dimensions) is no shape"))
    }
    self = shape
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(dimensions)
  }
}
