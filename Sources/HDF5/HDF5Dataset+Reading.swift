import CHDF5

extension HDF5Dataset {
  /// All elements, row-major; `slab` restricts them to a box.
  ///
  /// Integers of any size are read as any integer type, and an element that does not fit is an error; floats are read as
  /// floats of the same or a larger size. External and virtual storage is refused. A null dataspace gives no elements.
  public func read<Element: HDF5Element>(
    _ element: Element.Type = Element.self, slab: HDF5Hyperslab? = nil
  ) throws(HDF5Error) -> [Element] {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let type = try HDF5Datatype(try storedType(), at: location, object: path)
    guard Element.canRead(type) else {
      throw location.error(
        .wrongType, expected: "a dataset that can be read as \(Element.storedType)", found: type.description,
        advice: "read it in its own type, or store it in another")
    }
    let space = try storedSpace()
    let count = try select(slab, in: space, bytesPerElement: max(type.byteCount, MemoryLayout<Element>.stride))
    guard count > 0 else { return [] }
    let memory = try Element.memoryType(at: location)
    let memorySpace = try memorySpace(slab, in: space)
    let transfer = try exactTransfer()
    var status: herr_t = -1
    // Zeros first, since the library may leave alone what a file never wrote: by bytes, since of an element whose type is not
    // known here each would be copied through its witness.
    let values = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).initializeMemory(as: UInt8.self, repeating: 0)
      status = H5Dread(location.id, memory.id, memorySpace.id, space.id, transfer.id, buffer.baseAddress)
      initialized = count
    }
    guard status >= 0 else {
      throw location.failure(expected: "\(count) readable elements of \(type)")
    }
    return values
  }

  /// All strings, row-major, of any length and character set.
  public func readStrings() throws(HDF5Error) -> [String] {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let stored = try storedType()
    let type = try HDF5Datatype(stored, at: location, object: path)
    guard type.isString else {
      throw location.error(.wrongType, expected: "strings", found: "\(type)", advice: "")
    }
    let space = try storedSpace()
    let count = try select(nil, in: space, bytesPerElement: type.byteCount)
    let strings = HDF5StringTransfer(location: location, object: path, stored: stored, type: type)
    return try strings.read(count: count) { memory, buffer in
      H5Dread(
        location.id, memory, assay_h5_whole_space(), assay_h5_whole_space(), assay_h5_default_list(), buffer)
    }
  }

  /// h5py's booleans.
  public func readBooleans() throws(HDF5Error) -> [Bool] {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let type = try HDF5Datatype(try storedType(), at: location, object: path)
    guard type.kind == .boolean else {
      throw location.error(.wrongType, expected: "booleans", found: "\(type)", advice: "")
    }
    let count = try select(nil, in: try storedSpace(), bytesPerElement: type.byteCount)
    guard count > 0 else { return [] }
    let memory = try HDF5Datatype.boolean.handle(at: location, object: path)
    var values = [Int8](repeating: 0, count: count)
    let status = values.withUnsafeMutableBytes {
      H5Dread(
        location.id, memory.id, assay_h5_whole_space(), assay_h5_whole_space(), assay_h5_default_list(), $0.baseAddress)
    }
    guard status >= 0 else { throw location.failure(expected: "\(count) readable booleans") }
    return values.map { $0 == 1 }
  }

  /// Refuses storage that leads out of the file, applies the limits, and selects the elements in the file's dataspace.
  ///
  /// - Returns: how many elements are selected. To be called under the lock.
  func select(_ slab: HDF5Hyperslab?, in space: HDF5Handle, bytesPerElement: Int) throws(HDF5Error) -> Int {
    let extent = try HDF5Dataspace(space, at: location, object: path)
    try checkStorage(rank: extent.shape?.count ?? 0, bytesPerElement: bytesPerElement)
    guard let shape = extent.shape else { return 0 }
    if let slab {
      guard slab.fits(shape) else {
        throw location.error(
          .wrongShape, expected: "a box inside \(extent)",
          found: "start \(slab.start), count \(slab.count), stride \(slab.stride)", advice: "correct the box")
      }
    }
    let selected = slab?.count ?? shape
    guard let count = HDF5Dataspace.product(selected),
      case (let bytes, false) = count.multipliedReportingOverflow(by: bytesPerElement),
      bytes <= location.limits.maximumObjectBytes
    else {
      throw location.error(
        .tooLarge, expected: "at most \(location.limits.maximumObjectBytes) bytes",
        found: "\(extent), \(bytesPerElement) bytes an element", advice: "read it in parts, or raise the limit")
    }
    if let slab, count > 0, !shape.isEmpty {
      let status = H5Sselect_hyperslab(
        space.id, H5S_SELECT_SET, slab.start.map { hsize_t($0) }, slab.stride.map { hsize_t($0) },
        slab.count.map { hsize_t($0) }, nil)
      guard status >= 0 else { throw location.failure(expected: "a valid selection") }
    }
    return count
  }

  /// The dataspace of what is selected in memory. It has the selection's own shape: through another one of as many elements the
  /// library goes element by element, not chunk by chunk. To be called under the lock.
  func memorySpace(_ slab: HDF5Hyperslab?, in space: HDF5Handle) throws(HDF5Error) -> HDF5Handle {
    let whole = try HDF5Dataspace(space, at: location, object: path).shape ?? []
    let shape = slab?.count ?? whole
    return try (shape.isEmpty ? HDF5Dataspace.scalar : .simple(shape)).handle(at: location, object: path)
  }

  private func checkStorage(rank: Int, bytesPerElement: Int) throws(HDF5Error) {
    let list = try location.own(
      H5Dget_create_plist(location.id), .propertyList, expected: "a creation property list")
    let storage = try HDF5Storage(list, rank: rank, at: location)
    guard storage.externalFileCount == 0 else {
      throw location.error(
        .refused, expected: "data inside the file", found: "data in \(storage.externalFileCount) external files",
        advice: "copy the data into the file")
    }
    guard storage.layout != .virtual, storage.layout != .unknown else {
      throw location.error(
        .refused, expected: "compact, contiguous or chunked storage", found: "\(storage.layout) storage",
        advice: "copy the data into the file")
    }
    guard let elements = HDF5Dataspace.product(storage.chunk),
      case (let bytes, false) = elements.multipliedReportingOverflow(by: bytesPerElement),
      bytes <= location.limits.maximumObjectBytes
    else {
      throw location.error(
        .tooLarge, expected: "chunks of at most \(location.limits.maximumObjectBytes) bytes",
        found: "chunks of \(storage.chunk) elements", advice: "store it in smaller chunks")
    }
  }
}
