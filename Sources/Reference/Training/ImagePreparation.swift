import Problems
import Tensors

/// Makes images fit a small-image network: values in [0, 1], three channels, 32×32.
///
/// The 8×8 digits with values 0 … 16 become 3×32×32 by x/16, nearest neighbour ×4, three equal channels.
public struct ImagePreparation: Hashable, Sendable {
  /// What values are divided by.
  public var scale: Double
  /// Side of the images; smaller ones are enlarged by nearest neighbour. `nil` leaves them as they are.
  public var imageSize: Int?

  public init(scale: Double = 1, imageSize: Int? = nil) {
    self.scale = scale
    self.imageSize = imageSize
  }

  /// - Throws: ``ProblemError`` when there are neither one nor three channels.
  public func prepare<Scalar: RealScalar>(_ images: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    guard images.shape.rank == 4, images.shape[1] == 1 || images.shape[1] == 3 else {
      throw ProblemError(
        .shapeMismatch, "images", expected: "shape (N, 1 or 3, H, W)", found: "shape \(images.shape)")
    }
    let divisor = Scalar(scale)
    var prepared = scale == 1 ? images : images.map { $0 / divisor }
    if let imageSize, images.shape[2] != imageSize || images.shape[3] != imageSize {
      let problem = try Upsample2dProblem(inputShape: images.shape, target: .size(Pair(imageSize)))
      prepared = try Upsample2d(problem).forward(prepared)
    }
    guard prepared.shape[1] == 1 else { return prepared }
    let shape = Shape(prepared.shape[0], 3, prepared.shape[2], prepared.shape[3])
    let plane = shape[2] * shape[3]
    var elements: [Scalar] = []
    elements.reserveCapacity(shape.count)
    for n in 0..<shape[0] {
      for _ in 0..<3 { elements += prepared.elements[n * plane..<(n + 1) * plane] }
    }
    return Tensor(shape: shape, elements: elements)
  }
}
