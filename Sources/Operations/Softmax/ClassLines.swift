import Tensors

/// The lines along axis 1 of a tensor, one for each image and inner position.
struct ClassLines: Sequence, IteratorProtocol {
  struct Line {
    let positions: StrideTo<Int>

    /// The largest value, NaN left aside (it comes back through the sum).
    func maximum<Scalar: RealScalar>(of x: Tensor<Scalar>) -> Scalar {
      var largest = -Scalar.infinity
      for i in positions where x.elements[i] > largest { largest = x.elements[i] }
      return largest
    }
  }

  private let classes: Int
  private let inner: Int
  private let count: Int
  private var position = 0

  /// - Requires: rank ≥ 2.
  init(_ shape: Shape) {
    classes = shape[1]
    inner = shape.dimensions.dropFirst(2).reduce(1, *)
    count = classes == 0 ? 0 : shape[0] * inner
  }

  mutating func next() -> Line? {
    guard position < count else { return nil }
    let first = position / inner * classes * inner + position % inner
    position += 1
    return Line(positions: stride(from: first, to: first + classes * inner, by: inner))
  }
}
