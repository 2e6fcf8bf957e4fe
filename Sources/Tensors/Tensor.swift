/// A dense row-major tensor. Images are NCHW, convolution weights OIHW (K, C/groups, R, S), linear weights (out, in).
///
/// A value: copies are independent (copy on write).
public struct Tensor<Element: Sendable>: Sendable {
  public let shape: Shape
  /// Row-major. Elements may be changed in place; their number stays the shape's.
  public var elements: [Element]

  /// - Requires: as many elements as the shape has.
  @inlinable
  public init(shape: Shape, elements: [Element]) {
    precondition(elements.count == shape.count, "\(elements.count) elements do not fill \(shape)")
    self.shape = shape
    self.elements = elements
  }

  @inlinable
  public init(shape: Shape, repeating value: Element) {
    self.init(shape: shape, elements: Array(repeating: value, count: shape.count))
  }

  @inlinable public var count: Int { elements.count }

  @inlinable
  public func map<Other: Sendable>(_ transform: (Element) throws -> Other) rethrows -> Tensor<Other> {
    Tensor<Other>(shape: shape, elements: try elements.map(transform))
  }

  /// The same elements under another shape.
  /// - Requires: as many elements.
  @inlinable
  public func reshaped(to shape: Shape) -> Tensor { Tensor(shape: shape, elements: elements) }
}

extension Tensor: Equatable where Element: Equatable {}

extension Tensor where Element: RealScalar {
  @inlinable public init(zeros shape: Shape) { self.init(shape: shape, repeating: 0) }
}
