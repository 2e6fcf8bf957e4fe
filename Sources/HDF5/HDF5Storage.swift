import CHDF5

/// One filter of a dataset's pipeline, by its registered number.
public struct HDF5Filter: Sendable, Hashable, CustomStringConvertible {
  public let identifier: Int

  public init(identifier: Int) { self.identifier = identifier }

  public static let deflate = HDF5Filter(identifier: 1)
  public static let shuffle = HDF5Filter(identifier: 2)
  public static let fletcher32 = HDF5Filter(identifier: 3)

  public var description: String {
    switch identifier {
    case 1: "deflate"
    case 2: "shuffle"
    case 3: "fletcher32"
    case 4: "szip"
    case 5: "nbit"
    case 6: "scaleoffset"
    default: "filter \(identifier)"
    }
  }
}

/// How a dataset lies in its file, as its creation property list says: to be looked at before anything is read.
public struct HDF5Storage: Sendable, Equatable {
  public enum Layout: String, Sendable { case compact, contiguous, chunked, virtual, unknown }

  public let layout: Layout
  /// The extents of a chunk; empty unless the layout is chunked.
  public let chunk: [Int]
  /// In the order in which writing applies them.
  public let filters: [HDF5Filter]
  /// Raw files outside this one that hold the data.
  public let externalFileCount: Int

  /// Reads a creation property list. To be called under the lock.
  init(_ list: HDF5Handle, rank: Int, at location: HDF5Location) throws(HDF5Error) {
    switch H5Pget_layout(list.id) {
    case H5D_COMPACT: layout = .compact
    case H5D_CONTIGUOUS: layout = .contiguous
    case H5D_CHUNKED: layout = .chunked
    case H5D_VIRTUAL: layout = .virtual
    default: layout = .unknown
    }
    var chunk: [Int] = []
    if layout == .chunked {
      var extents = [hsize_t](repeating: 0, count: 33)
      let count = Int(H5Pget_chunk(list.id, 33, &extents))
      guard count == rank else {
        throw location.failure(
          expected: "chunks of \(rank) dimensions", found: "chunks of \(count) dimensions")
      }
      for extent in extents.prefix(count) {
        guard extent > 0, let size = Int(exactly: extent) else {
          throw location.error(
            .damaged, expected: "positive chunk extents", found: "\(extent)", advice: "the file seems damaged")
        }
        chunk.append(size)
      }
    }
    self.chunk = chunk
    let count = H5Pget_nfilters(list.id)
    guard count >= 0 else { throw location.failure(expected: "a filter pipeline") }
    var filters: [HDF5Filter] = []
    for index in 0..<count {
      var flags: UInt32 = 0
      var values = 0
      let identifier = H5Pget_filter2(list.id, UInt32(index), &flags, &values, nil, 0, nil, nil)
      guard identifier >= 0 else { throw location.failure(expected: "a filter") }
      filters.append(HDF5Filter(identifier: Int(identifier)))
    }
    self.filters = filters
    let external = H5Pget_external_count(list.id)
    guard external >= 0 else { throw location.failure(expected: "a list of external files") }
    externalFileCount = Int(external)
  }
}

/// How a new dataset is to be stored.
public struct HDF5DatasetOptions: Sendable, Equatable {
  /// nil: contiguous, unless a filter asks for chunks, which are then chosen.
  public var chunk: [Int]?
  public var shuffle: Bool
  /// 1 (fast) to 9 (small); nil does not compress.
  public var deflateLevel: Int?
  public var fletcher32: Bool

  public init(chunk: [Int]? = nil, shuffle: Bool = false, deflateLevel: Int? = nil, fletcher32: Bool = false) {
    self.chunk = chunk
    self.shuffle = shuffle
    self.deflateLevel = deflateLevel
    self.fletcher32 = fletcher32
  }

  public static let contiguous = HDF5DatasetOptions()
  /// Shuffle, gzip and a checksum on every chunk.
  public static let compressed = HDF5DatasetOptions(shuffle: true, deflateLevel: 6, fletcher32: true)

  /// The chunk to use: the given one, or the shape halved from the front until it fits in a mebibyte (libhdf5's cache
  /// of chunks); nil for contiguous storage, which is also what an empty dataset or a scalar gets.
  func chunk(for shape: [Int], elementBytes: Int) -> [Int]? {
    guard !shape.isEmpty, !shape.contains(0) else { return nil }
    if let chunk { return chunk }
    guard shuffle || fletcher32 || deflateLevel != nil else { return nil }
    var chunk = shape
    for axis in chunk.indices {
      while chunk[axis] > 1, (HDF5Dataspace.product(chunk) ?? .max) > (1 << 20) / max(elementBytes, 1) {
        chunk[axis] = (chunk[axis] + 1) / 2
      }
    }
    return chunk
  }

  /// A creation property list. To be called under the lock.
  func handle(for shape: [Int], elementBytes: Int, at location: HDF5Location, object: String) throws(HDF5Error)
    -> HDF5Handle
  {
    let list = try location.own(
      H5Pcreate(assay_h5_dataset_create_class()), .propertyList, expected: "a property list", object: object)
    // Modification times would make two writings of the same content differ.
    var done = H5Pset_obj_track_times(list.id, false) >= 0
    if let chunk = chunk(for: shape, elementBytes: elementBytes) {
      guard chunk.count == shape.count, chunk.allSatisfy({ $0 > 0 }) else {
        throw location.error(
          .wrongShape, object: object, expected: "\(shape.count) positive chunk extents", found: "\(chunk)", advice: "")
      }
      done = done && H5Pset_chunk(list.id, Int32(chunk.count), chunk.map { hsize_t($0) }) >= 0
      if shuffle { done = done && H5Pset_shuffle(list.id) >= 0 }
      if let deflateLevel { done = done && H5Pset_deflate(list.id, UInt32(clamping: deflateLevel)) >= 0 }
      if fletcher32 { done = done && H5Pset_fletcher32(list.id) >= 0 }
    }
    guard done else {
      throw location.failure(
        .cannotWrite, object: object, expected: "these storage options to be valid",
        advice: "check the chunk's size (below 4 GiB) and the deflate level (0 to 9)")
    }
    return list
  }
}
