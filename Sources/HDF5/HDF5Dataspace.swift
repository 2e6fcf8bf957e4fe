import CHDF5

/// The extent of a dataset or attribute.
public enum HDF5Dataspace: Sendable, Hashable, CustomStringConvertible {
  /// No elements at all, not even zero of them: HDF5's null dataspace.
  case null
  case scalar
  case simple([Int])

  /// The extents, empty for a scalar; nil for a null dataspace.
  public var shape: [Int]? {
    switch self {
    case .null: nil
    case .scalar: []
    case .simple(let shape): shape
    }
  }

  public var description: String {
    switch self {
    case .null: "no elements (null dataspace)"
    case .scalar: "a scalar"
    case .simple(let shape): "shape [" + shape.map(String.init).joined(separator: ", ") + "]"
    }
  }

  /// The number of elements, 0 for a null dataspace; nil when the product overflows.
  public var elementCount: Int? {
    guard let shape else { return 0 }
    return HDF5Dataspace.product(shape)
  }

  /// The product of non-negative extents; nil when it overflows, even where a later extent is zero.
  static func product(_ extents: [Int]) -> Int? {
    var product = 1
    for extent in extents where extent != 0 {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      if overflow || extent < 0 { return nil }
      product = next
    }
    return extents.contains(0) ? 0 : product
  }

  /// Reads an open dataspace. To be called under the lock.
  init(_ space: HDF5Handle, at location: HDF5Location, object: String) throws(HDF5Error) {
    switch H5Sget_simple_extent_type(space.id) {
    case H5S_NULL: self = .null
    case H5S_SCALAR: self = .scalar
    case H5S_SIMPLE:
      let rank = Int(H5Sget_simple_extent_ndims(space.id))
      guard rank >= 0 else { throw location.failure(object: object, expected: "a dataspace") }
      guard rank <= location.limits.maximumRank else {
        throw location.error(
          .tooLarge, object: object, expected: "at most \(location.limits.maximumRank) dimensions",
          found: "\(rank) dimensions", advice: "store the tensor with fewer dimensions")
      }
      var extents = [hsize_t](repeating: 0, count: max(rank, 1))
      guard H5Sget_simple_extent_dims(space.id, &extents, nil) >= 0 else {
        throw location.failure(object: object, expected: "the extents of a dataspace")
      }
      var shape: [Int] = []
      for extent in extents.prefix(rank) {
        guard let size = Int(exactly: extent) else {
          throw location.error(
            .tooLarge, object: object, expected: "extents below 2^63", found: "an extent of \(extent)",
            advice: "the file seems damaged")
        }
        shape.append(size)
      }
      self = .simple(shape)
    default: throw location.failure(object: object, expected: "a null, scalar or simple dataspace")
    }
  }

  /// A new library dataspace of this extent. To be called under the lock.
  func handle(at location: HDF5Location, object: String) throws(HDF5Error) -> HDF5Handle {
    let id: hid_t
    switch self {
    case .null: id = H5Screate(H5S_NULL)
    case .scalar: id = H5Screate(H5S_SCALAR)
    case .simple(let shape):
      guard shape.allSatisfy({ $0 >= 0 }), !shape.isEmpty, shape.count <= 32 else {
        throw location.error(
          .wrongShape, object: object, expected: "1 to 32 non-negative extents", found: "\(shape)", advice: "")
      }
      id = H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, nil)
    }
    return try location.own(id, .dataspace, expected: "a new dataspace", object: object)
  }
}
