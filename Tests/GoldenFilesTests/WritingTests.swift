import Foundation
import GoldenFiles
import HDF5
import Problems
import Tensors
import TestSupport
import Testing

@Suite("Written golden and exchange files")
struct WritingTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  @Test("Cases read back as they were written, and the same cases give the same bytes")
  func roundTrip() throws {
    let path = folder.file("all.h5").path
    try GoldenFileWriter.write(SampleCases.all, header: SampleCases.header, to: path)
    let file = try GoldenReader(trusted: nil, probe: nil).open(path)
    #expect(file.header == SampleCases.header)
    #expect(file.cases.map(\.name) == SampleCases.all.map(\.name).sorted())
    for written in SampleCases.all { #expect(try file.load(named: written.name) == written) }
    let again = folder.file("again.h5").path
    try GoldenFileWriter.write(SampleCases.all.reversed(), header: SampleCases.header, to: again)
    #expect(try Data(contentsOf: folder.file("all.h5")) == Data(contentsOf: folder.file("again.h5")))
    let other = try GoldenReader(trusted: nil, probe: nil).open(again)
    #expect(try GoldenDifference.all(from: file, to: other) == [])
  }

  @Test("What changed between two files is named")
  func differences() throws {
    var changed = SampleCases.all
    changed.removeLast()
    changed[0].outputs["y"] = ExpectedTensor(SampleCases.float64([1, 2, 3, 4], seed: 33))
    changed[2].attributes["stride"] = .integer(2)
    changed[2].summary = GoldenCaseSummary(name: changed[2].name, operation: "conv2d", expectError: .invalidArgument)
    let reader = GoldenReader(trusted: nil, probe: nil)
    for (name, cases) in [("old.h5", SampleCases.all), ("new.h5", changed)] {
      try GoldenFileWriter.write(cases, header: SampleCases.header, to: folder.file(name).path)
    }
    let old = try reader.open(folder.file("old.h5").path)
    let new = try reader.open(folder.file("new.h5").path)
    let subjects = try GoldenDifference.all(from: old, to: new).map { "\($0.caseName) \($0.subject)" }
    #expect(
      subjects == [
        "/conv2d/pair case", "/conv2d/pair @stride", "/cross_entropy/scalar case", "/relu/small outputs/y",
      ])
    #expect(try GoldenDifference.all(from: old, to: new, matching: ["relu/*"]).count == 1)
  }

  @Test(
    "An exchange file holds the question, in the type asked for, and not the answer",
    arguments: DType.floats)
  func request(dtype: DType) throws {
    let path = folder.file("request.h5").path
    for asked in SampleCases.all {
      var exercise = asked.exercise
      exercise.dtype = dtype
      try ExchangeFile.writeRequest(exercise, case: asked.name, to: path)
      let read = try ExchangeFile.readRequest(path, case: asked.name)
      #expect(read.converted(to: dtype) == exercise.converted(to: dtype))
      // Values of 16 bits are read as the float32 that they are.
      let readType: DType = dtype.isNarrow ? .float32 : dtype
      #expect(read.inputs.values.allSatisfy { $0.dtype == readType || $0.dtype == .int64 })
      let stored = try HDF5File.open(path).root.dataset("\(asked.name.dropFirst())/inputs/x").datatype()
      #expect(stored.byteCount == dtype.byteCount && stored.isFloatingPoint)
      #expect((stored.kind == .bfloat16) == (dtype == .bfloat16))
      #expect(try GoldenReader(trusted: nil, probe: nil).open(path).cases.allSatisfy { $0.expectError == nil })
    }
  }

  @Test("An answer reads back, floats in the type asked for, integers as int64; what is absent is empty")
  func answer() throws {
    let path = folder.file("answer.h5").path
    let answer = Answer(
      outputs: ["y": SampleCases.float64([2, 3], seed: 1), "indices": .int64(Tensor(shape: [1], elements: [7]))],
      gradients: ["x": SampleCases.float32([0, 3], seed: 2)])
    try ExchangeFile.writeAnswer(answer, case: "/a/b", dtype: .float32, to: path)
    let wanted: [String: Int?] = ["outputs/y": 6, "outputs/indices": nil, "gradients/x": 0, "gradients/weight": nil]
    let read = try ExchangeFile.readAnswer(path, case: "/a/b", wanted: wanted)
    #expect(read.outputs == answer.outputs.mapValues { $0.converted(to: .float32) })
    #expect(read.gradients == answer.gradients && read.buffersAfter.isEmpty)
    #expect(
      #expect(throws: GoldenFileError.self) { try ExchangeFile.readAnswer(path, case: "/a/c", wanted: wanted) }?.kind
        == .missing)
    #expect(throws: GoldenFileError.self) {
      try ExchangeFile.readAnswer(folder.file("none.h5").path, case: "/a", wanted: wanted)
    }
    // Of what is not wanted nothing is read, and nothing larger than what is.
    #expect(try ExchangeFile.readAnswer(path, case: "/a/b", wanted: ["gradients/x": 0]).outputs.isEmpty)
    let larger = #expect(throws: GoldenFileError.self) {
      try ExchangeFile.readAnswer(path, case: "/a/b", wanted: ["outputs/y": 5])
    }
    #expect(larger?.object == "/a/b/outputs/y")
  }

  @Test("An answer of 16 bits reads back bit for bit, float32 beside it", arguments: DType.narrow)
  func narrowAnswer(dtype: DType) throws {
    let path = folder.file("narrow.h5").path
    // Zeros, subnormals, the largest value, both infinities.
    let infinity: UInt16 = dtype == .float16 ? 0x7C00 : 0x7F80
    let patterns = [0, 0x8000, 1, 0x8003, 0x3C01, infinity - 1, infinity, infinity | 0x8000]
    let y = AnyTensor.packed(PackedTensor(dtype, patterns: Tensor(shape: [8], elements: patterns)))
    let answer = Answer(outputs: ["y": y], gradients: ["weight": SampleCases.float32([3], seed: 2)])
    try HDF5File.create(path) { root in
      let group = try root.createGroup("a")
      for (name, tensors) in [("outputs", answer.outputs), ("gradients", answer.gradients)] {
        let target = try group.createGroup(name)
        for (name, tensor) in tensors { try target.createDataset(name, tensor, options: .contiguous) }
      }
    }
    #expect(try ExchangeFile.readAnswer(path, case: "/a", wanted: ["outputs/y": 8, "gradients/weight": 3]) == answer)
  }

  @Test("Unsigned integers that say so are bfloat16's bits, in either byte order")
  func patterns() throws {
    let path = folder.file("patterns.h5").path
    let patterns: [UInt16] = [0x3F80, 0xC040, 1]
    for order in [HDF5ByteOrder.littleEndian, .bigEndian] {
      try HDF5File.create(path) { root in
        let outputs = try root.createGroup("a").createGroup("outputs")
        let y = try outputs.createDataset(
          "y", shape: [3], values: patterns, storedAs: UInt16.storedType.stored(order))
        try y.setAttribute("bfloat16", .boolean(true))
        try outputs.createDataset("count", shape: [3], values: patterns)
      }
      let read = try ExchangeFile.readAnswer(path, case: "/a", wanted: ["outputs/y": 3, "outputs/count": 3])
      #expect(
        read.outputs["y"] == .packed(PackedTensor(.bfloat16, patterns: Tensor(shape: [3], elements: patterns))))
      #expect(read.outputs["y"]?.doubles.elements == [1, -3, 0x1p-133])
      #expect(read.outputs["count"]?.integers?.elements == [0x3F80, 0xC040, 1])
    }
  }

  @Test("A golden file that someone wrote with ten lines of h5py")
  func byHand() throws {
    let url = try #require(Bundle.module.url(forResource: "h5py", withExtension: "h5"))
    let file = try GoldenReader(trusted: nil, probe: nil).open(url.path)
    #expect(file.cases.map(\.name) == ["/mine/loss", "/mine/pool", "/mine/relu"])
    #expect(file.cases[2].tags == ["smoke"] && file.cases[2].fill == .exact && file.cases[0].fill == .adversarial)
    let relu = try file.load(named: "mine/relu")
    #expect(relu.inputs["x"] == .float32(Tensor(shape: [1, 1, 4, 4], elements: (-8..<8).map(Float.init))))
    // A compound attribute that the format does not name is nobody's business.
    #expect(relu.attributes["note"] == nil)
    let pool = try file.load(named: "mine/pool")
    #expect(pool.attributes["ceil_mode"] == .boolean(true) && pool.attributes["kernel_size"] == .integer(2))
    #expect(pool.attributes["divisor_override"] == nil)
    let loss = try file.load(named: "mine/loss")
    #expect(loss.outputs["loss"]?.shape == Shape() && loss.inputs["target"]?.integers?.elements == [1, 3])
  }
}
