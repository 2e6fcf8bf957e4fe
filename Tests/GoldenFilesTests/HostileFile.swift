import CHDF5
import Foundation
import GoldenFiles
import HDF5

/// Makes golden files that are wrong in one way, with what the writer would never write.
struct HostileFile {
  /// The file, as it would be sound: one ReLU case.
  var schema: HDF5AttributeValue? = .string("assay.golden")
  var version: HDF5AttributeValue? = .integer(1)
  var caseCount: HDF5AttributeValue? = .integer(1)
  var operation = "relu"
  var caseAttributes: [String: HDF5AttributeValue] = [:]
  /// Writes `inputs/x`; nil leaves it out.
  var x: ((HDF5Group) throws -> Void)? = {
    try $0.createDataset("x", shape: [2, 3], values: [Float](repeating: 1, count: 6))
  }
  var y: ((HDF5Group) throws -> Void)? = { try $0.createDataset("y", shape: [2, 3], values: [1.0, 1, 1, 1, 1, 1]) }
  /// Whatever else: the root and the case's group.
  var more: (HDF5Group, HDF5Group) throws -> Void = { _, _ in }

  func write(to path: String) throws {
    try HDF5File.create(path) { root in
      if let schema { try root.setAttribute("schema", schema) }
      if let version { try root.setAttribute("schema_version", version) }
      if let caseCount { try root.setAttribute("case_count", caseCount) }
      let group = try root.createGroup("a/case")
      try group.setAttribute("operation", .string(operation))
      for (name, value) in caseAttributes { try group.setAttribute(name, value) }
      try x?(try group.createGroup("inputs"))
      try y?(try group.createGroup("outputs"))
      try more(root, group)
    }
  }
}

/// Datasets and types that ``HDF5`` does not write, made by the C library on a file that is closed again at once.
enum ForeignDataset {
  struct Failure: Error {}

  private static func check(_ id: hid_t) throws -> hid_t {
    guard id >= 0 else { throw Failure() }
    return id
  }

  private static func modify(_ path: String, _ body: (hid_t) throws -> Void) throws {
    let file = try check(H5Fopen(path, 1, assay_h5_default_list()))
    defer { H5Fclose(file) }
    try body(file)
  }

  private static func create(
    _ path: String, _ name: String, type: hid_t, shape: [hsize_t], list: hid_t, values: [Float]? = nil
  ) throws {
    try modify(path) { file in
      let space = try check(H5Screate_simple(Int32(shape.count), shape, nil))
      defer { H5Sclose(space) }
      let standard = assay_h5_default_list()
      let dataset = try check(H5Dcreate2(file, name, type, space, standard, list, standard))
      defer { H5Dclose(dataset) }
      if let values {
        let memory = assay_h5_standard_float(4, 0)
        defer { H5Tclose(memory) }
        let whole = assay_h5_whole_space()
        guard values.withUnsafeBytes({ H5Dwrite(dataset, memory, whole, whole, standard, $0.baseAddress) }) >= 0 else {
          throw Failure()
        }
      }
    }
  }

  private static func withFloat<Result>(_ body: (hid_t, hid_t) throws -> Result) throws -> Result {
    let type = try check(assay_h5_standard_float(4, 0))
    defer { H5Tclose(type) }
    let list = try check(H5Pcreate(assay_h5_dataset_create_class()))
    defer { H5Pclose(list) }
    return try body(type, list)
  }

  /// A type under a name of its own, which is neither a group nor a dataset.
  static func committedType(_ path: String, _ name: String) throws {
    try withFloat { type, _ in
      let copy = try check(H5Tcopy(type))
      defer { H5Tclose(copy) }
      try modify(path) { file in
        let standard = assay_h5_default_list()
        guard H5Tcommit2(file, name, copy, standard, standard, standard) >= 0 else { throw Failure() }
      }
    }
  }

  static func external(_ path: String, _ name: String) throws {
    try withFloat { type, list in
      H5Pset_external(list, "/etc/hostname", 0, 24)
      try create(path, name, type: type, shape: [2, 3], list: list)
    }
  }

  static func virtual(_ path: String, _ name: String) throws {
    try withFloat { type, list in
      let space = try check(H5Screate_simple(2, [2, 3], nil))
      defer { H5Sclose(space) }
      H5Pset_virtual(list, space, "other.h5", "x", space)
      try create(path, name, type: type, shape: [2, 3], list: list)
    }
  }

  /// Chunks through libhdf5's own scale-offset filter, which the format does not allow.
  static func scaleOffset(_ path: String, _ name: String) throws {
    try withFloat { type, list in
      H5Pset_chunk(list, 2, [2, 3])
      H5Pset_scaleoffset(list, H5Z_SO_FLOAT_DSCALE, 2)
      try create(path, name, type: type, shape: [2, 3], list: list, values: [1, 2, 3, 4, 5, 6])
    }
  }

  /// A filter that only the writer knows.
  static func unknownFilter(_ path: String, _ name: String) throws {
    var filter = H5Z_class2_t()
    filter.version = 1
    filter.id = 32_015
    filter.encoder_present = 1
    filter.decoder_present = 1
    filter.filter = { _, _, _, bytes, _, _ in bytes }
    guard H5Zregister(&filter) >= 0 else { throw Failure() }
    defer { H5Zunregister(32_015) }
    try withFloat { type, list in
      H5Pset_chunk(list, 2, [2, 3])
      H5Pset_filter(list, 32_015, 0, 0, nil)
      try create(path, name, type: type, shape: [2, 3], list: list, values: [1, 2, 3, 4, 5, 6])
    }
  }

  static func compound(_ path: String, _ name: String) throws {
    try withFloat { type, _ in
      let pair = try check(H5Tcreate(H5T_COMPOUND, 8))
      defer { H5Tclose(pair) }
      H5Tinsert(pair, "a", 0, type)
      H5Tinsert(pair, "b", 4, type)
      try create(path, name, type: pair, shape: [2, 3], list: assay_h5_default_list())
    }
  }

  static func variableLength(_ path: String, _ name: String) throws {
    try withFloat { type, _ in
      let sequence = try check(H5Tvlen_create(type))
      defer { H5Tclose(sequence) }
      try create(path, name, type: sequence, shape: [2, 3], list: assay_h5_default_list())
    }
  }

  static func opaque(_ path: String, _ name: String) throws {
    let bytes = try check(H5Tcreate(H5T_OPAQUE, 4))
    defer { H5Tclose(bytes) }
    try create(path, name, type: bytes, shape: [2, 3], list: assay_h5_default_list())
  }

  /// Chunks of 2^31 elements for a dataset of six.
  static func hugeChunk(_ path: String, _ name: String) throws {
    try withFloat { type, list in
      H5Pset_chunk(list, 2, [1 << 15, 1 << 14])
      H5Pset_deflate(list, 1)
      let unlimited = assay_h5_unlimited()
      try modify(path) { file in
        let space = try check(H5Screate_simple(2, [2, 3], [unlimited, unlimited]))
        defer { H5Sclose(space) }
        let standard = assay_h5_default_list()
        H5Dclose(try check(H5Dcreate2(file, name, type, space, standard, list, standard)))
      }
    }
  }
}
