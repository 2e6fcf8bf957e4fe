import HDF5
import Problems
import Tensors

/// A tensor that was looked at and may be read: within the limits, all of it in the file, a recipe, or a shape alone.
struct AdmittedTensor {
  let dataset: HDF5Dataset
  let type: TensorType
  fileprivate var recipe: Recipe?
  /// Whether its numbers come in another file.
  fileprivate var isLate = false

  /// How a procedural tensor is computed.
  fileprivate struct Recipe {
    let seed: UInt64
    let low: Double
    let high: Double
  }
}

/// Reads tensors, each after everything about it was looked at: link, type, extent, storage, filters.
package struct GoldenTensorReader {
  package let file: String
  let limits: GoldenLimits
  /// Whether a tensor may be a shape alone, whose numbers come later; it reads as zeros.
  private let acceptsLate: Bool
  /// Bytes of all tensors that were read so far, against the cap for the whole file.
  private var totalBytes = 0
  /// Of those since ``startCase()``, against the cap for one case.
  private var caseBytes = 0
  private var chunkCount = 0

  package init(file: String, limits: GoldenLimits, acceptsLate: Bool = false) {
    self.file = file
    self.limits = limits
    self.acceptsLate = acceptsLate
  }

  /// From here on tensors count as another case's.
  mutating func startCase() { caseBytes = 0 }

  package mutating func read(_ dataset: HDF5Dataset) throws(GoldenFileError) -> AnyTensor { try read(admit(dataset)) }

  /// Looks at everything about a tensor but its elements: floats of 16 bits stand as what they are, others of up to 32 bits as
  /// float32, larger ones as float64, integers and booleans as int64. Patterns of 16 bits that say so are bfloat16.
  mutating func admit(_ dataset: HDF5Dataset) throws(GoldenFileError) -> AdmittedTensor {
    let stored = try translating { () throws(HDF5Error) in try dataset.datatype() }
    let space = try translating { () throws(HDF5Error) in try dataset.dataspace() }
    guard let extents = space.shape else {
      if let late = try late(dataset, stored) { return late }
      return try procedural(dataset)
    }
    let dtype = try dtype(of: dataset, stored)
    // Values of 16 bits are widened.
    let shape = try admit(dataset, stored, extents, bytesPerElement: max(dtype.byteCount, DType.float32.byteCount))
    return AdmittedTensor(dataset: dataset, type: TensorType(shape, dtype))
  }

  private func dtype(of dataset: HDF5Dataset, _ stored: HDF5Datatype) throws(GoldenFileError) -> DType {
    switch stored.kind {
    case .integer where try isPattern(dataset, stored): .bfloat16
    case .integer, .boolean: .int64
    case .bfloat16: .bfloat16
    case .floatingPoint where stored.byteCount == 2: .float16
    case .floatingPoint where stored.byteCount <= 4: .float32
    case .floatingPoint where stored.byteCount <= 8: .float64
    default:
      throw error(
        .wrongType, dataset.path, "integers or floats of at most 64 bits", "\(stored)", "store it as numbers")
    }
  }

  /// Whether unsigned integers are bfloat16's bits.
  private func isPattern(_ dataset: HDF5Dataset, _ stored: HDF5Datatype) throws(GoldenFileError) -> Bool {
    guard stored.kind == .integer(signed: false), stored.byteCount == 2 else { return false }
    return try GoldenAttributes(object: dataset, file: file).boolean("bfloat16", default: false)
  }

  /// Looks at how a tensor's elements are stored, and counts what they take in memory.
  package mutating func admit(
    _ dataset: HDF5Dataset, _ stored: HDF5Datatype, _ extents: [Int], bytesPerElement: Int
  ) throws(GoldenFileError) -> Shape {
    let storage = try checkStorage(dataset)
    let chunkBytes = storage.chunk.reduce(SaturatingCount(stored.byteCount)) { $0 * SaturatingCount($1) }
    let shape = try admit(
      extents, bytesPerElement: bytesPerElement, chunkBytes: storage.layout == .chunked ? chunkBytes : 0,
      at: dataset.path)
    if shape.count > 0 { try checkChunks(dataset, storage, chunkBytes: chunkBytes.value, shape) }
    return shape
  }

  /// The elements of a tensor that was looked at.
  func read(_ admitted: AdmittedTensor) throws(GoldenFileError) -> AnyTensor {
    let (dataset, shape) = (admitted.dataset, admitted.type.shape)
    if admitted.isLate { return AnyTensor(zeros: admitted.type) }
    if let recipe = admitted.recipe {
      return .float32(Tensor(splitMix64Uniform: shape, seed: recipe.seed, low: recipe.low, high: recipe.high))
    }
    switch admitted.type.dtype {
    case .int64:
      let type = try translating { () throws(HDF5Error) in try dataset.datatype() }
      guard type.kind == .boolean else { return .int64(Tensor(shape: shape, elements: try elements(dataset, shape))) }
      let values = try translating { () throws(HDF5Error) in try dataset.readBooleans() }
      return .int64(Tensor(shape: shape, elements: values.map { $0 ? 1 : 0 }))
    case .float32: return .float32(Tensor(shape: shape, elements: try elements(dataset, shape)))
    case .float64: return .float64(Tensor(shape: shape, elements: try elements(dataset, shape)))
    default: return .packed(try packed(dataset, admitted.type))
    }
  }

  private func packed(_ dataset: HDF5Dataset, _ type: TensorType) throws(GoldenFileError) -> PackedTensor {
    let stored = try translating { () throws(HDF5Error) in try dataset.datatype() }
    if stored.isInteger {
      return PackedTensor(type.dtype, patterns: Tensor(shape: type.shape, elements: try elements(dataset, type.shape)))
    }
    // The library widens without rounding.
    let values: [Float] = try elements(dataset, type.shape)
    return PackedTensor(type.dtype, rounding: Tensor(shape: type.shape, elements: values.map { Double($0) }))
  }

  /// A group with `indices` and `values` that stands for a large expected tensor.
  mutating func readSample(_ group: HDF5Group) throws(GoldenFileError) -> SampledTensor {
    let attributes = GoldenAttributes(object: group, file: file)
    guard let extents = try attributes.integers("shape") else { throw missing(group, "@shape", "the tensor's shape") }
    // The tensor itself is never made, so only its own size is checked, not the room for it.
    guard extents.count <= limits.maximumRank, let shape = Shape(validating: extents) else {
      throw attributes.wrong(
        "shape", expected: "at most \(limits.maximumRank) extents with a product below 2^63", found: "\(extents)",
        kind: .tooLarge)
    }
    let stored = try read(try member("indices", of: group))
    guard let indices = stored.integers?.elements else {
      throw error(.wrongType, group.path + "/indices", "integers", stored.dtype.rawValue, "store row-major positions")
    }
    let values = try read(try member("values", of: group))
    guard values.dtype != .int64 else {
      throw error(.wrongType, group.path + "/values", "floats", values.dtype.rawValue, "store them as float64")
    }
    guard stored.shape.rank <= 1, values.shape.count == indices.count, !indices.isEmpty || shape.count == 0 else {
      throw error(
        .inconsistent, group.path, "one value for each index, and at least one",
        "\(indices.count) indices and \(values.shape.count) values", "generate the file again")
    }
    guard let outside = indices.first(where: { $0 < 0 || $0 >= shape.count }) else {
      return SampledTensor(
        shape: shape, indices: indices.map { Int($0) }, values: values.doubles.elements,
        l2Norm: try figure("l2_norm", of: group), sum: try figure("sum", of: group),
        absMax: try figure("abs_max", of: group))
    }
    throw error(
      .inconsistent, group.path + "/indices", "positions below \(shape.count)", "\(outside)", "generate the file again")
  }

  private func figure(_ name: String, of group: HDF5Group) throws(GoldenFileError) -> Double {
    guard let number = try GoldenAttributes(object: group, file: file).number(name) else {
      throw missing(group, "@\(name)", "a figure over the whole tensor")
    }
    return number
  }

  private func member(_ name: String, of group: HDF5Group) throws(GoldenFileError) -> HDF5Dataset {
    try translating { () throws(HDF5Error) in try group.dataset(name) }
  }

  /// A tensor of which the file gives type and shape alone, where that is allowed; `nil` for one with a recipe.
  private mutating func late(_ dataset: HDF5Dataset, _ stored: HDF5Datatype) throws(GoldenFileError) -> AdmittedTensor?
  {
    let attributes = GoldenAttributes(object: dataset, file: file)
    guard acceptsLate, try attributes.string("procedural") == nil else { return nil }
    guard let extents = try attributes.integers("shape") else {
      throw missing(dataset, "@shape", "the shape of a tensor whose numbers come later")
    }
    let dtype = try dtype(of: dataset, stored)
    let shape = try admit(extents, bytesPerElement: max(dtype.byteCount, DType.float32.byteCount), at: dataset.path)
    return AdmittedTensor(dataset: dataset, type: TensorType(shape, dtype), isLate: true)
  }

  /// A tensor that the file gives only the recipe of.
  private mutating func procedural(_ dataset: HDF5Dataset) throws(GoldenFileError) -> AdmittedTensor {
    let attributes = GoldenAttributes(object: dataset, file: file)
    guard let fill = try attributes.string("procedural") else {
      throw error(
        .missing, dataset.path, "elements, or the attribute procedural", "a null dataspace",
        "store the tensor, or give its recipe")
    }
    guard fill == GoldenSchema.proceduralFill else {
      throw attributes.wrong(
        "procedural", expected: "\"\(GoldenSchema.proceduralFill)\"", found: "\"\(fill)\"", kind: .inconsistent)
    }
    guard let extents = try attributes.integers("shape") else {
      throw missing(dataset, "@shape", "the tensor's shape")
    }
    guard let seed = try attributes.value("seed")?.unsigned else {
      throw missing(dataset, "@seed", "a seed from 0 to 2^64 - 1")
    }
    guard let low = try attributes.number("low"), let high = try attributes.number("high"), low.isFinite, high.isFinite
    else { throw missing(dataset, "@low", "finite numbers low and high") }
    let shape = try admit(extents, bytesPerElement: DType.float32.byteCount, at: dataset.path)
    return AdmittedTensor(
      dataset: dataset, type: TensorType(shape), recipe: AdmittedTensor.Recipe(seed: seed, low: low, high: high))
  }

  /// Checks rank and size against the caps, and counts the bytes.
  /// - Parameter chunkBytes: what one chunk takes beside the tensor while it is read.
  private mutating func admit(
    _ extents: [Int], bytesPerElement: Int, chunkBytes: SaturatingCount = 0, at path: String
  ) throws(GoldenFileError) -> Shape {
    guard extents.count <= limits.maximumRank else {
      throw error(
        .tooLarge, path, "at most \(limits.maximumRank) dimensions", "\(extents.count)", "use fewer dimensions")
    }
    guard let shape = Shape(validating: extents),
      SaturatingCount.product(shape.count, bytesPerElement) + chunkBytes <= SaturatingCount(limits.tensorBytes)
    else {
      throw error(
        .tooLarge, path, "a tensor of at most \(limits.tensorBytes) bytes, one chunk included", "extents \(extents)",
        "store samples of it, or a smaller tensor, or raise the limit with --max-memory")
    }
    let bytes = shape.count * bytesPerElement
    guard bytes <= limits.computation.maximumBytes - caseBytes else {
      throw error(
        .tooLarge, path, "at most \(limits.computation.maximumBytes) bytes of tensors in one case", "more",
        "split the case, or raise the limit with --max-memory")
    }
    guard bytes <= limits.maximumTotalBytes - totalBytes else {
      throw error(
        .tooLarge, path, "at most \(limits.maximumTotalBytes) bytes of tensors in one file", "more", "split the file")
    }
    caseBytes += bytes
    totalBytes += bytes
    return shape
  }

  private func checkStorage(_ dataset: HDF5Dataset) throws(GoldenFileError) -> HDF5Storage {
    let storage = try translating { () throws(HDF5Error) in try dataset.storage() }
    guard storage.externalFileCount == 0, [.compact, .contiguous, .chunked].contains(storage.layout) else {
      let found = storage.externalFileCount > 0 ? "data in external files" : "\(storage.layout) storage"
      throw error(.refused, dataset.path, "data inside the file", found, "copy the data into the file")
    }
    if let filter = storage.filters.first(where: { ![.shuffle, .deflate, .fletcher32].contains($0) }) {
      throw error(
        .refused, dataset.path, "no filters but shuffle, deflate and fletcher32", "\(filter)", "store it without")
    }
    // What a compressed chunk becomes can be told from its bytes only when compression is the last but for the checksum.
    let compressed = storage.filters.drop { $0 != .deflate }.dropFirst()
    guard compressed.allSatisfy({ $0 == .fletcher32 }), Set(storage.filters).count == storage.filters.count else {
      let found = storage.filters.map(\.description).joined(separator: ", ")
      throw error(
        .refused, dataset.path, "shuffle, deflate, fletcher32, each at most once and in this order", found,
        "store it with the usual order of filters")
    }
    return storage
  }

  /// Looks up every chunk: all must be there, with every filter, and inflate to no more than a chunk.
  private mutating func checkChunks(
    _ dataset: HDF5Dataset, _ storage: HDF5Storage, chunkBytes: Int, _ shape: Shape
  ) throws(GoldenFileError) {
    let count = try translating { () throws(HDF5Error) in try dataset.chunkCount() } ?? 0
    guard count <= limits.maximumChunks - chunkCount else {
      throw error(
        .tooLarge, dataset.path, "at most \(limits.maximumChunks) chunks in one file", "more",
        "store it in larger chunks (\(storage.chunk) here)")
    }
    chunkCount += count
    guard let chunks = try translating({ () throws(HDF5Error) in try dataset.chunks() }) else {
      guard try translating({ () throws(HDF5Error) in try dataset.isFullyAllocated() }) else {
        throw unwritten(dataset, shape)
      }
      return
    }
    guard chunks.allSatisfy({ $0.storedBytes > 0 }) else { throw unwritten(dataset, shape) }
    for chunk in chunks { try check(chunk, of: dataset, storage, chunkBytes: chunkBytes) }
  }

  private func check(
    _ chunk: HDF5Chunk, of dataset: HDF5Dataset, _ storage: HDF5Storage, chunkBytes: Int
  ) throws(GoldenFileError) {
    let checksumBytes = storage.filters.contains(.fletcher32) ? 4 : 0
    // A filter that a chunk was stored without is one whose work (a checksum, say) nobody checks on reading. Only where
    // compression did not make a chunk smaller does a writer leave it out.
    let skipped = storage.filters.enumerated().filter { chunk.skippedFilters >> UInt32($0.offset) & 1 == 1 }
    guard skipped.isEmpty || skipped.map(\.element) == [.deflate] && chunk.storedBytes == chunkBytes + checksumBytes
    else {
      throw error(
        .damaged, dataset.path, "every filter on every chunk",
        "the chunk at \(chunk.offset) without \(skipped.map(\.element.description).joined(separator: ", "))",
        "the file seems damaged: fetch or generate it again")
    }
    // Deflate at its worst adds five bytes to each 16 KiB, and a header.
    guard chunk.storedBytes <= chunkBytes + chunkBytes / 2048 + 64 else {
      throw error(
        .damaged, dataset.path, "chunks of \(chunkBytes) bytes",
        "\(chunk.storedBytes) stored bytes for the one at \(chunk.offset)",
        "the file seems damaged: fetch or generate it again")
    }
    guard storage.filters.contains(.deflate), skipped.isEmpty, limits.countsInflatedBytes,
      // A byte becomes 1032 at most.
      chunk.storedBytes * 1032 > max(2 * chunkBytes, 1 << 20)
    else { return }
    let stored = try translating { () throws(HDF5Error) in try dataset.storedBytes(of: chunk) }
    let limit = chunkBytes + checksumBytes
    if let length = DeflateStream.inflatedLength(of: stored, limit: limit), length > limit {
      throw error(
        .refused, dataset.path, "chunks that inflate to \(limit) bytes", "one at \(chunk.offset) that inflates to more",
        "the file is damaged or hostile: do not use it")
    }
  }

  private func unwritten(_ dataset: HDF5Dataset, _ shape: Shape) -> GoldenFileError {
    error(
      .missing, dataset.path, "\(shape.count) stored elements", "elements that were never written",
      "the writer did not finish, or the file is damaged")
  }

  package func elements<Element: HDF5Element>(
    _ dataset: HDF5Dataset, _ shape: Shape
  ) throws(GoldenFileError) -> [Element] {
    let elements = try translating { () throws(HDF5Error) in try dataset.read(Element.self) }
    guard elements.count == shape.count else {
      throw error(.damaged, dataset.path, "\(shape.count) elements", "\(elements.count)", "the file seems damaged")
    }
    return elements
  }

  private func missing(_ object: any HDF5Object, _ name: String, _ expected: String) -> GoldenFileError {
    error(.missing, object.path + name, expected, "none", "Fixtures/FORMAT.md says what must be there")
  }

  private func error(
    _ kind: GoldenFileError.Kind, _ object: String, _ expected: String, _ found: String, _ advice: String
  ) -> GoldenFileError {
    GoldenFileError(kind, file: file, object: object, expected: expected, found: found, advice: advice)
  }
}
