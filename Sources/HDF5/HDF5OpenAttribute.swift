import CHDF5

/// An attribute while it is being read or written. Everything here is called under the lock.
struct HDF5OpenAttribute {
  let location: HDF5Location
  /// The owner's path, "@", the attribute's name: what errors call it.
  let object: String
  let handle: HDF5Handle
  let stored: HDF5Handle
  let type: HDF5Datatype
  let space: HDF5Dataspace

  init?(_ name: String, of location: HDF5Location) throws(HDF5Error) {
    let object = location.path + "@" + name
    let exists = H5Aexists(location.id, name)
    guard exists >= 0 else { throw location.failure(object: object, expected: "a readable attribute list") }
    guard exists > 0 else { return nil }
    handle = try location.own(
      H5Aopen(location.id, name, assay_h5_default_list()), .attribute, expected: "a readable attribute", object: object)
    stored = try location.own(H5Aget_type(handle.id), .datatype, expected: "the attribute's type", object: object)
    let extent = try location.own(
      H5Aget_space(handle.id), .dataspace, expected: "the attribute's extent", object: object)
    type = try HDF5Datatype(stored, at: location, object: object)
    space = try HDF5Dataspace(extent, at: location, object: object)
    self.location = location
    self.object = object
  }

  func value() throws(HDF5Error) -> HDF5AttributeValue {
    let count = try checkedCount()
    switch type.kind {
    case .integer(let signed):
      if signed { return HDF5AttributeValue(.integers(try numbers(count)), shape: space.shape) }
      let values: [UInt64] = try numbers(count)
      let fitting = values.compactMap(Int64.init(exactly:))
      return HDF5AttributeValue(
        fitting.count == values.count ? .integers(fitting) : .unsignedIntegers(values), shape: space.shape)
    case .floatingPoint, .bfloat16:
      let values: [Double] = try numbers(count)
      return HDF5AttributeValue(.floats(values), shape: space.shape)
    case .boolean:
      let memory = try HDF5Datatype.boolean.handle(at: location, object: object)
      let values: [Int8] = try read(count, as: memory)
      return HDF5AttributeValue(.booleans(values.map { $0 == 1 }), shape: space.shape)
    case .string:
      let strings = HDF5StringTransfer(location: location, object: object, stored: stored, type: type)
      let id = handle.id
      let values = try strings.read(count: count) { memory, buffer in H5Aread(id, memory, buffer) }
      return HDF5AttributeValue(.strings(values), shape: space.shape)
    default:
      throw location.error(
        .wrongType, object: object, expected: "an integer, a float, a boolean or a string", found: "\(type)",
        advice: "store the attribute as one of these")
    }
  }

  /// The number of elements, after the limits were applied.
  private func checkedCount() throws(HDF5Error) -> Int {
    // Attributes live in object headers: 64 KiB at most unless stored densely, and never large in earnest.
    let limit = min(location.limits.maximumObjectBytes, 1 << 24)
    guard let count = space.elementCount, count <= limit, type.byteCount <= limit,
      count * type.byteCount <= limit
    else {
      throw location.error(
        .tooLarge, object: object, expected: "an attribute of at most \(limit) bytes", found: "\(space) of \(type)",
        advice: "store large values as a dataset")
    }
    return count
  }

  private func numbers<Element: HDF5Element>(_ count: Int) throws(HDF5Error) -> [Element] {
    guard Element.canRead(type) else {
      throw location.error(
        .wrongType, object: object, expected: "at most \(Element.storedType)", found: "\(type)",
        advice: "store the attribute in a standard type")
    }
    return try read(count, as: Element.memoryType(at: location))
  }

  private func read<Element: HDF5Element>(_ count: Int, as memory: HDF5Handle) throws(HDF5Error) -> [Element] {
    guard count > 0 else { return [] }
    var values = [Element](repeating: .zero, count: count)
    let status = values.withUnsafeMutableBytes { H5Aread(handle.id, memory.id, $0.baseAddress) }
    guard status >= 0 else { throw location.failure(object: object, expected: "readable values") }
    return values
  }

  static func write(_ name: String, _ value: HDF5AttributeValue, to location: HDF5Location) throws(HDF5Error) {
    let object = location.path + "@" + name
    if H5Aexists(location.id, name) > 0 { _ = H5Adelete(location.id, name) }
    let space: HDF5Dataspace =
      switch value.shape {
      case nil: .null
      case let shape? where shape.isEmpty: .scalar
      case let shape?: .simple(shape)
      }
    switch value.elements {
    case .integers(let values): try write(values, as: .int64, space, name, object, location)
    case .unsignedIntegers(let values): try write(values, as: .uint64, space, name, object, location)
    case .floats(let values): try write(values, as: .float64, space, name, object, location)
    case .booleans(let values):
      try write(values.map { $0 ? Int8(1) : 0 }, as: .boolean, space, name, object, location)
    case .strings(let values):
      let memory = try HDF5Datatype.string(bytes: nil, utf8: true, at: location, object: object)
      let attribute = try create(name, memory, space, count: values.count, object, location)
      let status = HDF5StringTransfer.withPointers(to: values) { H5Awrite(attribute.id, memory.id, $0) }
      guard values.isEmpty || status >= 0 else { throw cannotWrite(object, location) }
    }
  }

  private static func write<Element: HDF5Element>(
    _ values: [Element], as stored: HDF5Datatype, _ space: HDF5Dataspace, _ name: String, _ object: String,
    _ location: HDF5Location
  ) throws(HDF5Error) {
    let type = try stored.handle(at: location, object: object)
    let attribute = try create(name, type, space, count: values.count, object, location)
    guard !values.isEmpty else { return }
    let memory = stored.kind == .boolean ? type : try Element.memoryType(at: location)
    let status = values.withUnsafeBytes { H5Awrite(attribute.id, memory.id, $0.baseAddress) }
    guard status >= 0 else { throw cannotWrite(object, location) }
  }

  private static func create(
    _ name: String, _ type: HDF5Handle, _ space: HDF5Dataspace, count: Int, _ object: String, _ location: HDF5Location
  ) throws(HDF5Error) -> HDF5Handle {
    guard space.elementCount == count else {
      throw location.error(
        .wrongShape, object: object, expected: "\(count) elements", found: "\(space)", advice: "correct the shape")
    }
    let extent = try space.handle(at: location, object: object)
    let list = assay_h5_default_list()
    guard let handle = HDF5Handle(H5Acreate2(location.id, name, type.id, extent.id, list, list), .attribute) else {
      throw cannotWrite(object, location)
    }
    return handle
  }

  private static func cannotWrite(_ object: String, _ location: HDF5Location) -> HDF5Error {
    location.failure(
      .cannotWrite, object: object, expected: "a new attribute",
      advice: "check that the file is open for writing and the value below 64 KiB")
  }
}
