import HDF5
import Tensors

/// Reads one tensor, after everything about it was looked at: link, type, extent, storage, filters.
struct GoldenTensorReader {
  let file: String
  let limits: GoldenLimits
  /// Bytes of all tensors that were read so far, against the cap for the whole file.
  private(set) var totalBytes = 0

  init(file: String, limits: GoldenLimits) {
    self.file = file
    self.limits = limits
  }

  /// A tensor as it stands: floats of up to 32 bits as float32, larger ones as float64, integers as int64.
  mutating func read(_ dataset: HDF5Dataset) throws(GoldenFileError) -> AnyTensor {
    let type = try translating { () throws(HDF5Error) in try dataset.datatype() }
    let space = try translating { () throws(HDF5Error) in try dataset.dataspace() }
    guard let extents = space.shape else { return .float32(try procedural(dataset)) }
    let isWide = type.byteCount > 4 || type.isInteger
    let shape = try admit(extents, bytesPerElement: isWide ? 8 : 4, at: dataset.path)
    try checkStorage(dataset, shape: shape)
    switch type.kind {
    case .integer:
      return .int64(Tensor(shape: shape, elements: try elements(dataset, shape)))
    case .boolean:
      let values = try translating { () throws(HDF5Error) in try dataset.readBooleans() }
      return .int64(Tensor(shape: shape, elements: values.map { $0 ? 1 : 0 }))
    case .floatingPoint where type.byteCount <= 4:
      return .float32(Tensor(shape: shape, elements: try elements(dataset, shape)))
    case .floatingPoint where type.byteCount <= 8:
      return .float64(Tensor(shape: shape, elements: try elements(dataset, shape)))
    default:
      throw error(.wrongType, dataset.path, "integers or floats of at most 64 bits", "\(type)", "store it as numbers")
    }
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

  /// Computes a tensor that the file gives only the recipe of.
  private mutating func procedural(_ dataset: HDF5Dataset) throws(GoldenFileError) -> Tensor<Float> {
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
    let shape = try admit(extents, bytesPerElement: 4, at: dataset.path)
    return Tensor(splitMix64Uniform: shape, seed: seed, low: low, high: high)
  }

  /// Checks rank and size against the caps, and counts the bytes.
  mutating func admit(_ extents: [Int], bytesPerElement: Int, at path: String) throws(GoldenFileError) -> Shape {
    guard extents.count <= limits.maximumRank else {
      throw error(
        .tooLarge, path, "at most \(limits.maximumRank) dimensions", "\(extents.count)", "use fewer dimensions")
    }
    guard let shape = Shape(validating: extents),
      case (let bytes, false) = shape.count.multipliedReportingOverflow(by: bytesPerElement),
      bytes <= limits.maximumTensorBytes
    else {
      throw error(
        .tooLarge, path, "a tensor of at most \(limits.maximumTensorBytes) bytes", "extents \(extents)",
        "store samples of it, or a smaller tensor")
    }
    guard bytes <= limits.maximumTotalBytes - totalBytes else {
      throw error(
        .tooLarge, path, "at most \(limits.maximumTotalBytes) bytes of tensors in one file", "more", "split the file")
    }
    totalBytes += bytes
    return shape
  }

  func checkStorage(_ dataset: HDF5Dataset, shape: Shape) throws(GoldenFileError) {
    let storage = try translating { () throws(HDF5Error) in try dataset.storage() }
    guard storage.externalFileCount == 0, [.compact, .contiguous, .chunked].contains(storage.layout) else {
      let found = storage.externalFileCount > 0 ? "data in external files" : "\(storage.layout) storage"
      throw error(.refused, dataset.path, "data inside the file", found, "copy the data into the file")
    }
    if let filter = storage.filters.first(where: { ![.shuffle, .deflate, .fletcher32].contains($0) }) {
      throw error(
        .refused, dataset.path, "no filters but shuffle, deflate and fletcher32", "\(filter)", "store it without")
    }
    guard shape.count > 0 else { return }
    guard try translating({ () throws(HDF5Error) in try dataset.isFullyAllocated() }) else {
      throw error(
        .missing, dataset.path, "\(shape.count) stored elements", "elements that were never written",
        "the writer did not finish, or the file is damaged")
    }
    try checkChunks(dataset, storage)
  }

  /// A filter that a chunk was stored without is one whose work (a checksum, say) nobody checks on reading. Only where
  /// compression did not make a chunk smaller does a writer leave it out.
  private func checkChunks(_ dataset: HDF5Dataset, _ storage: HDF5Storage) throws(GoldenFileError) {
    guard storage.layout == .chunked, !storage.filters.isEmpty else { return }
    let type = try translating { () throws(HDF5Error) in try dataset.datatype() }
    let plainBytes = storage.chunk.reduce(type.byteCount) { $0.multipliedReportingOverflow(by: $1).partialValue }
    let checksumBytes = storage.filters.contains(.fletcher32) ? 4 : 0
    for chunk in try translating({ () throws(HDF5Error) in try dataset.chunks() }) ?? [] where chunk.skippedFilters != 0
    {
      let skipped = storage.filters.enumerated().filter { chunk.skippedFilters >> UInt32($0.offset) & 1 == 1 }
      guard skipped.map(\.element) == [.deflate], chunk.storedBytes == plainBytes + checksumBytes else {
        throw error(
          .damaged, dataset.path, "every filter on every chunk",
          "the chunk at \(chunk.offset) without \(skipped.map(\.element.description).joined(separator: ", "))",
          "the file seems damaged: fetch or generate it again")
      }
    }
  }

  func elements<Element: HDF5Element>(
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
