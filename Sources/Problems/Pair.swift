/// An extent in height and in width: a stride, a kernel size, a padding.
public struct Pair: Hashable, Sendable, Codable {
  public var height: Int
  public var width: Int

  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  /// The same in both directions.
  public init(_ both: Int) { self.init(both, both) }

  /// Throws unless both are at least `minimum`.
  func require(atLeast minimum: Int, _ subject: String) throws(ProblemError) {
    guard height >= minimum, width >= minimum else {
      throw ProblemError(.invalidArgument, subject, expected: "at least \(minimum)", found: description)
    }
    // Extents beyond this could overflow the index arithmetic that every implementation does in 64 bits.
    guard height <= Self.largest, width <= Self.largest else {
      throw ProblemError(.invalidArgument, subject, expected: "at most \(Self.largest)", found: description)
    }
  }

  static var largest: Int { 1 << 30 }
}

extension Pair: CustomStringConvertible {
  /// `2`, or `2x1` (height first) where they differ.
  public var description: String { height == width ? "\(height)" : "\(height)x\(width)" }
}

extension Pair: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self.init(value) }
}
