import Foundation
import HDF5
import TestSupport
import Testing

@Suite("Files from elsewhere")
struct ReadingTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  /// A file that h5py wrote, in libhdf5's oldest format (see `Samples/make.py`).
  private func sample() throws -> HDF5Group {
    let url = try #require(Bundle.module.url(forResource: "h5py", withExtension: "h5"))
    return try HDF5File.open(url.path).root
  }

  @Test("h5py's attributes")
  func attributes() throws {
    let root = try sample()
    #expect(try root.attribute("flag")?.boolean == true)
    #expect(try root.attribute("flags")?.elements == .booleans([true, false, true]))
    #expect(try root.attribute("name")?.string == "Grüße")
    #expect(try root.attribute("bytes")?.string == "fixed")
    #expect(try root.attribute("list")?.elements == .strings(["a", "bc", ""]))
    #expect(try root.attribute("count")?.integer == 7)
    #expect(try root.attribute("one")?.integer == 3)
    #expect(try root.attribute("one")?.shape == [1])
    #expect(try root.attribute("eps")?.float == 0.5)
    #expect(try root.attribute("nothing")?.shape == .some(nil))
    #expect(try root.attribute("big")?.unsigned == .max)
    #expect(try root.attributeLayout("one")?.type == .int16.stored(.bigEndian))
  }

  @Test("h5py's datasets")
  func datasets() throws {
    let root = try sample()
    #expect(try root.dataset("big_endian").read(Double.self) == [0, 1, 2, 3, 4, 5])
    #expect(try root.dataset("big_endian").datatype() == .float64.stored(.bigEndian))
    let half = try root.dataset("half").read(Double.self)
    #expect(half.prefix(4) == [1.5, -0.0, .infinity, 0x1p-24] && half[4].isNaN && half[1].sign == .minus)
    #expect(try root.dataset("mask").readBooleans() == [true, false])
    #expect(try root.dataset("words").readStrings() == ["x", "yy"])
    #expect(try root.dataset("packed").read(Int64.self) == Array(0..<5000))
    #expect(try root.dataset("packed").storage().filters == [.shuffle, .deflate, .fletcher32])
    #expect(try root.dataset("scaled").storage().filters == [HDF5Filter(identifier: 6)])
    #expect(try root.dataset("unwritten").isFullyAllocated() == false)
    #expect(try root.dataset("packed").isFullyAllocated())
  }

  @Test("Links are seen for what they are, and only hard ones are followed")
  func links() throws {
    let root = try sample()
    let links = Dictionary(uniqueKeysWithValues: try root.links().map { ($0.name, $0.kind) })
    #expect(links["soft"] == .soft && links["external"] == .external && links["inner"] == .hard)
    for name in ["soft", "external"] {
      let error = #expect(throws: HDF5Error.self) { try root.member(name) }
      #expect(error?.kind == .refused && error?.object == "/" + name)
    }
    // A hard link to the group itself: the same identity, so that a reader can see the cycle.
    #expect(try root.group("inner").identity() == root.group("inner/again/again").identity())
    #expect(try root.group("inner").identity() != root.identity())
  }

  @Test("Data outside the file is refused before it is read")
  func outside() throws {
    let root = try sample()
    #expect(try root.dataset("outside").storage().externalFileCount == 1)
    #expect(try root.dataset("virtual").storage().layout == .virtual)
    for name in ["outside", "virtual"] {
      let error = #expect(throws: HDF5Error.self) { try root.dataset(name).read(Float.self) }
      #expect(error?.kind == .refused && error?.object == "/" + name)
    }
  }

  @Test("What is not there, or of another kind, is named in the error")
  func wrongKinds() throws {
    let root = try sample()
    #expect(try root.memberIfPresent("inner/absent") == nil)
    #expect(#expect(throws: HDF5Error.self) { try root.dataset("absent") }?.kind == .missing)
    #expect(#expect(throws: HDF5Error.self) { try root.dataset("inner") }?.kind == .wrongType)
    #expect(#expect(throws: HDF5Error.self) { try root.group("packed") }?.kind == .wrongType)
    #expect(#expect(throws: HDF5Error.self) { try root.dataset("packed").read(Double.self) }?.kind == .wrongType)
    #expect(#expect(throws: HDF5Error.self) { try root.dataset("big_endian").read(Float.self) }?.kind == .wrongType)
    #expect(#expect(throws: HDF5Error.self) { try root.dataset("words").read(Int.self) }?.kind == .wrongType)
    #expect(#expect(throws: HDF5Error.self) { try root.dataset("packed").readStrings() }?.kind == .wrongType)
    // 4999 is too large for a byte: an error, never a clipped number.
    #expect(throws: HDF5Error.self) { try root.dataset("packed").read(Int8.self) }
  }

  @Test("Limits hold before memory is taken")
  func limits() throws {
    let path = folder.file("limits.h5").path
    try HDF5File.create(path) { root in
      _ = try root.createDataset("bomb", shape: [1 << 40, 1 << 20], storedAs: .float64)
      try root.createDataset("deep", shape: [Int](repeating: 1, count: 9), values: [1.0])
      try root.createDataset("long", shape: [100], values: [Float](repeating: 0, count: 100))
    }
    let root = try HDF5File.open(path, limits: HDF5Limits(maximumRank: 8, maximumObjectBytes: 100)).root
    for name in ["bomb", "deep", "long"] {
      #expect(
        #expect(throws: HDF5Error.self) { try root.dataset(name).read(Double.self) }?.kind == .tooLarge, "\(name)")
    }
    #expect(
      #expect(throws: HDF5Error.self) { try HDF5File.open(path).root.dataset("bomb").read(Double.self) }?.kind
        == .tooLarge)
  }

  @Test("A file that is not HDF5 gets an error that says what it is")
  func notHDF5() throws {
    func kind(_ path: String) -> HDF5Error.Kind? {
      #expect(throws: HDF5Error.self) { try HDF5File.open(path) }?.kind
    }
    #expect(kind(folder.file("absent.h5").path) == .missing)
    #expect(kind(folder.url.path) == .notAFile)
    try Data().write(to: URL(fileURLWithPath: folder.file("empty.h5").path))
    #expect(kind(folder.file("empty.h5").path) == .empty)
    try Data("version https://git-lfs.github.com/spec/v1\n".utf8).write(
      to: URL(fileURLWithPath: folder.file("text.h5").path))
    #expect(kind(folder.file("text.h5").path) == .notHDF5)
  }

  @Test("A file cut short, or with a flipped bit in its data, is damaged")
  func damaged() throws {
    let path = folder.file("whole.h5").path
    let values = (0..<5000).map { Float($0) }
    try HDF5File.create(path) { try $0.createDataset("x", shape: [5000], values: values, options: .compressed) }
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(try HDF5File.open(image: bytes, name: path).root.dataset("x").read(Float.self) == values)
    for length in [8, 100, bytes.count / 2, bytes.count - 1] {
      let error = #expect(throws: HDF5Error.self, "cut to \(length)") {
        try HDF5File.open(image: Array(bytes.prefix(length)), name: path).root.dataset("x").read(Float.self)
      }
      #expect(error?.kind == .damaged && error?.file == path)
      #expect(error?.libraryMessages.isEmpty == false)
    }
    var flipped = bytes
    flipped[bytes.count * 3 / 4] ^= 1
    #expect(throws: HDF5Error.self) {
      try HDF5File.open(image: flipped, name: path).root.dataset("x").read(Float.self)
    }
  }
}
