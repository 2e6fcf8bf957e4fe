import Problems
import Tensors

/// What is taken from each channel of an image, and what the rest is divided by, after its values are scaled to 0 … 1.
///
///     y = (x − mean)/std
///
/// - Source: the argument names of `torchvision.transforms.Normalize`.
public struct ImageNormalization: Hashable, Sendable, Codable {
  /// Red, green, blue.
  public let mean: [Double]
  public let std: [Double]

  /// - Throws: `ProblemError` unless there are three numbers each, all finite, and standard deviations above 0.
  public init(mean: [Double], std: [Double]) throws(ProblemError) {
    for (name, values) in [("mean", mean), ("std", std)] {
      guard values.count == 3, values.allSatisfy({ $0.isFinite && Float($0).isFinite }) else {
        throw ProblemError(
          .invalidArgument, name, expected: "three finite numbers, one a channel", found: "\(values)")
      }
    }
    guard std.allSatisfy({ Float($0) > 0 }) else {
      throw ProblemError(.invalidArgument, "std", expected: "numbers above 0", found: "\(std)")
    }
    self.mean = mean
    self.std = std
  }

  /// Mean and standard deviation (over all, not over all but one) of each channel.
  /// - Parameters:
  ///   - count: how many images there are.
  ///   - images: gives some of them as a network takes them, (N, 3, H, W), by their numbers.
  /// - Throws: `ProblemError` for a channel that is the same everywhere; what `images` throws.
  public init(
    measuring count: Int, _ images: (Range<Int>) throws(ProblemError) -> Tensor<Float>
  ) throws(ProblemError) {
    /// The mean of each channel's values after `transform`, a hundred images at a time.
    func means(_ transform: (Double, Int) -> Double) throws(ProblemError) -> [Double] {
      var sums = [0.0, 0, 0]
      var pixels = 0
      for first in stride(from: 0, to: count, by: 100) {
        let batch = try images(first..<min(first + 100, count))
        let plane = batch.shape[2] * batch.shape[3]
        for (index, value) in batch.elements.enumerated() {
          let channel = index / plane % 3
          sums[channel] += transform(Double(value), channel)
        }
        pixels += batch.shape[0] * plane
      }
      return sums.map { $0 / Double(max(pixels, 1)) }
    }
    let mean = try means { value, _ in value }
    let variances = try means { value, channel in (value - mean[channel]) * (value - mean[channel]) }
    try self.init(mean: mean, std: variances.map { $0.squareRoot() })
  }

  /// - Parameter images: (N, 3, H, W), values from 0 to 1.
  func normalize<Scalar: RealScalar>(_ images: Tensor<Scalar>) -> Tensor<Scalar> {
    let plane = images.shape[2] * images.shape[3]
    let (mean, std) = (mean.map { Scalar($0) }, std.map { Scalar($0) })
    var elements = images.elements
    for start in stride(from: 0, to: elements.count, by: max(plane, 1)) {
      let channel = start / max(plane, 1) % 3
      for index in start..<start + plane { elements[index] = (elements[index] - mean[channel]) / std[channel] }
    }
    return Tensor(shape: images.shape, elements: elements)
  }
}
