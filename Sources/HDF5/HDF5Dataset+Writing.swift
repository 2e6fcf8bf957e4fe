import CHDF5

extension HDF5Group {
  /// Writes a new dataset of numbers, row-major; an empty shape makes a scalar.
  ///
  /// - Parameters:
  ///   - name: the path of the new dataset in the file.
  ///   - shape: its extents; empty for a scalar.
  ///   - values: as many as the extents multiply to.
  ///   - stored: the type in the file; a number that it cannot hold is an error for integers, and rounds for floats.
  ///   - options: how the elements are laid out.
  @discardableResult
  public func createDataset<Element: HDF5Element>(
    _ name: String, shape: [Int], values: [Element], storedAs stored: HDF5Datatype = Element.storedType,
    options: HDF5DatasetOptions = .contiguous
  ) throws(HDF5Error) -> HDF5Dataset {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let object = location.path(of: name)
    guard HDF5Dataspace.product(shape) == values.count else {
      throw location.error(
        .wrongShape, object: object, expected: "\(values.count) elements", found: "shape \(shape)",
        advice: "correct the shape")
    }
    guard stored.isInteger == Element.storedType.isInteger, stored.isInteger || stored.isFloatingPoint else {
      throw location.error(
        .wrongType, object: object, expected: "a type of the same kind as \(Element.storedType)", found: "\(stored)",
        advice: "convert the numbers first")
    }
    let type = try stored.handle(at: location, object: object)
    let dataset = try create(name, type, shape.isEmpty ? .scalar : .simple(shape), stored.byteCount, options)
    guard !values.isEmpty else { return dataset }
    let memory = try Element.memoryType(at: dataset.location)
    let transfer = stored.isInteger ? try dataset.exactTransfer() : nil
    let status = values.withUnsafeBytes {
      H5Dwrite(
        dataset.location.id, memory.id, assay_h5_whole_space(), assay_h5_whole_space(),
        transfer?.id ?? assay_h5_default_list(), $0.baseAddress)
    }
    guard status >= 0 else { throw cannotWrite(object) }
    return dataset
  }

  /// Makes a new dataset of numbers without elements in it yet; write them by ``HDF5Dataset/write(_:slab:)``.
  public func createDataset(
    _ name: String, shape: [Int], storedAs stored: HDF5Datatype, options: HDF5DatasetOptions = .contiguous
  ) throws(HDF5Error) -> HDF5Dataset {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let type = try stored.handle(at: location, object: location.path(of: name))
    return try create(name, type, shape.isEmpty ? .scalar : .simple(shape), stored.byteCount, options)
  }

  /// Makes a dataset with a null dataspace: a type and attributes, but no elements.
  public func createNullDataset(_ name: String, storedAs stored: HDF5Datatype = .float32) throws(HDF5Error)
    -> HDF5Dataset
  {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let type = try stored.handle(at: location, object: location.path(of: name))
    return try create(name, type, .null, stored.byteCount, .contiguous)
  }

  /// Writes a new dataset of strings in UTF-8: variable-length, or of `fixedBytes` bytes padded with zeros.
  @discardableResult
  public func createDataset(
    _ name: String, shape: [Int], strings: [String], fixedBytes: Int? = nil,
    options: HDF5DatasetOptions = .contiguous
  ) throws(HDF5Error) -> HDF5Dataset {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let object = location.path(of: name)
    guard HDF5Dataspace.product(shape) == strings.count else {
      throw location.error(
        .wrongShape, object: object, expected: "\(strings.count) elements", found: "shape \(shape)",
        advice: "correct the shape")
    }
    let type = try HDF5Datatype.string(bytes: fixedBytes, utf8: true, at: location, object: object)
    let space = shape.isEmpty ? HDF5Dataspace.scalar : .simple(shape)
    let dataset = try create(name, type, space, fixedBytes ?? 16, options)
    guard !strings.isEmpty else { return dataset }
    let whole = assay_h5_whole_space()
    let list = assay_h5_default_list()
    let status: herr_t
    if let fixedBytes {
      var bytes = [UInt8](repeating: 0, count: strings.count * max(fixedBytes, 1))
      for (index, string) in strings.enumerated() {
        guard string.utf8.count <= fixedBytes else {
          throw location.error(
            .wrongType, object: object, expected: "strings of at most \(fixedBytes) bytes",
            found: "\(string.utf8.count) bytes", advice: "store variable-length strings")
        }
        bytes.replaceSubrange(index * fixedBytes..<index * fixedBytes + string.utf8.count, with: string.utf8)
      }
      status = bytes.withUnsafeBytes { H5Dwrite(dataset.location.id, type.id, whole, whole, list, $0.baseAddress) }
    } else {
      status = HDF5StringTransfer.withPointers(to: strings) {
        H5Dwrite(dataset.location.id, type.id, whole, whole, list, $0)
      }
    }
    guard status >= 0 else { throw cannotWrite(object) }
    return dataset
  }

  /// To be called under the lock.
  private func create(
    _ name: String, _ type: HDF5Handle, _ space: HDF5Dataspace, _ elementBytes: Int, _ options: HDF5DatasetOptions
  ) throws(HDF5Error) -> HDF5Dataset {
    let object = location.path(of: name)
    guard !name.isEmpty, name != ".", !name.contains("/") else {
      throw location.error(
        .cannotWrite, object: object, expected: "a name without slashes", found: "\"\(name)\"",
        advice: "make the groups first")
    }
    let extent = try space.handle(at: location, object: object)
    let list = try options.handle(
      for: space.shape ?? [], elementBytes: elementBytes, at: location, object: object)
    let id = H5Dcreate2(
      location.id, name, type.id, extent.id, assay_h5_default_list(), list.id, assay_h5_default_list())
    guard let handle = HDF5Handle(id, .dataset) else { throw cannotWrite(object) }
    return HDF5Dataset(location: location.member(name, handle))
  }

  private func cannotWrite(_ object: String) -> HDF5Error {
    location.failure(
      .cannotWrite, object: object, expected: "a new dataset",
      advice: "check that the file is open for writing, that the name is free and that the disk has room")
  }
}

extension HDF5Dataset {
  /// Writes numbers over all elements, or over a box of them, row-major.
  public func write<Element: HDF5Element>(_ values: [Element], slab: HDF5Hyperslab? = nil) throws(HDF5Error) {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let type = try HDF5Datatype(try storedType(), at: location, object: path)
    guard type.isInteger == Element.storedType.isInteger, type.isInteger || type.isFloatingPoint else {
      throw location.error(
        .wrongType, expected: "numbers for \(type)", found: "\(Element.storedType)", advice: "convert them first")
    }
    let space = try storedSpace()
    let count = try select(slab, in: space, bytesPerElement: MemoryLayout<Element>.stride)
    guard count == values.count else {
      throw location.error(
        .wrongShape, expected: "\(count) elements", found: "\(values.count)", advice: "correct the selection")
    }
    guard count > 0 else { return }
    let memory = try Element.memoryType(at: location)
    let memorySpace = try memorySpace(slab, in: space)
    let transfer = type.isInteger ? try exactTransfer() : nil
    let status = values.withUnsafeBytes {
      H5Dwrite(
        location.id, memory.id, memorySpace.id, space.id, transfer?.id ?? assay_h5_default_list(), $0.baseAddress)
    }
    guard status >= 0 else {
      throw location.failure(
        .cannotWrite, expected: "\(count) elements to be written", advice: "check that the file is open for writing")
    }
  }
}
