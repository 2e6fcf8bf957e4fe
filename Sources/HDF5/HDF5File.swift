import CHDF5
import Foundation
import OperatingSystem

/// An open HDF5 file. It closes when the last value that came from it goes.
public struct HDF5File: Sendable {
  /// The group "/".
  public let root: HDF5Group
  /// The path as it was given.
  public let path: String

  /// Opens a file for reading.
  ///
  /// - Throws: ``HDF5Error``: `missing`, `notAFile`, `empty`, `notHDF5` or `damaged`, each with the path.
  public static func open(_ path: String, limits: HDF5Limits = .standard) throws(HDF5Error) -> HDF5File {
    try checkIsFile(path)
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let access = try accessList(path)
    guard assay_h5_disable_file_locking(access.id) >= 0 else { throw failure(path, "a file access list") }
    // Whether it begins like an HDF5 file: asked first, since most wrong files are not HDF5 at all.
    guard H5Fis_hdf5(path) > 0 else { throw notHDF5(path) }
    return try file(H5Fopen(path, assay_h5_read_only(), access.id), path, limits)
  }

  /// Opens a file whose bytes are already in memory, so that what was checked is what is read.
  ///
  /// - Parameters:
  ///   - image: the whole file.
  ///   - name: what errors call it: the path that the bytes came from.
  ///   - limits: the most that reading may take.
  public static func open(image: [UInt8], name: String, limits: HDF5Limits = .standard) throws(HDF5Error) -> HDF5File {
    guard !image.isEmpty else { throw emptyFile(name) }
    guard hasSignature(image) else { throw notHDF5(name) }
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let access = try accessList(name)
    // The library keeps its own copy of the image; nothing is written back.
    let status = image.withUnsafeBytes { bytes in
      H5Pset_fapl_core(access.id, 1 << 16, false) >= 0
        && H5Pset_file_image(access.id, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) >= 0
    }
    guard status else { throw failure(name, "a file image") }
    // libhdf5 tells open files apart by name: two images must never be taken for the same one.
    let unique = "\(name)#image-\(UUID().uuidString)"
    return try file(H5Fopen(unique, assay_h5_read_only(), access.id), name, limits)
  }

  /// Whether HDF5's signature stands at the beginning, or after a user block of 512, 1024, 2048, … bytes (MATLAB's files have
  /// one), where libhdf5 itself looks for it.
  private static func hasSignature(_ image: [UInt8]) -> Bool {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
    var start = 0
    while start <= image.count - signature.count {
      if image[start..<start + signature.count].elementsEqual(signature) { return true }
      start = max(512, 2 * start)
    }
    return false
  }

  /// Writes a new file: `body` fills it under a temporary name, and it takes the place of `path` when all went well (see
  /// ``OperatingSystem/AtomicFile`` for links, devices and modes). When `body` throws, nothing is left behind. The same calls
  /// give the same bytes, on every machine and at any time.
  /// - Parameters:
  ///   - path: the file.
  ///   - survivesPowerCut: false for what nobody reads after this run, which does not wait for the disk.
  ///   - body: fills the root group.
  @discardableResult
  public static func create<Result>(
    _ path: String, survivesPowerCut: Bool = true, _ body: (HDF5Group) throws -> Result
  ) throws -> Result {
    do {
      return try AtomicFile.replace(path, survivesPowerCut: survivesPowerCut) { temporary in
        try fill(temporary, path, body)
      }
    } catch let error as AtomicFile.Failure {
      throw HDF5Error(
        kind: .cannotWrite, file: path, object: "/", expected: "the finished file to be put into place",
        found: error.reason, advice: "check the folder's permissions")
    }
  }

  private static func fill<Result>(
    _ temporary: String, _ path: String, _ body: (HDF5Group) throws -> Result
  ) throws -> Result {
    let file = try newFile(temporary, path)
    do {
      let result = try body(file.root)
      try file.close()
      return result
    } catch {
      try? file.close()
      if let error = error as? HDF5Error, error.file == path { throw error.whileWriting }
      throw error
    }
  }

