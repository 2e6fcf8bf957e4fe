import Foundation
import GoldenFiles
import NetworkFiles
import TestSupport
import Testing

@Suite struct ImagesFileTests {
  @Test func digitsAreThere() throws {
    let file = try ImagesFile(contentsOf: Repository.fixtures.appending(path: "data/digits.h5").path)
    #expect(file.labels.count == 1797)
    #expect(file.trainingRows.count + file.heldOutRows.count == 1797)
    #expect(file.scale == 16 && file.classCount == 10)
    #expect(throws: GoldenFileError.self) {
      try ImagesFile(contentsOf: Repository.fixtures.appending(path: "linear.h5").path)
    }
  }

  @Test func `arrays of NumPy's are told the way to here`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("digits.npz").path
    try Data("PK no HDF5".utf8).write(to: URL(filePath: path))
    let error = #expect(throws: GoldenFileError.self) { try ImagesFile(contentsOf: path) }
    #expect(error?.found == "a file of NumPy's")
    #expect(error?.advice.contains("h5py") == true)
  }
}
