import HDF5
import Tensors

/// Images with a class each, as a file: datasets `images` (N, C, H, W), `labels` (N) and, where some are held out,
/// `split` (N) with 0 for training and 1 for the others.
public struct ImagesFile: Sendable {
  /// Floats; integers as doubles.
  public let images: AnyTensor
  public let labels: Tensor<Int64>
  /// Rows to train on: all of them when the file has no split.
  public let trainingRows: [Int]
  /// Rows to judge by: all of them when the file has no split.
  public let heldOutRows: [Int]
  /// The largest value where images are integers (255 for bytes, 16 for the digits), to be divided by; 1 for floats.
  public let scale: Double

  /// - Throws: ``GoldenFileError`` for a file that is missing, damaged, or without the datasets.
  public init(contentsOf path: String, limits: GoldenLimits = .standard) throws(GoldenFileError) {
    let root = try openDataFile(path, limits: limits)
    var reader = GoldenTensorReader(file: path, limits: limits)
    func read(_ name: String) throws(GoldenFileError) -> AnyTensor {
      try reader.read(try translating { () throws(HDF5Error) in try root.dataset(name) })
    }
    let images = try read("images")
    guard images.shape.rank == 4 else {
      throw GoldenFileError(
        .inconsistent, file: path, object: "/images", expected: "shape (N, C, H, W)", found: "shape \(images.shape)")
    }
    let count = images.shape[0]
    func vector(_ name: String) throws(GoldenFileError) -> Tensor<Int64> {
      let tensor = try read(name)
      guard let integers = tensor.integers, tensor.shape == [count] else {
        throw GoldenFileError(
          .inconsistent, file: path, object: "/\(name)", expected: "\(count) integers, one for each image",
          found: "\(tensor.dtype.rawValue) of shape \(tensor.shape)")
      }
      return integers
    }
    labels = try vector("labels")
    if let worst = labels.elements.first(where: { $0 < 0 || $0 > Self.largestLabel }) {
      throw GoldenFileError(
        .inconsistent, file: path, object: "/labels", expected: "classes from 0 to \(Self.largestLabel)",
        found: "\(worst)")
    }
    guard count > 0 else {
      throw GoldenFileError(.inconsistent, file: path, object: "/images", expected: "at least one image", found: "none")
    }
    if images.dtype == .int64 {
      self.images = .float64(images.doubles)
      scale = max(1, images.doubles.elements.max() ?? 1)
    } else {
      self.images = images
      scale = 1
    }
    if try translating({ () throws(HDF5Error) in try root.memberIfPresent("split") }) != nil {
      let split = try vector("split")
      if let other = split.elements.first(where: { $0 != 0 && $0 != 1 }) {
        throw GoldenFileError(
          .inconsistent, file: path, object: "/split", expected: "0 (training) or 1 (held out)", found: "\(other)")
      }
      trainingRows = split.elements.indices.filter { split.elements[$0] == 0 }
      heldOutRows = split.elements.indices.filter { split.elements[$0] == 1 }
      for (rows, what) in [(trainingRows, "to train on"), (heldOutRows, "held out")] where rows.isEmpty {
        throw GoldenFileError(
          .inconsistent, file: path, object: "/split", expected: "at least one image \(what)", found: "none")
      }
    } else {
      trainingRows = Array(0..<count)
      heldOutRows = trainingRows
    }
  }

  /// The largest label that is taken for a class. A classifier has a row of weights for each, so a stray number in the file
  /// must not decide how much memory is asked for.
  public static let largestLabel = 65_535

  /// One more than the largest label.
  public var classCount: Int { Int(labels.elements.max() ?? 0) + 1 }
}
