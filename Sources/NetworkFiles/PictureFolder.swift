import Foundation
import GoldenFiles
import ImageCodecs
import Tensors

/// Pictures in a folder for each class, as torchvision's `ImageFolder` has them: the classes are the folders' names, sorted.
/// With `train` and one of `test` and `val` below, each of which has a folder for each class, the latter's are held out.
struct PictureFolder {
  struct Picture: Sendable, Hashable {
    var path: String
    var label: Int64
  }

  let classes: [String]
  private(set) var training: [Picture] = []
  private(set) var heldOut: [Picture] = []
  /// Files that are neither PNG nor JPEG by their names.
  private(set) var leftOut = 0

  /// The most pictures of a folder.
  static let largestCount = 1 << 24

  static func isOne(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// - Throws: ``GoldenFiles/GoldenFileError`` for a folder without classes, or a class without pictures.
  init(at path: String) throws(GoldenFileError) {
    let below = try Self.folders(in: path)
    let parts = ["test", "val"].filter(below.contains)
    guard below.contains("train"), let other = parts.first else {
      classes = below
      try requireClasses(path)
      training = try pictures(in: path)
      return
    }
    guard parts.count == 1 else {
      throw GoldenFileError(
        .inconsistent, file: path, expected: "one of test and val beside train", found: "both",
        advice: "move one of them away")
    }
    classes = try Self.folders(in: "\(path)/train")
    try requireClasses("\(path)/train")
    let judged = try Self.folders(in: "\(path)/\(other)")
    guard judged == classes else {
      let differing = Set(judged).symmetricDifference(classes).sorted().prefix(3).joined(separator: ", ")
      throw GoldenFileError(
        .inconsistent, file: path, object: other, expected: "the same classes as in train",
        found: "others: \(differing)", advice: "give both the same folders")
    }
    training = try pictures(in: "\(path)/train")
    heldOut = try pictures(in: "\(path)/\(other)")
  }

  private func requireClasses(_ path: String) throws(GoldenFileError) {
    guard !classes.isEmpty, classes.count <= ImagesFile.largestLabel + 1 else {
      throw GoldenFileError(
        .missing, file: path, expected: "a folder of PNG or JPEG files for each class",
        found: "\(classes.count) folders", advice: "Fixtures/FORMAT.md says which folders are read")
    }
  }

  private static func names(in path: String) throws(GoldenFileError) -> [String] {
    do {
      // By their bytes, as Python sorts them; what begins with a point is the system's own.
      return try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch {
      throw GoldenFileError(
        .missing, file: path, expected: "a folder that can be read", found: error.localizedDescription)
    }
  }

  private static func folders(in path: String) throws(GoldenFileError) -> [String] {
    try names(in: path).filter { isOne("\(path)/\($0)") }
  }

  private mutating func pictures(in path: String) throws(GoldenFileError) -> [Picture] {
    var pictures: [Picture] = []
    for (label, name) in classes.enumerated() {
      let names = try Self.names(in: "\(path)/\(name)")
      let found = names.filter { ImageCodec(named: $0) != nil }
      leftOut += names.count - found.count
      guard !found.isEmpty, pictures.count + found.count <= Self.largestCount else {
        throw GoldenFileError(
          .missing, file: "\(path)/\(name)", expected: "1 to \(Self.largestCount) PNG or JPEG files in all",
          found: found.isEmpty ? "none" : "more", advice: "a class needs at least one picture")
      }
      pictures += found.map { Picture(path: "\(path)/\(name)/\($0)", label: Int64(label)) }
    }
    return pictures
  }
}

/// How pictures become squares of one size.
public struct PictureSize: Sendable, Hashable, Codable {
  public let side: Int

  public init(side: Int) { self.side = side }

  /// Of the shorter side before the middle is taken: 256 for 224, and as much for other sizes.
  package var resized: Int { Int((Double(side) * 8 / 7).rounded()) }

  /// The planes of red, green and blue, one after the other.
  ///
  /// A picture that has the size is taken as it is; of any other the shorter side is resized, and the middle taken.
  package func planes(of image: RGBImage) -> [UInt8] {
    let isSquare = image.width == side && image.height == side
    let square = isSquare ? image : image.square(side, resized: resized)
    return (0..<3).flatMap { channel in
      stride(from: channel, to: square.pixels.count, by: 3).map { square.pixels[$0] }
    }
  }

  /// The planes of a file's image.
  /// - Throws: ``GoldenFiles/GoldenFileError`` for what is no picture, damaged, too large, or of a format that this build
  ///   cannot read.
  func planes(ofFile path: String) throws(GoldenFileError) -> [UInt8] {
    let bytes = try GoldenFileBytes.regularFile(path, limits: GoldenLimits(maximumFileBytes: Self.largestFile)).bytes
    guard let codec = ImageCodec(beginningOf: bytes) else {
      throw GoldenFileError(
        .wrongType, file: path, expected: "a PNG or JPEG file", found: "other bytes at its beginning",
        advice: "leave it out, or save it again")
    }
    do throws(ImageCodec.Failure) { return planes(of: try codec.decode(bytes)) } catch {
      switch error.kind {
      case .notBuiltIn:
        throw GoldenFileError(
          .refused, file: path, expected: "a build of Assay with \(codec.library)", found: error.description,
          advice: "install the library's development package and build again (CONTRIBUTING.md, \"Pictures\")")
      case .tooLarge:
        throw GoldenFileError(
          .tooLarge, file: path,
          expected: "sides of at most \(ImageCodec.largestSide) and at most \(ImageCodec.mostPixels) pixels",
          found: error.description, advice: "make it smaller")
      case .damaged:
        throw GoldenFileError(
          .damaged, file: path, expected: "a \(codec.rawValue) file that \(codec.library) can read",
          found: error.description, advice: "leave it out, or save it again")
      }
    }
  }

  /// The most bytes of a picture's file.
  static let largestFile = 1 << 28
}

extension ImagesFile {
  /// Pictures by class.
  /// - Parameters:
  ///   - folder: which.
  ///   - path: of the folder, for messages.
  ///   - size: what each picture becomes.
  ///   - limits: how much memory they may take together.
  ///   - probe: the process that decodes them; `nil` decodes them in this one.
  ///   - progress: called with the pictures done and all of them.
  /// - Throws: ``GoldenFiles/GoldenFileError`` for the first that cannot be decoded.
  init(
    _ folder: PictureFolder, at path: String, size: PictureSize, limits: GoldenLimits, probe: NetworkFileProbe?,
    progress: (Int, Int) -> Void
  ) throws(GoldenFileError) {
    let pictures = folder.training + folder.heldOut
    let bytes = 3 * size.side * size.side
    guard pictures.count <= limits.tensorBytes / max(bytes, 1) else {
      throw GoldenFileError(
        .tooLarge, file: path, expected: "at most \(limits.tensorBytes) bytes of pixels",
        found: "\(pictures.count) pictures of \(bytes)", advice: "take fewer, or smaller ones with --image-size")
    }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(pictures.count * bytes)
    var done = 0
    func add(_ planes: [UInt8]) {
      pixels += planes
      done += 1
      progress(done, pictures.count)
    }
    if let probe {
      try probe.pictures(pictures.map(\.path), size) { (planes) throws(GoldenFileError) in add(try planes.get()) }
    } else {
      for picture in pictures { add(try size.planes(ofFile: picture.path)) }
    }
    self.init(
      bytes: pixels, imageShape: [3, size.side, size.side], labels: pictures.map(\.label),
      trainingRows: folder.training.indices, heldOutRows: folder.training.count..<pictures.count)
    classNames = folder.classes
    leftOutFiles = folder.leftOut
  }
}
