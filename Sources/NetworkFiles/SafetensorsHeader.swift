import GoldenFiles
import Tensors

/// What a safetensors file says of itself: eight bytes with the header's length, the header in JSON, and the elements of all
/// tensors, one after the other.
///
///     { "__metadata__": {"format": "pt"}, "fc.bias": {"dtype": "F32", "shape": [10], "data_offsets": [0, 40]} }
///
/// - Source: the format's description in github.com/huggingface/safetensors. A tensor may begin at any byte there, and does
///   here; the writers keep to multiples of eight.
package struct SafetensorsHeader: Codable, Sendable, Equatable {
  package struct Entry: Codable, Sendable, Equatable {
    package var name: String
    package var type: SafetensorsType
    package var shape: [Int]
    /// Bytes of its elements, counted from the first after the header.
    package var begin: Int
    package var end: Int
  }

  /// In the order of the header.
  package var entries: [Entry] = []
  package var metadata: [String: String] = [:]

  /// Bytes of the length before the header.
  static let lengthBytes = 8
  /// The most bytes of a header. That of ResNet-152 has 90 KB.
  static let largestBytes = 1 << 24
  static let metadataKey = "__metadata__"

  /// How many bytes the header has.
  /// - Parameters:
  ///   - start: the file's first bytes.
  ///   - fileBytes: how many it has in all.
  ///   - path: the file, for messages.
  /// - Throws: ``GoldenFiles/GoldenFileError`` when there is no room for such a header.
  package static func length(_ start: [UInt8], fileBytes: Int, file path: String) throws(GoldenFileError) -> Int {
    guard start.count >= lengthBytes else {
      throw GoldenFileError(
        .notAGoldenFile, file: path, expected: "the eight bytes that begin a safetensors file",
        found: "\(start.count) in all", advice: "the file is incomplete: fetch it again")
    }
    let length = start.prefix(lengthBytes).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(fileBytes - lengthBytes) else {
      throw GoldenFileError(
        .damaged, file: path, object: "header", expected: "at most the file's other \(fileBytes - lengthBytes) bytes",
        found: "a length of \(length)", advice: "the file is incomplete, or no safetensors file")
    }
    guard length <= UInt64(largestBytes) else {
      throw GoldenFileError(
        .tooLarge, file: path, object: "header", expected: "at most \(largestBytes) bytes", found: "\(length)",
        advice: "store fewer tensors in one file")
    }
    return Int(length)
  }

  /// Whether the start of a file looks like one of safetensors.
  static func begins(_ start: [UInt8]) -> Bool { start.count > lengthBytes && start[lengthBytes] == UInt8(ascii: "{") }

  /// Refuses whatever the elements cannot be read by: the tensors must be as long as their shapes say, and take every byte
  /// after the header once.
  ///
  /// - Parameters:
  ///   - dataBytes: bytes of the file after the header.
  ///   - path: the file, for messages.
  ///   - limits: how large tensors may be, alone and together.
  /// - Throws: ``GoldenFiles/GoldenFileError`` that names the tensor.
  func validate(dataBytes: Int, file path: String, limits: GoldenLimits) throws(GoldenFileError) {
    func wrong(
      _ kind: GoldenFileError.Kind, _ entry: Entry?, _ expected: String, _ found: String, _ advice: String = ""
    ) -> GoldenFileError {
      GoldenFileError(
        kind, file: path, object: entry.map { "/\($0.name)" } ?? "/", expected: expected, found: found, advice: advice)
    }
    var memoryBytes = 0
    for entry in entries {
      guard entry.shape.count <= limits.maximumRank else {
        throw wrong(.tooLarge, entry, "at most \(limits.maximumRank) dimensions", "\(entry.shape.count)")
      }
      guard let shape = Shape(validating: entry.shape) else {
        throw wrong(
          .tooLarge, entry, "extents from 0 with a product of at most 2^48", "\(entry.shape)", "the file is damaged")
      }
      guard 0 <= entry.begin, entry.begin <= entry.end, entry.end <= dataBytes else {
        throw wrong(
          .damaged, entry, "data_offsets within the \(dataBytes) bytes after the header",
          "[\(entry.begin), \(entry.end)]", "the file is incomplete or damaged")
      }
      let stored = shape.count * entry.type.byteCount
      guard entry.end - entry.begin == stored else {
        throw wrong(
          .inconsistent, entry, "\(stored) bytes for \(entry.type.rawValue) of shape \(shape)",
          "\(entry.end - entry.begin) between its data_offsets", "the file is damaged")
      }
      memoryBytes += shape.count * max(entry.type.dtype.byteCount, DType.float32.byteCount)
      guard memoryBytes <= limits.tensorBytes else {
        throw wrong(.tooLarge, entry, "at most \(limits.tensorBytes) bytes of tensors in one file", "more")
      }
    }
    var next = 0
    for entry in entries.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard entry.begin == next else {
        throw wrong(
          .damaged, entry, "elements from byte \(next) on, where those before end", "\(entry.begin)",
          entry.begin < next ? "tensors that overlap are not read" : "bytes that belong to no tensor are not read")
      }
      next = entry.end
    }
    guard next == dataBytes else {
      throw wrong(
        .damaged, nil, "\(next) bytes after the header, as its tensors have", "\(dataBytes)",
        "bytes that belong to no tensor are not read")
    }
  }
}
