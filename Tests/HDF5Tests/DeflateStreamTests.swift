import HDF5
import TestSupport
import Testing

@Suite("Deflate")
struct DeflateStreamTests {
  /// Every level takes other blocks: stored, fixed and dynamic codes, long and short matches.
  @Test("The length of a chunk's stream is the chunk's own", arguments: [0, 1, 6, 9], [1, 300, 70_000, 400_000])
  func lengths(level: Int, count: Int) throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("deflate.h5").path
    let values = (0..<count).map { Int32(truncatingIfNeeded: $0 / 3 * $0 % 1000) }
    try HDF5File.create(path) { root in
      try root.createDataset(
        "x", shape: [count], values: values, options: HDF5DatasetOptions(chunk: [count], deflateLevel: level))
    }
    let dataset = try HDF5File.open(path).root.dataset("x")
    let chunk = try #require(try dataset.chunks()?.first)
    let stored = try dataset.storedBytes(of: chunk)
    #expect(DeflateStream.inflatedLength(of: stored, limit: 4 * count) == 4 * count)
    let beyond = try #require(DeflateStream.inflatedLength(of: stored, limit: 4 * count - 1))
    #expect(beyond >= 4 * count)
  }

  @Test("A stream of zeros a thousand times its size is told from its codes")
  func bomb() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("zeros.h5").path
    try HDF5File.create(path) { root in
      try root.createDataset(
        "x", shape: [8_000_000], values: [Double](repeating: 0, count: 8_000_000),
        options: HDF5DatasetOptions(chunk: [8_000_000], deflateLevel: 9))
    }
    let dataset = try HDF5File.open(path).root.dataset("x")
    let stored = try dataset.storedBytes(of: try #require(try dataset.chunks()?.first))
    #expect(stored.count < 100_000)
    #expect(try #require(DeflateStream.inflatedLength(of: stored, limit: 1 << 20)) > 1 << 20)
  }

  @Test(
    "What is no stream has no length",
    arguments: [[], [0x78], [0x78, 0x9C, 0xFF], [0, 0, 0, 0], [0x78, 0x9C, 3]] as [[UInt8]])
  func garbage(bytes: [UInt8]) { #expect(DeflateStream.inflatedLength(of: bytes, limit: 100) == nil) }
}
