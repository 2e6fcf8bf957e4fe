import CHDF5

/// One identifier of libhdf5, closed when the last reference to it goes.
final class HDF5Handle: Sendable {
  enum Kind: Sendable { case file, group, dataset, attribute, datatype, dataspace, propertyList, object }

  let id: hid_t
  private let kind: Kind

  /// Takes ownership of `id`; nil when it is not a valid identifier, which is how libhdf5 reports a failure.
  init?(_ id: hid_t, _ kind: Kind) {
    guard id >= 0 else { return nil }
    self.id = id
    self.kind = kind
  }

  deinit {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    // After its file was closed the identifier is stale: closing it again is an error without consequence.
    switch kind {
    case .file: _ = H5Fclose(id)
    case .group: _ = H5Gclose(id)
    case .dataset: _ = H5Dclose(id)
    case .attribute: _ = H5Aclose(id)
    case .datatype: _ = H5Tclose(id)
    case .dataspace: _ = H5Sclose(id)
    case .propertyList: _ = H5Pclose(id)
    case .object: _ = H5Oclose(id)
    }
  }
}
