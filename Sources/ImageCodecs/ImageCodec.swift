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

  /// A library's reading of a file: its bytes and their number, width and height, room for the pixels or nothing, and room for
  /// the reason why it is none.
  private typealias Reading = (
    UnsafePointer<UInt8>, Int, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt8>?,
    UnsafeMutablePointer<CChar>
  ) -> Int32

  /// `nil` in a build without the format's library.
  private var reading: Reading? {
    switch self {
    case .png:
      #if HAS_PNG
        { assay_png_decode($0, $1, UInt32(Self.largestSide), $2, $3, $4, $5) }
      #else
        nil
      #endif
    case .jpeg:
      #if HAS_JPEG
        { assay_jpeg_decode($0, $1, $2, $3, $4, $5) }
      #else
        nil
      #endif
    }
  }

  /// Whether this program was built with the format's library.
  public var isBuiltIn: Bool { reading != nil }

  /// The library, as people install it.
  public var library: String { self == .png ? "libpng" : "libjpeg-turbo" }

  /// The image in a file's bytes, with grey as three equal channels, without alpha, and of 16 bits the upper eight.
  /// - Throws: ``Failure`` for what is damaged, has too many pixels, or cannot be decoded by this build.
  public func decode(_ bytes: [UInt8]) throws(Failure) -> RGBImage {
    guard let reading else { throw Failure(kind: .notBuiltIn, description: "a build without \(library)") }
    let (width, height) = try Self.read(bytes, (0, 0), nil, reading)
    guard (1...Self.largestSide).contains(width), (1...Self.largestSide).contains(height),
      width * height <= Self.mostPixels
    else {
      throw Failure(kind: .tooLarge, description: "\(width)×\(height) pixels")
    }
    var failure: Failure?
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
      // A row that a library leaves out is black, not what the memory held.
      buffer.initialize(repeating: 0)
      do throws(Failure) { _ = try Self.read(bytes, (width, height), buffer.baseAddress, reading) } catch {
        failure = error
      }
      count = width * height * 3
    }
    if let failure { throw failure }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  /// - Parameters:
  ///   - bytes: of the file.
  ///   - size: of the image; nothing while it is not known.
  ///   - pixels: room for it; `nil` to be told the size.
  ///   - reading: of the format's library.
  private static func read(
    _ bytes: [UInt8], _ size: (width: Int, height: Int), _ pixels: UnsafeMutablePointer<UInt8>?, _ reading: Reading
  ) throws(Failure) -> (width: Int, height: Int) {
    var (width, height) = (UInt32(size.width), UInt32(size.height))
    let message = withUnsafeTemporaryAllocation(of: CChar.self, capacity: messageBytes) { message -> String? in
      message.initialize(repeating: 0)
      guard let text = message.baseAddress else { return "no memory" }
      return reading(bytes, bytes.count, &width, &height, pixels, text) == 0 ? nil : String(cString: text)
    }
    if let message { throw Failure(kind: .damaged, description: message) }
    return (Int(width), Int(height))
  }

  /// What the C side takes for granted.
  private static let messageBytes = 160
}
