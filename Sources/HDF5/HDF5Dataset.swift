import CHDF5

/// A dataset of an open file. All methods throw ``HDF5Error`` naming the dataset's path.
public struct HDF5Dataset: HDF5Object {
  public let location: HDF5Location

  /// The stored type, before any conversion.
  public func datatype() throws(HDF5Error) -> HDF5Datatype {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    return try HDF5Datatype(try storedType(), at: location, object: path)
  }

  public func dataspace() throws(HDF5Error) -> HDF5Dataspace {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    return try HDF5Dataspace(try storedSpace(), at: location, object: path)
  }

  /// Layout, chunks, filters and files outside: what decides whether reading can be trusted.
  public func storage() throws(HDF5Error) -> HDF5Storage {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let list = try location.own(
      H5Dget_create_plist(location.id), .propertyList, expected: "a creation property list")
    let space = try HDF5Dataspace(try storedSpace(), at: location, object: path)
    return try HDF5Storage(list, rank: space.shape?.count ?? 0, at: location)
  }

  /// To be called under the lock.
  func storedType() throws(HDF5Error) -> HDF5Handle {
    try location.own(H5Dget_type(location.id), .datatype, expected: "the dataset's type")
  }

  /// To be called under the lock.
  func storedSpace() throws(HDF5Error) -> HDF5Handle {
    try location.own(H5Dget_space(location.id), .dataspace, expected: "the dataset's extent")
  }

  /// A transfer property list under which a number that would change is an error. To be called under the lock.
  func exactTransfer() throws(HDF5Error) -> HDF5Handle {
    let list = try location.own(
      H5Pcreate(assay_h5_dataset_transfer_class()), .propertyList, expected: "a property list")
    guard assay_h5_refuse_lossy_conversion(list.id) >= 0 else { throw location.failure(expected: "a property list") }
    return list
  }
}

/// A box of elements inside a dataset: `count` elements from `start`, every `stride`-th, per dimension.
public struct HDF5Hyperslab: Sendable, Equatable {
  public let start: [Int]
  public let count: [Int]
  public let stride: [Int]

  public init(start: [Int], count: [Int], stride: [Int]? = nil) {
    self.start = start
    self.count = count
    self.stride = stride ?? [Int](repeating: 1, count: start.count)
  }

  /// Whether the box lies inside a dataset of this shape.
  func fits(_ shape: [Int]) -> Bool {
    guard start.count == shape.count, count.count == shape.count, stride.count == shape.count else { return false }
    for axis in shape.indices {
      guard start[axis] >= 0, count[axis] >= 0, stride[axis] > 0 else { return false }
      guard count[axis] > 0 else { continue }
      let (span, overflow) = (count[axis] - 1).multipliedReportingOverflow(by: stride[axis])
      guard !overflow, start[axis] < shape[axis], span < shape[axis] - start[axis] else { return false }
    }
    return true
  }
}
