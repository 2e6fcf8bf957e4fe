import CHDF5

/// One chunk of a dataset that has storage in the file.
public struct HDF5Chunk: Sendable, Hashable {
  /// The position of its first element in the dataset.
  public let offset: [Int]
  /// One bit for each filter of the pipeline, in its order, that was not applied to this chunk.
  public let skippedFilters: UInt32
  /// Its size in the file, after the filters.
  public let storedBytes: Int
}

extension HDF5Dataset {
  /// Whether storage exists for every element, and is found. Elements without any read as the fill value, which is not
  /// data.
  public func isFullyAllocated() throws(HDF5Error) -> Bool {
    let storage = try storage()
    guard let shape = try dataspace().shape, !shape.contains(0) else { return true }
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    var status = H5D_SPACE_STATUS_ERROR
    guard H5Dget_space_status(location.id, &status) >= 0 else {
      throw location.failure(expected: "the dataset's storage")
    }
    guard storage.layout == .chunked else { return status == H5D_SPACE_STATUS_ALLOCATED }
    // The library's own status compares compressed bytes with uncompressed ones, so the chunks are counted instead.
    guard let stored = try chunkCount() else { return status != H5D_SPACE_STATUS_NOT_ALLOCATED }
    guard let needed = HDF5Dataspace.product(zip(shape, storage.chunk).map { ($0 - 1) / $1 + 1 }), stored >= needed
    else { return false }
    // A damaged index can hold the right number of chunks and still not find one: it would read as the fill value.
    var offset = [Int](repeating: 0, count: shape.count)
    for _ in 0..<needed {
      var bytes: hsize_t = 0
      guard assay_h5_chunk_bytes(location.id, offset.map { hsize_t($0) }, &bytes) >= 0 else {
        throw location.failure(expected: "a readable index of chunks")
      }
      guard bytes > 0 else { return false }
      for axis in shape.indices.reversed() {
        offset[axis] += storage.chunk[axis]
        if offset[axis] < shape[axis] { break }
        offset[axis] = 0
      }
    }
    return true
  }

  /// The chunks that have storage; nil when they are too many to list, or the library is older than 1.10.5.
  public func chunks() throws(HDF5Error) -> [HDF5Chunk]? {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    // The library walks its index from the start for each chunk: quadratic time.
    guard let count = try chunkCount(), count <= 4096 else { return nil }
    let space = try storedSpace()
    let rank = try HDF5Dataspace(space, at: location, object: path).shape?.count ?? 0
    var chunks: [HDF5Chunk] = []
    for index in 0..<count {
      var offset = [hsize_t](repeating: 0, count: max(rank, 1))
      var skipped: UInt32 = 0
      var bytes: hsize_t = 0
      guard assay_h5_chunk(location.id, space.id, hsize_t(index), &offset, &skipped, &bytes) >= 0 else {
        throw location.failure(expected: "a readable index of chunks")
      }
      chunks.append(
        HDF5Chunk(
          offset: offset.prefix(rank).map { Int(clamping: $0) }, skippedFilters: skipped,
          storedBytes: Int(clamping: bytes)))
    }
    return chunks
  }

  /// To be called under the lock; nil when the library cannot tell.
  private func chunkCount() throws(HDF5Error) -> Int? {
    guard assay_h5_can_list_chunks() != 0 else { return nil }
    let space = try storedSpace()
    var count: hsize_t = 0
    guard assay_h5_chunk_count(location.id, space.id, &count) >= 0 else {
      throw location.failure(expected: "a readable index of chunks")
    }
    return Int(clamping: count)
  }
}
