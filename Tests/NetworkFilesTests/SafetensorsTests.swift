import Foundation
import GoldenFiles
import Operations
import Problems
import Tensors
import TestSupport
import Testing

import NetworkFiles

/// Tensors in the safetensors format: another program's, our own, and what is none.
@Suite struct SafetensorsTests {
  private let folder: TemporaryDirectory
  private let probe = NetworkFileProbe(executable: Repository.command.path)

  init() throws { folder = try TemporaryDirectory() }

  /// A file with this header and so many bytes after it.
  private func file(_ header: String, dataBytes: Int = 0, length: UInt64? = nil) throws -> String {
    try file(Array(header.utf8), dataBytes: dataBytes, length: length)
  }

  private func file(_ header: [UInt8], dataBytes: Int = 0, length: UInt64? = nil) throws -> String {
    let length = length ?? UInt64(header.count)
    let url = folder.file("odd.safetensors")
    let start = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }
    try Data(start + header + Array(repeating: 1, count: dataBytes)).write(to: url)
    return url.path
  }

  private func sample() throws -> String {
    try #require(Bundle.module.url(forResource: "python", withExtension: "safetensors")).path
  }

  @Test func pythonsFileIsReadRight() throws {
    let found = try SafetensorsFile(contentsOf: sample(), probe: probe)
    let exact = [1.5, -0.0, 0x1p-24, .infinity, -65504, 0.1]
    #expect(found.tensors["f64"] == .float64(Tensor(shape: [2, 3], elements: exact)))
    #expect(found.tensors["f32"] == .float32(Tensor(shape: [2, 3], elements: exact.map { Float($0) })))
    for (name, dtype) in [("f16", DType.float16), ("bf16", .bfloat16)] {
      let rounded = PackedTensor(dtype, rounding: Tensor(shape: [2, 3], elements: exact))
      #expect(found.tensors[name] == .packed(rounded))
    }
    let integers: [String: [Int64]] = [
      "i64": [.min, .max], "i32": [-1 << 31, 7], "i16": [-1 << 15, 7, 1], "i8": [-128, 127, 1], "u64": [5, 1 << 62],
      "u32": [1 << 32 - 1], "u16": [1 << 16 - 1], "u8": [255, 0, 1], "mask": [1, 0, 1],
    ]
    for (name, elements) in integers {
      #expect(found.tensors[name] == .int64(Tensor(shape: [elements.count], elements: elements)), "\(name)")
    }
    #expect(found.tensors["scalar"] == .int64(Tensor(shape: [], elements: [7])))
    #expect(found.tensors["empty"] == .float32(Tensor(shape: [0, 3], elements: [])))
    #expect(found.tensors["na\"me\\\nü"] == .float32(Tensor(shape: [1], elements: [1])))
    #expect(found.tensors.count == 16)
    #expect(found.metadata == ["format": "pt", "text": "Grüße 😀 \"quoted\""])
    // In this process as in the child.
    #expect(try SafetensorsFile(contentsOf: sample()) == found)
  }

  @Test func ownFilesComeBack() throws {
    let written = SafetensorsFile(
      tensors: [
        "half": .packed(PackedTensor(.bfloat16, rounding: Tensor(shape: [3], elements: [1, 2, 3]))),
        "single": .float32(Tensor(splitMix64Uniform: [2, 5], seed: 3, low: -1, high: 1)),
        "double": .float64(Tensor(shape: [], elements: [.pi])), "none": .int64(Tensor(shape: [4, 0], elements: [])),
      ], metadata: ["tab\t": "\u{1}\u{1f600}\"\\"])
    let path = folder.file("own.safetensors").path
    try written.write(to: path)
    #expect(try SafetensorsFile(contentsOf: path, probe: probe) == written)
    // The elements begin at a multiple of eight, and every tensor at one of its own type's size, whatever its length.
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let length = try SafetensorsHeader.length(bytes, fileBytes: bytes.count, file: path)
    #expect(length % 8 == 0)
    let header = try SafetensorsHeader(json: Array(bytes[8..<8 + length]), file: path, limits: .standard)
    #expect(header.entries.allSatisfy { $0.begin % $0.type.byteCount == 0 })
  }

  /// The format lets a tensor begin at any byte.
  @Test func aTensorMayBeginAtAnyByte() throws {
    let (a, b) = (HostileHeader.entry("U8", "[1]", "[0,1]"), HostileHeader.entry("I16", "[2]", "[1,5]"))
    let header = #"{"a":\#(a),"b":\#(b)} "#
    let found = try SafetensorsFile(contentsOf: file(header, dataBytes: 5), probe: probe)
    #expect(found.tensors["b"]?.integers?.elements == [0x0101, 0x0101])
  }

  // MARK: What is no such file

  @Test(arguments: HostileHeader.all)
  func whatIsNoSuchFileIsOneError(_ hostile: HostileHeader) throws {
    let path = try file(hostile.header, dataBytes: hostile.dataBytes)
    for probe in [nil, probe] {
      let error = #expect(throws: GoldenFileError.self) { try SafetensorsFile(contentsOf: path, probe: probe) }
      #expect(error?.file == path && error?.kind != .probeFailed)
      #expect(error.map { "\($0)".contains(hostile.reason) } == true, "\(String(describing: error))")
      #expect(error.map { !"\($0)".contains("\n") && "\($0)".count < 1_000 } == true)
    }
  }

  @Test func bytesThatAreNoText() throws {
    let bytes = Array("{\"a".utf8) + [0xff, 0xfe] + Array("\":\(HostileHeader.entry())}".utf8)
    let error = #expect(throws: GoldenFileError.self) { try SafetensorsFile(contentsOf: file(bytes, dataBytes: 4)) }
    #expect(error?.expected.contains("UTF-8") == true)
  }

  @Test(arguments: [.max, 1 << 63, 1 << 40, 3, 1 << 24 + 1] as [UInt64])
  func aLengthThatDoesNotFit(_ length: UInt64) throws {
    #expect(throws: GoldenFileError.self) { try SafetensorsFile(contentsOf: file("{}", length: length), probe: probe) }
  }

  @Test func sizesBeyondTheLimits() throws {
    #expect(throws: GoldenFileError.self) { try SafetensorsFile(contentsOf: folder.file("none.safetensors").path) }
    #expect(throws: GoldenFileError.self) { try SafetensorsFile(contentsOf: folder.url.path) }
    for length in [0, 1, 7] {
      let url = folder.file("short.safetensors")
      try Data(repeating: 0, count: length).write(to: url)
      #expect(throws: GoldenFileError.self) { try SafetensorsFile(contentsOf: url.path, probe: probe) }
    }
    var limits = GoldenLimits.standard
    limits.maximumTensorBytes = 8
    let path = try file(#"{"a":\#(HostileHeader.entry("F32", "[3]", "[0,12]"))}"#, dataBytes: 12)
    let large = #expect(throws: GoldenFileError.self) { try SafetensorsFile(contentsOf: path, limits: limits) }
    #expect(large?.kind == .tooLarge)
    limits = .standard
    limits.maximumCases = 1
    let two = #"{"a":\#(HostileHeader.entry()),"b":\#(HostileHeader.entry("F32", "[1]", "[4,8]"))}"#
    let many = #expect(throws: GoldenFileError.self) {
      try SafetensorsFile(contentsOf: file(two, dataBytes: 8), limits: limits, probe: probe)
    }
    #expect(many?.kind == .tooLarge)
    let unsigned = #"{"a":\#(HostileHeader.entry("U64", "[1]", "[0,8]"))}"#
    var bytes = try Data(contentsOf: URL(filePath: file(unsigned, dataBytes: 8)))
    bytes[bytes.count - 1] = 0xff
    try bytes.write(to: folder.file("unsigned.safetensors"))
    let wide = #expect(throws: GoldenFileError.self) {
      try SafetensorsFile(contentsOf: folder.file("unsigned.safetensors").path)
    }
    #expect(wide?.object == "/a[0]")
  }

  @Test func aChildThatFailsIsOneError() throws {
    let error = #expect(throws: GoldenFileError.self) {
      try SafetensorsFile(contentsOf: file("{}"), probe: NetworkFileProbe(executable: "/bin/false"))
    }
    #expect(error?.kind == .probeFailed)
  }

  // MARK: As weights

  @Test(arguments: ["resnet18", "cifar_resnet8", "simple_resnet"], [nil, 8] as [Int?])
  func anotherProgramsTensorsAreRecognised(_ name: String, _ width: Int?) throws {
    let own = try ResNetArchitecture(named: name)
    let architecture = width.map { own.scaled(toWidth: $0) } ?? own
    let plan = try architecture.plan(inputShape: [1, 3, 32, 32], classCount: 7)
    let state = Initialization(seed: 1).state(of: plan, as: Float.self)
    let path = folder.file("foreign.safetensors").path
    for prefix in ["", "module."] {
      let named = state.stateDict(AnyTensor.float32).map { (prefix + $0.key, $0.value) }
      try SafetensorsFile(tensors: Dictionary(uniqueKeysWithValues: named)).write(to: path)
      let file = try WeightsFile(contentsOf: path, probe: probe)
      #expect(try file.network(from: path) == architecture)
      #expect(file.classCount == 7 && file.checkpoint == nil)
      #expect(try file.state(of: plan, from: path).parameters == state.parameters)
    }
  }

  @Test func tensorsOfNoNetwork() throws {
    let path = folder.file("foreign.safetensors").path
    try SafetensorsFile(tensors: ["w": .float32(Tensor(shape: [2], elements: [1, 2]))]).write(to: path)
    let none = #expect(throws: GoldenFileError.self) { try WeightsFile(contentsOf: path) }
    #expect(none?.object == "/fc.weight")
    try SafetensorsFile(tensors: ["fc.weight": .float32(Tensor(shape: [2, 1], elements: [1, 2]))]).write(to: path)
    let unknown = try WeightsFile(contentsOf: path)
    let error = #expect(throws: GoldenFileError.self) { try unknown.network(from: path) }
    #expect(error?.advice.contains("--model") == true)
  }
}
