import CHDF5

/// Where an open object is: its file, its path there, and libhdf5's handle.
public struct HDF5Location: Sendable {
  /// The file's path, as it was given at opening.
  public let file: String
  /// The object's path in the file, "/" for the root.
  public let path: String
  public let limits: HDF5Limits
  let handle: HDF5Handle
  /// Keeps the file open as long as anything in it is in use; nil for the file's own location.
  let owner: HDF5Handle?

  var id: hid_t { handle.id }

  /// The path of a member of this object.
  func path(of member: String) -> String { path == "/" ? "/" + member : path + "/" + member }

  /// The location of a member that was opened under `handle`.
  func member(_ name: String, _ handle: HDF5Handle) -> HDF5Location {
    HDF5Location(file: file, path: path(of: name), limits: limits, handle: handle, owner: owner ?? self.handle)
  }

  /// The error for a library call that has just failed; to be made before any other library call.
  func failure(
    _ kind: HDF5Error.Kind = .damaged, object: String? = nil, expected: String, found: String = "a library failure",
    advice: String = "the file seems damaged: fetch or generate it again"
  ) -> HDF5Error {
    let stack = HDF5Library.errorStack()
    if kind == .damaged, stack.contains(where: Self.tellsOfVersion) {
      return HDF5Error(
        kind: .newerFormat, file: file, object: object ?? path, expected: expected,
        found: "a version of HDF5's format that the linked libhdf5 \(HDF5Library.linkedVersion) does not read",
        advice:
          "use an Assay that is linked to a newer libhdf5, or write the file for older versions (h5repack, h5py's "
          + "libver); if neither helps, fetch or generate it again",
        libraryMessages: stack)
    }
    return HDF5Error(
      kind: kind, file: file, object: object ?? path, expected: expected, found: found, advice: advice,
      libraryMessages: stack)
  }

  /// libhdf5 has no code of its own for it, but the same words everywhere: "bad version number for layout message".
  private static func tellsOfVersion(_ message: String) -> Bool {
    message.contains("version number") || message.contains("unknown version")
  }

  /// An error that libhdf5 has no part in.
  func error(
    _ kind: HDF5Error.Kind, object: String? = nil, expected: String, found: String, advice: String
  ) -> HDF5Error {
    HDF5Error(kind: kind, file: file, object: object ?? path, expected: expected, found: found, advice: advice)
  }

  /// Takes ownership of a new identifier, or throws what the library says about it.
  func own(_ id: hid_t, _ kind: HDF5Handle.Kind, expected: String, object: String? = nil) throws(HDF5Error)
    -> HDF5Handle
  {
    guard let handle = HDF5Handle(id, kind) else { throw failure(object: object, expected: expected) }
    return handle
  }
}
