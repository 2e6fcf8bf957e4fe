import GoldenFiles
import HDF5
import Tensors

/// Images with a class each, as files have them. In HDF5: datasets `images` (N, C, H, W), `labels` (N) and, where some are held out,
/// `split` (N) with 0 for training and 1 for the others.
public struct ImagesFile: Sendable {
  public let pixels: ImagePixels
  public let labels: Tensor<Int64>
  /// Whether the file says which images are held out.
  public let hasSplit: Bool
  /// Rows to train on: all of them when the file has no split.
  public let trainingRows: [Int]
  /// Rows to judge by: all of them when the file has no split.
  public let heldOutRows: [Int]
  /// What values are divided by: the attribute `max_value` of `images`, else 255 for integers and 1 for floats. It never
  /// depends on the images themselves, so that one picture is the same picture in every file.
  public let scale: Double
  /// Integers wider than bytes without `max_value`: that 255 stands for 1 is then what is usual, not what the file says.
  public let scaleIsAssumed: Bool
  /// By class, of a folder of pictures; empty otherwise.
  public internal(set) var classNames: [String] = []
  /// Files of a folder of pictures that are none.
  public internal(set) var leftOutFiles = 0

  /// Whether a path is that of a folder of pictures, whose size is the reader's choice.
  public static func arePictures(_ path: String) -> Bool { PictureFolder.isOne(path) && !CIFARImages.isOne(path) }

  /// Images of any kind that is read: a file of HDF5, CIFAR-10's binary version as a file or a folder, or pictures in a folder
  /// for each class.
  /// - Parameters:
  ///   - path: the file or folder.
  ///   - pictureSide: height and width that pictures get.
  ///   - limits: what it may ask for.
  ///   - probe: the process that decodes pictures; `nil` decodes them in this one.
  ///   - progress: called with the pictures done and all of them.
  /// - Throws: ``GoldenFiles/GoldenFileError`` for what is missing, damaged, or no images.
  public init(
    at path: String, pictureSide: Int, limits: GoldenLimits = .standard, probe: NetworkFileProbe? = nil,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws(GoldenFileError) {
    if CIFARImages.isOne(path) {
      self.init(try CIFARImages(contentsOf: path, limits: limits))
    } else if PictureFolder.isOne(path) {
      try self.init(
        PictureFolder(at: path), at: path, size: PictureSize(side: pictureSide), limits: limits, probe: probe,
        progress: progress)
    } else {
      try self.init(contentsOf: path, limits: limits)
    }
  }

  /// Bytes of pixels, for which 255 stands for 1.
  /// - Requires: as many pixels and labels as there are rows; at least one row, and labels that are classes.
  init(bytes: [UInt8], imageShape: [Int], labels: [Int64], trainingRows: Range<Int>, heldOutRows: Range<Int>) {
    pixels = ImagePixels(bytes: bytes, shape: Shape([labels.count] + imageShape))
    self.labels = Tensor(shape: [labels.count], elements: labels)
    hasSplit = !trainingRows.isEmpty && !heldOutRows.isEmpty
    let all = Array(labels.indices)
    self.trainingRows = hasSplit ? Array(trainingRows) : all
    self.heldOutRows = hasSplit ? Array(heldOutRows) : all
    scale = pixels.ordinaryMaximum
    scaleIsAssumed = false
  }

  /// - Throws: ``GoldenFiles/GoldenFileError`` for a file that is missing, damaged, or without the datasets.
  public init(contentsOf path: String, limits: GoldenLimits = .standard) throws(GoldenFileError) {
    let root = try Self.open(path, limits)
    var reader = GoldenTensorReader(file: path, limits: limits)
    func read(_ name: String) throws(GoldenFileError) -> AnyTensor {
      try reader.read(try translating { () throws(HDF5Error) in try root.dataset(name) })
    }
    let dataset = try translating { () throws(HDF5Error) in try root.dataset("images") }
    pixels = try ImagePixels(dataset, &reader)
    let count = pixels.shape[0]
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
    let declared = try Self.declaredMaximum(dataset, path)
    scale = declared ?? pixels.ordinaryMaximum
    scaleIsAssumed = declared == nil && pixels.areWideIntegers
    if let (index, value) = pixels.firstOutside(scale) {
      let place = index.map(String.init).joined(separator: ",")
      throw GoldenFileError(
        .inconsistent, file: path, object: "/images[\(place)]",
        expected: pixels.areIntegers ? "a value from 0 to \(scale.formatted)" : "a finite float32", found: value,
        advice: pixels.areIntegers
          ? "give images the attribute max_value, the value that stands for 1" : "leave the image out, or correct it")
    }
    if try translating({ () throws(HDF5Error) in try root.memberIfPresent("split") }) != nil {
      hasSplit = true
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
      hasSplit = false
      trainingRows = Array(0..<count)
      heldOutRows = trainingRows
    }
  }

  private static func open(_ path: String, _ limits: GoldenLimits) throws(GoldenFileError) -> HDF5Group {
    do { return try opening(path, limits: limits) } catch {
      // Whoever has arrays of NumPy's needs the way from there to here, not a guess about damage.
      let isForeign = [".npz", ".npy"].contains { path.lowercased().hasSuffix($0) }
      guard error.kind == .notAGoldenFile, isForeign else { throw error }
      throw GoldenFileError(
        .notAGoldenFile, file: path, expected: "images as HDF5, as CIFAR-10's binary version or in folders",
        found: "a file of NumPy's",
        advice: "write its arrays to HDF5 with `h5py`: datasets images (N, C, H, W) and labels (N)")
    }
  }

  /// The largest label that is taken for a class. A classifier has a row of weights for each, so a stray number in the file
  /// must not decide how much memory is asked for.
  public static let largestLabel = 65_535

  /// One more than the largest label.
  public var classCount: Int { Int(labels.elements.max() ?? 0) + 1 }

  private static func declaredMaximum(_ dataset: HDF5Dataset, _ path: String) throws(GoldenFileError) -> Double? {
    let attributes = GoldenAttributes(object: dataset, file: path)
    guard let maximum = try attributes.number("max_value") else { return nil }
    guard maximum > 0, Float(maximum).isFinite else {
      throw attributes.wrong("max_value", expected: "a finite number above 0", found: "\(maximum)", kind: .inconsistent)
    }
    return maximum
  }
}

extension Double {
  /// Without a fraction where it has none.
  fileprivate var formatted: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}
