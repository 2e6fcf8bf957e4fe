import CHDF5

extension HDF5Group {
  /// Gives an object of this file another name here, by a hard link.
  public func createHardLink(_ name: String, to target: any HDF5Object) throws(HDF5Error) {
    try link(name) { list in H5Lcreate_hard(target.location.id, ".", location.id, name, list, list) }
  }

  /// Writes a soft link to a path of this file, which need not exist. This module itself follows none.
  public func createSoftLink(_ name: String, to path: String) throws(HDF5Error) {
    try link(name) { list in H5Lcreate_soft(path, location.id, name, list, list) }
  }

  /// Writes a link to an object of another file. This module itself follows none.
  public func createExternalLink(_ name: String, to path: String, inFile file: String) throws(HDF5Error) {
    try link(name) { list in H5Lcreate_external(file, path, location.id, name, list, list) }
  }

  private func link(_ name: String, _ create: (hid_t) -> herr_t) throws(HDF5Error) {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    guard create(assay_h5_default_list()) >= 0 else {
      throw location.failure(
        .cannotWrite, object: location.path(of: name), expected: "a new link", found: "that it cannot be made",
        advice: "check that the name is free and the file open for writing")
    }
  }
}
