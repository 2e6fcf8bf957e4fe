import Foundation
import HDF5
import TestSupport
import Testing

@Suite("Written files read back")
struct WritingTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func roundTrip<Element: HDF5Element & Equatable>(_ values: [Element]) throws {
    let path = folder.file("\(Element.self).h5").path
    for (index, order) in [HDF5ByteOrder.littleEndian, .bigEndian].enumerated() {
      let stored = Element.storedType.stored(order)
      try HDF5File.create(path) { root in
        try root.createDataset("plain", shape: [values.count], values: values, storedAs: stored)
        try root.createDataset(
          "packed", shape: [1, values.count], values: values, storedAs: stored, options: .compressed)
        try root.createDataset("scalar", shape: [], values: [values[0]], storedAs: stored)
      }
      let root = try HDF5File.open(path).root
      #expect(try root.dataset("plain").read(Element.self) == values)
      #expect(try root.dataset("packed").read(Element.self) == values)
      #expect(try root.dataset("scalar").read(Element.self) == [values[0]])
      #expect(try root.dataset("scalar").dataspace() == .scalar)
      #expect(try root.dataset("packed").dataspace() == .simple([1, values.count]))
      let type = try root.dataset("plain").datatype()
      #expect(type.kind == Element.storedType.kind && type.byteCount == Element.storedType.byteCount)
      if type.byteCount > 1 { #expect(type.byteOrder == order, "order \(index)") }
    }
  }

