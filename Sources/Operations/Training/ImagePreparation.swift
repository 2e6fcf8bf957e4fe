import Problems
import Tensors

/// Makes images as a network takes them: values divided by what stands for 1, three channels, each normalised where that was
/// asked for, and the one size that some networks have.
///
/// The 8×8 digits with values 0 … 16 become 3×32×32 for `simple_resnet` by x/16, nearest neighbour ×4, three equal
/// channels.
public struct ImagePreparation: Hashable, Sendable {
  /// What values are divided by.
  public let scale: Double
  /// What is done to each channel then; `nil` for nothing.
  public let normalization: ImageNormalization?
  /// How many times each pixel is repeated in both directions.
  public let enlargement: Int
  /// (3, H, W) of what comes out.
  public let imageShape: Shape

  /// - Parameters:
  ///   - imageShape: (C, H, W) of what goes in.
  ///   - scale: what every pixel is divided by.
  ///   - normalization: what is done to each of the three channels after that; `nil` for nothing.
  ///   - architecture: the network that takes the images.
  /// - Throws: `ProblemError` when there are neither one nor three channels, or the network has one size of image and an
  ///   integer enlargement does not lead there: anything else would distort the images, or lose some of their pixels.
  public init(
    _ imageShape: Shape, scale: Double = 1, normalization: ImageNormalization? = nil,
    for architecture: ResNetArchitecture
  ) throws(ProblemError) {
    guard imageShape.rank == 3, imageShape[0] == 1 || imageShape[0] == 3 else {
      let isChannelsLast = imageShape.rank == 3 && (imageShape[2] == 1 || imageShape[2] == 3)
      throw ProblemError(
        .shapeMismatch, "images", expected: "1 or 3 channels, (C, H, W)",
        found: "shape \(imageShape)" + (isChannelsLast ? ", (H, W, C): transpose the images" : ""))
    }
    let (height, width) = (imageShape[1], imageShape[2])
    guard height > 0, width > 0 else {
      throw ProblemError(.shapeMismatch, "images", expected: "images with pixels", found: "shape \(imageShape)")
    }
    let side = architecture.imageSide
    if let side, height != width || side % height != 0 {
      throw ProblemError(
        .shapeMismatch, "images",
        expected: "\(architecture.name)'s \(side)×\(side), or squares that an integer enlarges to it (cifar_resnet20 "
          + "takes any size)", found: "\(height)×\(width)")
    }
    self.scale = scale
    self.normalization = normalization
    enlargement = side.map { $0 / height } ?? 1
    self.imageShape = [3, height * enlargement, width * enlargement]
  }

  /// - Parameter images: (N, C, H, W), of the shape that this was made for.
  /// - Throws: `ProblemError` when the shape is another.
  public func prepare<Scalar: RealScalar>(_ images: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    let divisor = Scalar(scale)
    var prepared = scale == 1 ? images : images.map { $0 / divisor }
    if enlargement > 1 {
      let size = Pair(imageShape[1], imageShape[2])
      prepared = try Upsample2d(Upsample2dProblem(inputShape: images.shape, target: .size(size))).forward(prepared)
    }
    try prepared.require([images.shape[0], images.shape[1], imageShape[1], imageShape[2]], as: "images")
    prepared = threeChannels(prepared)
    return normalization?.normalize(prepared) ?? prepared
  }

  private func threeChannels<Scalar: RealScalar>(_ prepared: Tensor<Scalar>) -> Tensor<Scalar> {
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
