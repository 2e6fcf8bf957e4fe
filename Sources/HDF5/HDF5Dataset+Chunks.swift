import CHDF5

/// One chunk of a dataset that has storage in the file.
public struct HDF5Chunk: Sendable, Hashable {
  /// The position of its first element in the dataset.
  public let offset: [Int]
  /// One bit for each filter of the pipeline, in its order, that was not applied to this chunk.
  public let skippedFilters: UInt32
  /// Its size in the file, after the filters; 0 when it was never written, or cannot be found.
  public let storedBytes: Int
}

extension HDF5Dataset {
  /// Whether storage exists for every element, and is found. Elements without any read as the fill value, which is not
  /// data.
  public func isFullyAllocated() throws(HDF5Error) -> Bool {
    if let chunks = try chunks() { return chunks.allSatisfy { $0.storedBytes > 0 } }
    guard let shape = try dataspace().shape, !shape.contains(0) else { return true }
    let storage = try storage()
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    var status = H5D_SPACE_STATUS_ERROR
    guard H5Dget_space_status(location.id, &status) >= 0 else {
      throw location.failure(expected: "the dataset's storage")
    }
    // The library's own status of chunks compares compressed bytes with uncompressed ones.
    return storage.layout == .chunked
      ? status != H5D_SPACE_STATUS_NOT_ALLOCATED : status == H5D_SPACE_STATUS_ALLOCATED
  }

  /// How many chunks its extent is cut into; nil unless it is chunked and has elements.
  public func chunkCount() throws(HDF5Error) -> Int? {
    let storage = try storage()
    guard storage.layout == .chunked, let shape = try dataspace().shape, !shape.contains(0) else { return nil }
    return HDF5Dataspace.product(zip(shape, storage.chunk).map { ($0 - 1) / $1 + 1 }) ?? .max
  }

  /// Every chunk of its extent in order, each found by the look-up that reading makes: a damaged index can hold the right
  /// number of chunks and still not find one, which would read as the fill value.
  ///
  /// One look-up a chunk: see ``chunkCount()`` first. Nil unless the dataset is chunked and has elements, or when the library
  /// is older than 1.10.5 and cannot tell.
  public func chunks() throws(HDF5Error) -> [HDF5Chunk]? {
    guard assay_h5_can_list_chunks() != 0, let needed = try chunkCount(), let shape = try dataspace().shape else {
      return nil
    }
    let chunk = try storage().chunk
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    var chunks: [HDF5Chunk] = []
    var offset = [Int](repeating: 0, count: shape.count)
    for _ in 0..<needed {
      var skipped: UInt32 = 0
      var bytes: hsize_t = 0
      guard assay_h5_chunk(location.id, offset.map { hsize_t($0) }, &skipped, &bytes) >= 0 else {
        throw location.failure(expected: "a readable index of chunks")
      }
      chunks.append(HDF5Chunk(offset: offset, skippedFilters: skipped, storedBytes: Int(clamping: bytes)))
      for axis in shape.indices.reversed() {
        offset[axis] += chunk[axis]
        if offset[axis] < shape[axis] { break }
        offset[axis] = 0
      }
    }
    return chunks
  }

  /// The bytes of a chunk as they are in the file, filters still applied.
  public func storedBytes(of chunk: HDF5Chunk) throws(HDF5Error) -> [UInt8] {
    guard chunk.storedBytes <= location.limits.maximumObjectBytes else {
      throw location.error(
        .tooLarge, expected: "chunks of at most \(location.limits.maximumObjectBytes) bytes",
        found: "\(chunk.storedBytes) at \(chunk.offset)", advice: "the file seems damaged")
    }
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    var bytes = [UInt8](repeating: 0, count: chunk.storedBytes)
    guard assay_h5_read_stored_chunk(location.id, chunk.offset.map { hsize_t($0) }, &bytes) >= 0 else {
      throw location.failure(expected: "a readable chunk at \(chunk.offset)")
    }
    return bytes
  }
}
