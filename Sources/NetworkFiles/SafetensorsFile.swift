import Foundation
import GoldenFiles
import OperatingSystem
import Tensors

/// Tensors by name, and texts beside them, in the format of github.com/huggingface/safetensors.
public struct SafetensorsFile: Sendable, Equatable {
  public var tensors: [String: AnyTensor]
  public var metadata: [String: String]

  public init(tensors: [String: AnyTensor], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Whether a path is that of such a file: by its name or, where there is a file, by how it begins.
  public static func isOne(_ path: String, limits: GoldenLimits = .standard) -> Bool {
    if hasName(path) { return true }
    let start = try? GoldenFileBytes.regularFile(path, limits: limits, start: SafetensorsHeader.lengthBytes + 1).bytes
    return start.map(SafetensorsHeader.begins) ?? false
  }

  /// Whether a path has the name of such a file.
  public static func hasName(_ path: String) -> Bool { path.lowercased().hasSuffix(".safetensors") }

  // MARK: Reading

  /// - Parameters:
  ///   - path: the file.
  ///   - limits: what it may ask for.
  ///   - probe: the process that parses the header; `nil` parses it in this one.
  /// - Throws: ``GoldenFiles/GoldenFileError`` for a file that is missing, cut short, damaged or too large.
  public init(
    contentsOf path: String, limits: GoldenLimits = .standard, probe: NetworkFileProbe? = nil
  ) throws(GoldenFileError) {
    let (bytes, _) = try GoldenFileBytes.regularFile(path, limits: limits)
    let length = try SafetensorsHeader.length(bytes, fileBytes: bytes.count, file: path)
    let json = Array(bytes[SafetensorsHeader.lengthBytes..<SafetensorsHeader.lengthBytes + length])
    let header =
      if let probe {
        try probe.header(of: path, json: json, limits: limits)
      } else {
        try SafetensorsHeader(json: json, file: path, limits: limits)
      }
    let start = SafetensorsHeader.lengthBytes + length
    try header.validate(dataBytes: bytes.count - start, file: path, limits: limits)
    metadata = header.metadata
    tensors = [:]
    for entry in header.entries {
      tensors[entry.name] = try Self.tensor(entry, bytes, from: start, file: path)
    }
  }

  /// - Requires: a validated entry.
  private static func tensor(
    _ entry: SafetensorsHeader.Entry, _ bytes: [UInt8], from start: Int, file path: String
  ) throws(GoldenFileError) -> AnyTensor {
    let shape = Shape(entry.shape)
    let range = start + entry.begin..<start + entry.end
    func words<Word: FixedWidthInteger>(_: Word.Type = Word.self) -> [Word] { Self.words(bytes, range) }
    func integers<Word: FixedWidthInteger>(_ type: Word.Type) -> AnyTensor {
      .int64(Tensor(shape: shape, elements: words(type).map { Int64($0) }))
    }
    func packed(_ dtype: DType) -> AnyTensor {
      .packed(PackedTensor(dtype, patterns: Tensor(shape: shape, elements: words())))
    }
    switch entry.type {
    case .float64: return .float64(Tensor(shape: shape, elements: words().map(Double.init(bitPattern:))))
    case .float32: return .float32(Tensor(shape: shape, elements: words().map(Float.init(bitPattern:))))
    case .float16: return packed(.float16)
    case .bfloat16: return packed(.bfloat16)
    case .int64: return integers(Int64.self)
    case .int32: return integers(Int32.self)
    case .int16: return integers(Int16.self)
    case .int8: return integers(Int8.self)
    case .uint32: return integers(UInt32.self)
    case .uint16: return integers(UInt16.self)
    case .uint8: return integers(UInt8.self)
    case .uint64, .boolean:
      let elements = entry.type == .boolean ? words(UInt8.self).map(UInt64.init) : words(UInt64.self)
      let largest: UInt64 = entry.type == .boolean ? 1 : UInt64(Int64.max)
      if let index = elements.firstIndex(where: { $0 > largest }) {
        throw GoldenFileError(
          .wrongType, file: path, object: "/\(entry.name)[\(index)]", expected: "a value from 0 to \(largest)",
          found: "\(elements[index])")
      }
      return .int64(Tensor(shape: shape, elements: elements.map { Int64($0) }))
    }
  }

  /// Little-endian numbers, from any byte on: copied as a whole, since there are a hundred million bytes of ResNet-50.
  private static func words<Word: FixedWidthInteger>(_ bytes: [UInt8], _ range: Range<Int>) -> [Word] {
    let count = range.count / MemoryLayout<Word>.size
    return [Word](unsafeUninitializedCapacity: count) { words, initialized in
      bytes.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(words).copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
      }
      initialized = count
    }.map(Word.init(littleEndian:))
  }

  // MARK: Writing

  /// Writes the file under a temporary name and renames it: a run that dies leaves the last complete one.
  /// - Throws: `AtomicFile.Failure`.
  public func write(to path: String) throws(AtomicFile.Failure) { try AtomicFile.write(data, to: path) }

  /// The whole file. Wide elements come first, as the format's own writer has it, so that each tensor is aligned.
  var data: Data {
    let types = tensors.mapValues { SafetensorsType($0.dtype) }
    func rank(_ name: String) -> (Int, String) { (-(types[name]?.byteCount ?? 0), name) }
    var header = SafetensorsHeader(metadata: metadata)
    var elements: [UInt8] = []
    for (name, tensor) in tensors.sorted(by: { rank($0.key) < rank($1.key) }) {
      let begin = elements.count
      Self.append(tensor, to: &elements)
      header.entries.append(
        .init(
          name: name, type: SafetensorsType(tensor.dtype), shape: tensor.shape.dimensions, begin: begin,
          end: elements.count))
    }
    let json = header.json
    let length = (0..<SafetensorsHeader.lengthBytes).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) }
    return Data(length) + Data(json) + Data(elements)
  }

  private static func append(_ tensor: AnyTensor, to bytes: inout [UInt8]) {
    func append<Word: FixedWidthInteger>(_ words: [Word]) {
      words.map(\.littleEndian).withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
    switch tensor {
    case .float64(let tensor): append(tensor.elements.map(\.bitPattern))
    case .float32(let tensor): append(tensor.elements.map(\.bitPattern))
    case .packed(let tensor): append(tensor.patterns.elements)
    case .int64(let tensor): append(tensor.elements)
    }
  }
}
