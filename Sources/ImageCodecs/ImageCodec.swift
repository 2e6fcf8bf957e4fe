#if HAS_PNG
  import CPNG
#endif
#if HAS_JPEG
  import CJPEG
#endif

/// An image of 8 bits a channel: red, green and blue of each pixel, row by row.
public struct RGBImage: Sendable, Hashable {
  public let width: Int
  public let height: Int
  public let pixels: [UInt8]

  /// - Requires: three bytes for each pixel.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width >= 0 && height >= 0 && pixels.count == width * height * 3, "three bytes for each pixel")
    self.width = width
    self.height = height
    self.pixels = pixels
  }
}

/// The formats of pictures, each by a library that this program may have been built without.
///
/// The libraries are C, and made for speed: what they decode comes from outside, so they run in a child process alone.
public enum ImageCodec: String, CaseIterable, Sendable {
  case png = "PNG"
  case jpeg = "JPEG"

  /// Why there is no image.
  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable { case notBuiltIn, tooLarge, damaged }

    public let kind: Kind
    public let description: String
  }

  /// What neither side of an image may exceed, and how many pixels it may have.
  public static let largestSide = 1 << 16
  public static let mostPixels = 1 << 26

  /// The format that a file begins as.
  public init?(beginningOf bytes: [UInt8]) {
    let signatures: [(ImageCodec, [UInt8])] = [
      (.png, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), (.jpeg, [0xff, 0xd8, 0xff]),
    ]
    guard let found = signatures.first(where: { bytes.starts(with: $0.1) }) else { return nil }
    self = found.0
  }

  /// The format that a file's name stands for.
  public init?(named name: String) {
    switch name.lowercased().split(separator: ".").last {
    case "png": self = .png
    case "jpg", "jpeg": self = .jpeg
    default: return nil
    }
  }

  /// Whether this program was built with the format's library.
  public var isBuiltIn: Bool {
    switch self {
    case .png:
      #if HAS_PNG
        true
      #else
        false
      #endif
    case .jpeg:
      #if HAS_JPEG
        true
      #else
        false
      #endif
    }
  }

  /// The library, as people install it.
  public var library: String { self == .png ? "libpng" : "libjpeg-turbo" }

  /// The image in a file's bytes, with grey as three equal channels, without alpha, and of 16 bits the upper eight.
  /// - Throws: ``Failure`` for what is damaged, has too many pixels, or cannot be decoded by this build.
  public func decode(_ bytes: [UInt8]) throws(Failure) -> RGBImage {
    guard isBuiltIn else {
      throw Failure(kind: .notBuiltIn, description: "a build without \(library)")
    }
    let (width, height) = try pass(bytes, (0, 0), nil)
    guard (1...Self.largestSide).contains(width), (1...Self.largestSide).contains(height),
      width * height <= Self.mostPixels
    else {
      throw Failure(kind: .tooLarge, description: "\(width)×\(height) pixels")
    }
    var failure: Failure?
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
      // A row that a library leaves out is black, not what the memory held.
      buffer.initialize(repeating: 0)
      do throws(Failure) { _ = try pass(bytes, (width, height), buffer.baseAddress) } catch { failure = error }
      count = width * height * 3
    }
    if let failure { throw failure }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  /// One reading of a file.
  /// - Parameters:
  ///   - bytes: of the file.
  ///   - size: of the image; nothing while it is not known.
  ///   - pixels: room for it; `nil` to be told the size.
  private func pass(
    _ bytes: [UInt8], _ size: (width: Int, height: Int), _ pixels: UnsafeMutablePointer<UInt8>?
  ) throws(Failure) -> (width: Int, height: Int) {
    var (width, height) = (UInt32(size.width), UInt32(size.height))
    let message = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 160) { message -> String? in
      message.initialize(repeating: 0)
      guard let text = message.baseAddress else { return "no memory" }
      var result: Int32 = -1
      switch self {
      case .png:
        #if HAS_PNG
          result = assay_png_decode(
            bytes, bytes.count, UInt32(Self.largestSide), &width, &height, pixels, text)
        #endif
      case .jpeg:
        #if HAS_JPEG
          result = assay_jpeg_decode(bytes, bytes.count, &width, &height, pixels, text)
        #endif
      }
      return result == 0 ? nil : String(cString: text)
    }
    if let message { throw Failure(kind: .damaged, description: message) }
    return (Int(width), Int(height))
  }
}
