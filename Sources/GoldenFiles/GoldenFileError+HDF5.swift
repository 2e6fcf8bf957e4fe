import HDF5

// Files of HDF5 with this module's errors.

extension GoldenFileError {
  package init(_ error: HDF5Error) {
    let kind: Kind =
      switch error.kind {
      case .missing: .missing
      case .notAFile, .empty, .notHDF5: .notAGoldenFile
      case .damaged: .damaged
      case .newerFormat: .newerFormat
      case .wrongType: .wrongType
      case .wrongShape: .inconsistent
      case .refused: .refused
      case .tooLarge: .tooLarge
      case .cannotWrite: .cannotWrite
      }
    let reason = error.libraryMessages.first.map { "\(error.found) (libhdf5: \($0))" } ?? error.found
    self.init(
      kind, file: error.file, object: error.object, expected: error.expected, found: reason, advice: error.advice)
  }
}

/// Runs a call of ``HDF5`` and turns its error into a ``GoldenFileError``.
package func translating<Result>(_ body: () throws(HDF5Error) -> Result) throws(GoldenFileError) -> Result {
  do { return try body() } catch { throw GoldenFileError(error) }
}

/// Opens a file of the user's own for reading: a regular, non-empty HDF5 file within the limits.
package func opening(_ path: String, limits: GoldenLimits) throws(GoldenFileError) -> HDF5Group {
  let image = try GoldenFileBytes.regularFile(path, limits: limits).bytes
  return try translating { () throws(HDF5Error) in
    try HDF5File.open(image: image, name: path, limits: limits.library).root
  }
}

/// Writes a new file under a temporary name and renames it (``HDF5File/create(_:_:)``): a run that dies leaves the file that
/// was there.
/// - Throws: ``GoldenFileError`` of kind `cannotWrite`.
package func creating(
  _ path: String, survivesPowerCut: Bool = true, _ fill: (HDF5Group) throws -> Void
) throws(GoldenFileError) {
  do { try HDF5File.create(path, survivesPowerCut: survivesPowerCut, fill) } catch let error as HDF5Error {
    throw GoldenFileError(error)
  } catch {
    throw GoldenFileError(.cannotWrite, file: path, expected: "a new file", found: "\(error)")
  }
}