  private static func newFile(_ temporary: String, _ path: String) throws(HDF5Error) -> HDF5File {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    let access = try accessList(path)
    let creation = try location(path).own(
      H5Pcreate(assay_h5_file_create_class()), .propertyList, expected: "a property list")
    guard assay_h5_set_format(access.id) >= 0, H5Pset_obj_track_times(creation.id, false) >= 0 else {
      throw failure(path, "a file access list")
    }
    let id = H5Fcreate(temporary, assay_h5_exclusive(), creation.id, access.id)
    guard id >= 0 else {
      let stack = HDF5Library.errorStack()
      throw HDF5Error(
        kind: .cannotWrite, file: path, object: "/", expected: "a new file", found: "that it cannot be made",
        advice: "check that the folder exists and can be written", libraryMessages: stack)
    }
    return try file(id, path, .standard)
  }

  /// Closes the file and everything still open in it, and says whether all of it reached the disk.
  private func close() throws(HDF5Error) {
    HDF5Library.lock()
    defer { HDF5Library.unlock() }
    guard H5Fflush(root.location.id, H5F_SCOPE_LOCAL) >= 0, let owner = root.location.owner, H5Fclose(owner.id) >= 0
    else {
      throw root.location.failure(
        .cannotWrite, expected: "the file to be written out", advice: "check that the disk has room")
    }
  }

  /// Wraps an open file. Closing it closes all that is open in it: nothing keeps a replaced file alive.
  private static func file(_ id: hid_t, _ path: String, _ limits: HDF5Limits) throws(HDF5Error) -> HDF5File {
    guard let owner = HDF5Handle(id, .file) else { throw failure(path, "an HDF5 file") }
    let id = H5Gopen2(owner.id, "/", assay_h5_default_list())
    guard let group = HDF5Handle(id, .group) else { throw failure(path, "a root group") }
    let location = HDF5Location(file: path, path: "/", limits: limits, handle: group, owner: owner)
    return HDF5File(root: HDF5Group(location: location), path: path)
  }

  private static func accessList(_ path: String) throws(HDF5Error) -> HDF5Handle {
    let list = HDF5Handle(H5Pcreate(assay_h5_file_access_class()), .propertyList)
    guard let list, H5Pset_fclose_degree(list.id, H5F_CLOSE_STRONG) >= 0 else {
      throw failure(path, "a file access list")
    }
    return list
  }

  private static func checkIsFile(_ path: String) throws(HDF5Error) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw HDF5Error(
        kind: .missing, file: path, object: "/", expected: "an HDF5 file", found: String(cString: strerror(errno)),
        advice: "check the path")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let found = status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "a special file"
      throw HDF5Error(
        kind: .notAFile, file: path, object: "/", expected: "an HDF5 file", found: found, advice: "name a regular file")
    }
    guard status.st_size > 0 else { throw emptyFile(path) }
  }

  private static func emptyFile(_ path: String) -> HDF5Error {
    HDF5Error(
      kind: .empty, file: path, object: "/", expected: "an HDF5 file", found: "an empty file",
      advice: "fetch or generate it again")
  }

  private static func notHDF5(_ path: String) -> HDF5Error {
    HDF5Error(
      kind: .notHDF5, file: path, object: "/", expected: "an HDF5 file", found: "a file without HDF5's signature",
      advice: "check that this is the right file and that it is complete (a Git LFS pointer is a text file)")
  }

  private static func failure(_ path: String, _ expected: String) -> HDF5Error {
    HDF5Error(
      kind: .damaged, file: path, object: "/", expected: expected, found: "a library failure",
      advice: "the file seems damaged or cut short: fetch or generate it again",
      libraryMessages: HDF5Library.errorStack())
  }

  /// Where a call about the file itself failed; there is no handle yet, so the error list's class stands for it.
  private static func location(_ path: String) throws(HDF5Error) -> HDF5Location {
    let list = try accessList(path)
    return HDF5Location(file: path, path: "/", limits: .standard, handle: list, owner: nil)
  }
}
