import Foundation
import GoldenFiles
import Tensors

/// CIFAR-10's binary version: files of records, each a byte with the class and 3×32×32 bytes of pixels.
///
/// A folder's `data_batch_*.bin` are to train on and its `test_batch.bin` is held out; a file alone has no split. No number in
/// such a file decides where another stands, so it is read in this process.
/// - Source: A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009; cs.toronto.edu/~kriz/cifar.html.
struct CIFARImages {
  /// Of one image: 3×32×32.
  static let imageShape = [3, 32, 32]
  private static let pixelCount = 3 * 32 * 32
  private static let classCount = 10

  private(set) var pixels: [UInt8] = []
  private(set) var labels: [Int64] = []
  /// Images of the files that are held out, which come last.
  private(set) var heldOutCount = 0

  /// Whether a folder or a file has the names of such files.
  static func isOne(_ path: String) -> Bool {
    path.lowercased().hasSuffix(".bin") || !batches(in: path, "data_batch").isEmpty
      || !batches(in: path, "test_batch").isEmpty
  }

  private static func batches(in folder: String, _ prefix: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".bin") }.sorted().map { "\(folder)/\($0)" }
  }

  /// - Throws: ``GoldenFiles/GoldenFileError`` for a file that is missing, cut short, too large, or without such records.
  init(contentsOf path: String, limits: GoldenLimits) throws(GoldenFileError) {
    let (training, heldOut) = (Self.batches(in: path, "data_batch"), Self.batches(in: path, "test_batch"))
    for file in training.isEmpty && heldOut.isEmpty ? [path] : training { try add(file, limits) }
    let count = labels.count
    for file in heldOut { try add(file, limits) }
    heldOutCount = labels.count - count
  }

  private mutating func add(_ path: String, _ limits: GoldenLimits) throws(GoldenFileError) {
    let bytes = try GoldenFileBytes.regularFile(path, limits: limits).bytes
    let record = 1 + Self.pixelCount
    guard bytes.count % record == 0 else {
      throw GoldenFileError(
        .damaged, file: path, expected: "records of \(record) bytes, as CIFAR-10 has them",
        found: "\(bytes.count) bytes, which are \(bytes.count / record) records and \(bytes.count % record) bytes",
        advice: bytes.count % (record + 1) == 0
          ? "CIFAR-100's records, with two labels, are not read" : "the file is incomplete: fetch it again")
    }
    guard pixels.count + bytes.count <= limits.tensorBytes else {
      throw GoldenFileError(
        .tooLarge, file: path, expected: "at most \(limits.tensorBytes) bytes of images", found: "more")
    }
    pixels.reserveCapacity(pixels.count + bytes.count)
    for start in stride(from: 0, to: bytes.count, by: record) {
      guard bytes[start] < Self.classCount else {
        throw GoldenFileError(
          .damaged, file: path, object: "record \(start / record)", expected: "a class below \(Self.classCount)",
          found: "\(bytes[start])", advice: "the file is damaged, or not CIFAR-10's")
      }
      labels.append(Int64(bytes[start]))
      pixels += bytes[(start + 1)..<(start + record)]
    }
  }
}

extension ImagesFile {
  init(_ cifar: CIFARImages) {
    let count = cifar.labels.count
    let first = count - cifar.heldOutCount
    self.init(
      bytes: cifar.pixels, imageShape: CIFARImages.imageShape, labels: cifar.labels, trainingRows: 0..<first,
      heldOutRows: first..<count)
  }
}