  @Test("Every native number type, in either byte order")
  func numbers() throws {
    try roundTrip([Int8.min, -1, 0, .max])
    try roundTrip([Int16.min, -1, 0, .max])
    try roundTrip([Int32.min, -1, 0, .max])
    try roundTrip([Int64.min, -1, 0, .max])
    try roundTrip([Int.min, -1, 0, .max])
    try roundTrip([UInt8.min, 1, .max])
    try roundTrip([UInt16.min, 1, .max])
    try roundTrip([UInt32.min, 1, .max])
    try roundTrip([UInt64.min, 1, .max])
    try roundTrip([Float(1.5), -0, .infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
    try roundTrip([Double.pi, -0, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
    #if !(os(macOS) && arch(x86_64))
      try roundTrip([Float16(1.5), -0, .infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude])
    #endif
  }

  @Test(
    "Floats of 16 bits, in either byte order, as the nearest values that they hold",
    arguments: [
      (HDF5Datatype.float16, [Float(1.5), -0.0, Float.infinity, 0x1p-24, 65_504, 0x1p-14], Float(1.0004), Float(1)),
      (
        HDF5Datatype.bfloat16, [Float(1.5), -0.0, -Float.infinity, 0x1p-133, 0x1.FEp127, 0x1p-126], Float(1.003),
        Float(1)
      ),
    ])
  func sixteenBits(type: HDF5Datatype, values: [Float], between: Float, nearest: Float) throws {
    let path = folder.file("sixteen.h5").path
    for order in [HDF5ByteOrder.littleEndian, .bigEndian] {
      try HDF5File.create(path) { root in
        try root.createDataset("x", shape: [values.count + 1], values: values + [between], storedAs: type.stored(order))
      }
      let dataset = try HDF5File.open(path).root.dataset("x")
      let stored = try dataset.datatype()
      #expect(stored.kind == type.kind && stored.byteCount == 2 && stored.byteOrder == order)
      #expect(try dataset.read(Float.self).map(\.bitPattern) == (values + [nearest]).map(\.bitPattern))
    }
  }

  @Test("NaN payloads and the sign of zero survive")
  func bits() throws {
    let path = folder.file("bits.h5").path
    let values = [Float(bitPattern: 0x7fc1_2345), -0.0, Float(bitPattern: 1)]
    try HDF5File.create(path) { try $0.createDataset("x", shape: [3], values: values) }
    let read = try HDF5File.open(path).root.dataset("x").read(Float.self)
    #expect(read.map(\.bitPattern) == values.map(\.bitPattern))
  }

  @Test("Strings, fixed and variable, with every length")
  func strings() throws {
    let path = folder.file("strings.h5").path
    let words = ["", "a", "zwölf Boxkämpfer", "日本"]
    try HDF5File.create(path) { root in
      try root.createDataset("variable", shape: [2, 2], strings: words)
      try root.createDataset("fixed", shape: [4], strings: words, fixedBytes: 24)
      try root.createDataset("scalar", shape: [], strings: ["one"])
    }
    let root = try HDF5File.open(path).root
    #expect(try root.dataset("variable").readStrings() == words)
    #expect(try root.dataset("fixed").readStrings() == words)
    #expect(try root.dataset("scalar").readStrings() == ["one"])
    #expect(try root.dataset("fixed").datatype().kind == .string(variableLength: false, utf8: true))
  }

  @Test("Attributes of every kind")
  func attributes() throws {
    let path = folder.file("attributes.h5").path
    let values: [(String, HDF5AttributeValue)] = [
      ("integer", .integer(-7)), ("unsigned", .unsigned(.max)), ("float", .float(1e-5)), ("string", .string("Grüße")),
      ("empty", .string("")), ("yes", .boolean(true)), ("no", .boolean(false)), ("integers", .integers([1, -2, 3])),
      ("floats", .floats([0.9, .infinity])), ("strings", .strings(["a", "", "bc"])),
      ("matrix", HDF5AttributeValue(.integers([1, 2, 3, 4]), shape: [2, 2])),
      ("none", HDF5AttributeValue(.integers([]), shape: [0])),
      ("no strings", HDF5AttributeValue(.strings([]), shape: [0])),
      ("null", HDF5AttributeValue(.floats([]), shape: nil)),
      ("flags", HDF5AttributeValue(.booleans([true, false]), shape: [2])),
    ]
    try HDF5File.create(path) { root in
      let group = try root.createGroup("a/b")
      for (name, value) in values { try group.setAttribute(name, value) }
      try group.setAttribute("integer", .integer(8))
    }
    let group = try HDF5File.open(path).root.group("a/b")
    for (name, value) in values where name != "integer" {
      #expect(try group.attribute(name) == value, "\(name)")
    }
    #expect(try group.attribute("integer")?.integer == 8)
    #expect(try group.attribute("absent") == nil)
    #expect(try group.attributeNames() == values.map(\.0).sorted())
  }

  @Test("A box of a dataset, with strides, read and written")
  func hyperslabs() throws {
    let path = folder.file("slab.h5").path
    try HDF5File.create(path) { root in
      let dataset = try root.createDataset(
        "x", shape: [4, 5], values: [Int32](0..<20), options: HDF5DatasetOptions(chunk: [2, 2], deflateLevel: 1))
      try dataset.write([Int32(-1), -2], slab: HDF5Hyperslab(start: [3, 3], count: [1, 2]))
    }
    let dataset = try HDF5File.open(path).root.dataset("x")
    #expect(
      try dataset.read(Int.self, slab: HDF5Hyperslab(start: [1, 0], count: [2, 3], stride: [2, 2]))
        == [5, 7, 9, 15, 17, -2])
    #expect(try dataset.read(Int.self, slab: HDF5Hyperslab(start: [0, 0], count: [0, 5])) == [])
    for slab in [
      HDF5Hyperslab(start: [0, 0], count: [5, 1]), HDF5Hyperslab(start: [-1, 0], count: [1, 1]),
      HDF5Hyperslab(start: [0], count: [1]), HDF5Hyperslab(start: [0, 0], count: [2, 2], stride: [1, .max]),
    ] {
      #expect(throws: HDF5Error.self) { try dataset.read(Int.self, slab: slab) }
    }
  }

  @Test("Storage says what a dataset's filters and chunks are")
  func storage() throws {
    let path = folder.file("storage.h5").path
    try HDF5File.create(path) { root in
      try root.createDataset("plain", shape: [3], values: [Float](repeating: 1, count: 3))
      try root.createDataset(
        "packed", shape: [64, 3, 100, 100], values: [Float](repeating: 1, count: 1_920_000), options: .compressed)
      try root.createDataset("empty", shape: [0, 3], values: [Float](), options: .compressed)
      _ = try root.createNullDataset("null")
    }
    let root = try HDF5File.open(path).root
    let packed = try root.dataset("packed").storage()
    #expect(packed.layout == .chunked && packed.filters == [.shuffle, .deflate, .fletcher32])
    #expect(packed.chunk == [8, 3, 100, 100])
    #expect(try root.dataset("plain").storage().layout == .contiguous)
    #expect(try root.dataset("plain").storage().externalFileCount == 0)
    #expect(try root.dataset("empty").read(Float.self) == [])
    #expect(try root.dataset("null").dataspace() == .null)
    #expect(try root.dataset("null").read(Float.self) == [])
    #expect(try root.dataset("packed").isFullyAllocated())
  }

  @Test("The same content gives the same bytes")
  func deterministic() throws {
    func write(_ name: String) throws -> Data {
      let path = folder.file(name).path
      try HDF5File.create(path) { root in
        try root.setAttribute("schema", .string("x"))
        for index in 0..<40 {
          let group = try root.createGroup("case\(index)/inputs")
          try group.setAttribute("names", .strings(["a", "b"]))
          try group.createDataset(
            "x", shape: [3000], values: [Float](repeating: Float(index), count: 3000), options: .compressed)
          try group.createDataset("w", shape: [2], strings: ["a", "bb"])
        }
      }
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
    let first = try write("first.h5")
    Thread.sleep(forTimeInterval: 1.1)
    #expect(try write("second.h5") == first)
  }

  @Test("A failed writing leaves nothing behind, and no half file")
  func atomic() throws {
    struct Stop: Error {}
    let path = folder.file("atomic.h5").path
    #expect(throws: Stop.self) {
      try HDF5File.create(path) { root in
        try root.createDataset("x", shape: [1], values: [1.0])
        throw Stop()
      }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    let error = #expect(throws: HDF5Error.self) { try HDF5File.create(folder.file("no/such/folder.h5").path) { _ in } }
    #expect(error?.kind == .cannotWrite)
  }

  @Test("What cannot be written is an error, not a wrong file")
  func refusals() throws {
    try HDF5File.create(folder.file("refusals.h5").path) { root in
      try root.createDataset("x", shape: [1], values: [1.0])
      #expect(throws: HDF5Error.self) { try root.createDataset("x", shape: [1], values: [1.0]) }
      #expect(throws: HDF5Error.self) { try root.createDataset("y", shape: [2], values: [1.0]) }
      #expect(throws: HDF5Error.self) { try root.createDataset("z/z", shape: [1], values: [1.0]) }
      #expect(throws: HDF5Error.self) { try root.createDataset("n", shape: [1], values: [300], storedAs: .int8) }
      #expect(throws: HDF5Error.self) { try root.createDataset("f", shape: [1], values: [1.5], storedAs: .int8) }
      #expect(throws: HDF5Error.self) { try root.createGroup("x/below") }
      #expect(throws: HDF5Error.self) { try root.createDataset("s", shape: [1], strings: ["long"], fixedBytes: 2) }
    }
  }

  @Test("Many threads may use the library at once")
  func threads() async throws {
    let path = folder.file("threads.h5").path
    try HDF5File.create(path) { root in
      for index in 0..<8 {
        try root.createDataset("x\(index)", shape: [1000], values: [Int](repeating: index, count: 1000))
      }
    }
    let sums = try await withThrowingTaskGroup(of: Int.self) { group in
      for index in 0..<64 {
        group.addTask { try HDF5File.open(path).root.dataset("x\(index % 8)").read(Int.self).reduce(0, +) }
      }
      return try await group.reduce(0, +)
    }
    #expect(sums == 8 * 28 * 1000)
  }
}
