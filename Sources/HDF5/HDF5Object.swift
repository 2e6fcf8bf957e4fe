import CHDF5

/// What groups and datasets have in common: a place, an identity, attributes.
public protocol HDF5Object: Sendable {
  var location: HDF5Location { get }
}

extension HDF5Object {
  /// The object's path in its file.
  public var path: String { location.path }

  /// The same for every hard link to this object.
  public func identity() throws(HDF5Error) -> HDF5Identity {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let object = try described()
    return HDF5Identity(file: object.file_number, low: object.identity_low, high: object.identity_high)
  }

  private func described() throws(HDF5Error) -> assay_h5_object {
    var object = assay_h5_object()
    guard assay_h5_describe_object(location.id, &object) >= 0 else {
      throw location.failure(expected: "a readable object header")
    }
    return object
  }

  /// The names of the attributes, sorted.
  public func attributeNames() throws(HDF5Error) -> [String] {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let count = try described().attribute_count
    guard count <= UInt64(location.limits.maximumEntries) else {
      throw location.error(
        .tooLarge, expected: "at most \(location.limits.maximumEntries) attributes", found: "\(count)",
        advice: "the file seems damaged")
    }
    var names: [String?] = []
    let status = withUnsafeMutablePointer(to: &names) { pointer in
      assay_h5_visit_attributes(
        location.id,
        { name, context in
          guard let name, let context else { return -1 }
          context.assumingMemoryBound(to: [String?].self).pointee.append(String(validatingCString: name))
          return 0
        }, pointer)
    }
    guard status >= 0 else { throw location.failure(expected: "readable attributes") }
    let valid = names.compactMap { $0 }
    guard valid.count == names.count else {
      throw location.error(
        .damaged, expected: "attribute names in UTF-8", found: "other bytes", advice: "the file seems damaged")
    }
    return valid
  }

  /// The stored type and extent of an attribute, without reading it; nil when there is none of this name.
  public func attributeLayout(_ name: String) throws(HDF5Error) -> (type: HDF5Datatype, space: HDF5Dataspace)? {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    guard let attribute = try HDF5OpenAttribute(name, of: location) else { return nil }
    return (attribute.type, attribute.space)
  }

  /// The value of an attribute; nil when there is none of this name.
  ///
  /// Any integer or float type and either byte order is read, strings of every form, h5py's booleans.
  public func attribute(_ name: String) throws(HDF5Error) -> HDF5AttributeValue? {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    return try HDF5OpenAttribute(name, of: location)?.value()
  }

  /// Writes an attribute, in place of one of the same name. Strings are stored variable-length, in UTF-8.
  public func setAttribute(_ name: String, _ value: HDF5AttributeValue) throws(HDF5Error) {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    try HDF5OpenAttribute.write(name, value, to: location)
  }
}
