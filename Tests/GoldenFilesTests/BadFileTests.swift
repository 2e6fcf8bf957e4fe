import Foundation
import GoldenFiles
import HDF5
import Problems
import TestSupport
import Testing

/// One way in which a golden file can be wrong.
struct BadFile: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let kind: GoldenFileError.Kind
  /// The object that the error has to name.
  let object: String
  let write: @Sendable (String) throws -> Void

  init(
    _ description: String, _ kind: GoldenFileError.Kind, _ object: String,
    _ write: @escaping @Sendable (String) throws -> Void
  ) {
    testDescription = description
    self.kind = kind
    self.object = object
    self.write = write
  }

  /// Wrong in what the writer's own calls can express.
  init(
    _ description: String, _ kind: GoldenFileError.Kind, at object: String,
    _ change: @escaping @Sendable (inout HostileFile) -> Void
  ) {
    self.init(description, kind, object) { path in
      var file = HostileFile()
      change(&file)
      try file.write(to: path)
    }
  }

  /// An expected tensor of ones that is compared with this tolerance.
  init(_ description: String, tolerance name: String, _ value: Double) {
    self.init(description, .inconsistent, at: "/a/case/outputs/y@\(name)") {
      $0.y = {
        try $0.createDataset("y", shape: [2, 3], values: [1.0, 1, 1, 1, 1, 1]).setAttribute(name, .float(value))
      }
    }
  }

  /// `inputs/x` of a kind that only the C library writes.
  init(
    foreign description: String, _ kind: GoldenFileError.Kind,
    _ make: @escaping @Sendable (String, String) throws -> Void
  ) {
    self.init(description, kind, "/a/case/inputs/x") { path in
      var file = HostileFile()
      file.x = { _ in }
      try file.write(to: path)
      try make(path, "/a/case/inputs/x")
    }
  }
}

extension BadFile {
  static let all: [BadFile] = files + header + caseAttributes + tolerances + tensors + links + recipes

  private static func bytes(_ text: String) -> @Sendable (String) throws -> Void {
    { try Data(text.utf8).write(to: URL(fileURLWithPath: $0)) }
  }

  private static let files = [
    BadFile("missing", .missing, "/") { _ in },
    BadFile("a directory", .notAGoldenFile, "/") {
      try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false)
    },
    BadFile("a pipe", .notAGoldenFile, "/") { mkfifo($0, 0o600) },
    BadFile("empty", .notAGoldenFile, "/", bytes("")),
    BadFile("text", .notAGoldenFile, "/", bytes("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")),
    BadFile("HDF5's signature alone", .damaged, "/", bytes("\u{1}")),
  ].map { file in
    file.testDescription != "HDF5's signature alone"
      ? file
      : BadFile(file.testDescription, .damaged, "/") {
        try Data([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]).write(to: URL(fileURLWithPath: $0))
      }
  }

  private static let header = [
    BadFile("no schema", .missing, at: "/@schema") { $0.schema = nil },
    BadFile("another schema", .notAGoldenFile, at: "/@schema") { $0.schema = .string("other") },
    BadFile("a schema that is a number", .wrongType, at: "/@schema") { $0.schema = .integer(1) },
    BadFile("newer schema", .newerSchema, at: "/@schema_version") { $0.version = .integer(2) },
    BadFile("schema 0", .damaged, at: "/@schema_version") { $0.version = .integer(0) },
    BadFile("no version", .missing, at: "/@schema_version") { $0.version = nil },
    BadFile("a fractional version", .wrongType, at: "/@schema_version") { $0.version = .float(1) },
    BadFile("no case count", .missing, at: "/@case_count") { $0.caseCount = nil },
    BadFile("too few cases", .damaged, at: "/@case_count") { $0.caseCount = .integer(2) },
    BadFile("too many cases", .damaged, at: "/@case_count") { $0.caseCount = .integer(0) },
    BadFile("an oracle of another precision", .damaged, at: "/@oracle_dtype") {
      $0.more = { root, _ in try root.setAttribute("oracle_dtype", .string("int8")) }
    },
  ]

  private static let caseAttributes = [
    BadFile("an unknown fill", .inconsistent, at: "/a/case@fill") { $0.caseAttributes["fill"] = .string("odd") },
    BadFile("an unknown category of error", .inconsistent, at: "/a/case@expect_error") {
      $0.caseAttributes["expect_error"] = .string("odd")
    },
    BadFile("tags that are numbers", .wrongType, at: "/a/case@tags") { $0.caseAttributes["tags"] = .integers([1]) },
    BadFile("an operation without a name", .wrongType, at: "/a/case@operation") { $0.operation = "" },
    BadFile("a custom operation without a tolerance", .missing, at: "/a/case/outputs/y") { $0.operation = "mine" },
    BadFile("an attribute of the operation that makes no sense", .inconsistent, at: "/a/case") {
      $0.operation = "flatten"
      $0.x = { try $0.createDataset("x", shape: [], values: [Float(1)]) }
    },
    BadFile("nothing expected", .missing, at: "/a/case") { $0.y = nil },
    BadFile("a tolerance that accepts anything", .inconsistent, at: "/a/case/outputs/y@atol") {
      $0.y = {
        try $0.createDataset("y", shape: [2, 3], values: [Double](repeating: 0, count: 6)).setAttribute(
          "atol", .float(.infinity))
      }
    },
  ]

  private static let tolerances = [
    BadFile("an absolute tolerance as large as the tensor", tolerance: "atol", 1),
    BadFile("an absolute tolerance beyond every tensor", tolerance: "atol", 1e307),
    BadFile("a relative tolerance that accepts zero", tolerance: "rtol", 1),
    BadFile("units in the last place that reach from 1 to 0", tolerance: "max_ulp", 0x1p23),
    BadFile("a negative tolerance", tolerance: "rtol", -0.5),
    BadFile("a tolerance that is no number", tolerance: "atol", .nan),
  ]

  private static let tensors = [
    BadFile("no input", .inconsistent, at: "/a/case") { $0.x = nil },
    BadFile("an output of another shape", .inconsistent, at: "/a/case/outputs/y") {
      $0.y = { try $0.createDataset("y", shape: [3, 2], values: [1.0, 1, 1, 1, 1, 1]) }
    },
    BadFile("an output of integers", .wrongType, at: "/a/case/outputs/y") {
      $0.y = { try $0.createDataset("y", shape: [2, 3], values: [1, 1, 1, 1, 1, 1]) }
    },
    BadFile("an input of strings", .wrongType, at: "/a/case/inputs/x") {
      $0.x = { try $0.createDataset("x", shape: [1], strings: ["1"]) }
    },
    BadFile("an input of integers", .inconsistent, at: "/a/case") {
      $0.x = { try $0.createDataset("x", shape: [2, 3], values: [1, 1, 1, 1, 1, 1]) }
    },
    BadFile("an input that float32 cannot represent", .inconsistent, at: "/a/case/inputs/x") {
      $0.x = { try $0.createDataset("x", shape: [2, 3], values: [0.1, 1, 1, 1, 1, 1]) }
    },
    BadFile("a gradient of nothing", .missing, at: "/a/case/gradients/z") {
      $0.more = { try $1.createGroup("gradients").createDataset("z", shape: [1], values: [1.0]) }
    },
    BadFile("a gradient of another shape", .inconsistent, at: "/a/case/gradients/x") {
      $0.more = { try $1.createGroup("gradients").createDataset("x", shape: [1], values: [1.0]) }
    },
    BadFile("a cotangent of another shape", .inconsistent, at: "/a/case/upstream/y") {
      $0.more = { try $1.createGroup("upstream").createDataset("y", shape: [1], values: [1.0]) }
    },
    BadFile("elements that were never written", .missing, at: "/a/case/inputs/x") {
      $0.x = { _ = try $0.createDataset("x", shape: [2, 3], storedAs: .float32) }
    },
    BadFile("chunks that were never written", .missing, at: "/a/case/inputs/x") {
      $0.x = { group in
        let options = HDF5DatasetOptions(chunk: [1, 3], fletcher32: true)
        let dataset = try group.createDataset("x", shape: [2, 3], storedAs: .float32, options: options)
        try dataset.write([Float(1), 1, 1], slab: HDF5Hyperslab(start: [0, 0], count: [1, 3]))
      }
    },
    BadFile("more chunks than all tensors of a file may have", .tooLarge, at: "/a/case/inputs/x") {
      $0.x = {
        let options = HDF5DatasetOptions(chunk: [1])
        try $0.createDataset("x", shape: [200], values: [Float](repeating: 1, count: 200), options: options)
      }
    },
    BadFile("nine dimensions", .tooLarge, at: "/a/case/inputs/x") {
      $0.x = { try $0.createDataset("x", shape: [Int](repeating: 1, count: 9), values: [Float(1)]) }
    },
    BadFile("a shape bomb", .tooLarge, at: "/a/case/inputs/x") {
      $0.x = { _ = try $0.createDataset("x", shape: [1 << 30, 1 << 20], storedAs: .float32) }
    },
    BadFile("a shape bomb whose product overflows", .tooLarge, at: "/a/case/inputs/x") {
      $0.x = {
        let options = HDF5DatasetOptions(chunk: [1, 1, 1])
        _ = try $0.createDataset("x", shape: [1 << 40, 1 << 40, 0], storedAs: .float32, options: options)
      }
    },
    BadFile(foreign: "external storage", .refused, ForeignDataset.external),
    BadFile(foreign: "a virtual dataset", .refused, ForeignDataset.virtual),
    BadFile(foreign: "the scale-offset filter", .refused, ForeignDataset.scaleOffset),
    BadFile(foreign: "an unknown filter", .refused, ForeignDataset.unknownFilter),
    BadFile(foreign: "a compound type", .wrongType, ForeignDataset.compound),
    BadFile(foreign: "variable-length sequences", .wrongType, ForeignDataset.variableLength),
    BadFile(foreign: "opaque bytes", .wrongType, ForeignDataset.opaque),
    BadFile(foreign: "a chunk of 2 GiB", .tooLarge, ForeignDataset.hugeChunk),
    BadFile(foreign: "a committed datatype in a tensor's place", .wrongType, ForeignDataset.committedType),
  ]

  private static let links = [
    BadFile("a soft link to a tensor", .refused, at: "/a/case/inputs/x") {
      $0.x = {
        try $0.createDataset("other", shape: [2, 3], values: [Float](repeating: 1, count: 6))
        try $0.createSoftLink("x", to: "/a/case/inputs/other")
      }
    },
    BadFile("a dangling soft link", .refused, at: "/a/case/outputs/z") {
      $0.more = { try $1.group("outputs").createSoftLink("z", to: "/nowhere") }
    },
    BadFile("a soft link between groups", .refused, at: "/a/loop") {
      $0.more = { root, _ in try root.group("a").createSoftLink("loop", to: "/a") }
    },
    BadFile("an external link", .refused, at: "/a/elsewhere") {
      $0.more = { root, _ in try root.group("a").createExternalLink("elsewhere", to: "/", inFile: "/etc/hostname") }
    },
    BadFile("a cycle of hard links", .refused, at: "/a/case/up") {
      $0.more = { root, group in try group.createHardLink("up", to: try root.group("a")) }
    },
    BadFile("a group that is its own member", .refused, at: "/a/case/self") {
      $0.more = { try $1.createHardLink("self", to: $1) }
    },
    BadFile("a small file that looks like an endless tree", .tooLarge, at: "/n0") {
      $0.more = { root, _ in
        for level in 0..<40 { _ = try root.createGroup("n\(level)") }
        for level in 0..<39 {
          let group = try root.group("n\(level)")
          for name in ["a", "b"] { try group.createHardLink(name, to: try root.group("n\(level + 1)")) }
        }
      }
    },
    BadFile("a dataset where a group belongs", .wrongType, at: "/a/case/upstream") {
      $0.more = { try $1.createDataset("upstream", shape: [1], values: [1.0]) }
    },
  ]

  private static func procedural(_ change: @escaping @Sendable (inout [String: HDF5AttributeValue]) -> Void)
    -> (HDF5Group) throws -> Void
  {
    { group in
      var attributes: [String: HDF5AttributeValue] = [
        "procedural": .string("splitmix64-uniform"), "shape": .integers([2, 3]), "seed": .integer(1), "low": .float(0),
        "high": .float(1),
      ]
      change(&attributes)
      let dataset = try group.createNullDataset("x")
      for (name, value) in attributes { try dataset.setAttribute(name, value) }
    }
  }

  private static func sampled(_ change: @escaping @Sendable (inout [String: HDF5AttributeValue], inout [Int]) -> Void)
    -> (HDF5Group) throws -> Void
  {
    { group in
      var attributes: [String: HDF5AttributeValue] = [
        "shape": .integers([2, 3]), "l2_norm": .float(1), "sum": .float(1), "abs_max": .float(1),
      ]
      var indices = [0, 5]
      change(&attributes, &indices)
      let sample = try group.createGroup("y")
      for (name, value) in attributes { try sample.setAttribute(name, value) }
      try sample.createDataset("indices", shape: [indices.count], values: indices)
      try sample.createDataset("values", shape: [2], values: [1.0, 1])
    }
  }

  private static let recipes = [
    BadFile("no elements and no recipe", .missing, at: "/a/case/inputs/x") { $0.x = procedural { $0 = [:] } },
    BadFile("an unknown recipe", .inconsistent, at: "/a/case/inputs/x@procedural") {
      $0.x = procedural { $0["procedural"] = .string("odd") }
    },
    BadFile("a recipe without a seed", .missing, at: "/a/case/inputs/x@seed") {
      $0.x = procedural { $0["seed"] = nil }
    },
    BadFile("a recipe with a negative seed", .missing, at: "/a/case/inputs/x@seed") {
      $0.x = procedural { $0["seed"] = .integer(-1) }
    },
    BadFile("a recipe with NaN", .missing, at: "/a/case/inputs/x@low") {
      $0.x = procedural { $0["low"] = .float(.nan) }
    },
    BadFile("a recipe without a shape", .missing, at: "/a/case/inputs/x@shape") {
      $0.x = procedural { $0["shape"] = nil }
    },
    BadFile("a recipe for a shape bomb", .tooLarge, at: "/a/case/inputs/x") {
      $0.x = procedural { $0["shape"] = .integers([1 << 31, 1 << 31]) }
    },
    BadFile("a recipe with a negative extent", .tooLarge, at: "/a/case/inputs/x") {
      $0.x = procedural { $0["shape"] = .integers([-2, -3]) }
    },
    BadFile("a sample outside its tensor", .inconsistent, at: "/a/case/outputs/y/indices") {
      $0.y = sampled { $1 = [0, 6] }
    },
    BadFile("a sample before its tensor", .inconsistent, at: "/a/case/outputs/y/indices") {
      $0.y = sampled { $1 = [-1, 5] }
    },
    BadFile("more indices than values", .inconsistent, at: "/a/case/outputs/y") { $0.y = sampled { $1 = [0, 1, 2] } },
    BadFile("a sample without a sum", .missing, at: "/a/case/outputs/y@sum") {
      $0.y = sampled {
        $0["sum"] = nil; _ = $1
      }
    },
    BadFile("a sample without a shape", .missing, at: "/a/case/outputs/y@shape") {
      $0.y = sampled {
        $0["shape"] = nil; _ = $1
      }
    },
    BadFile("a sample of another shape", .inconsistent, at: "/a/case/outputs/y") {
      $0.y = sampled {
        $0["shape"] = .integers([3, 3]); _ = $1
      }
    },
    BadFile("a group without samples", .missing, at: "/a/case/outputs/y@shape") {
      $0.y = { _ = try $0.createGroup("y") }
    },
  ]
}

@Suite("Bad golden files")
struct BadFileTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  @Test("The file that the bad ones are made from is sound")
  func sound() throws {
    let path = folder.file("sound.h5").path
    try HostileFile().write(to: path)
    try GoldenReader(trusted: nil, probe: nil).open(path).validate()
  }

  @Test(
    "Each gets one error that names the file and the object, here and from the child process", arguments: BadFile.all)
  func refused(bad: BadFile) throws {
    let path = folder.file("bad.h5").path
    try bad.write(path)
    var limits = GoldenLimits.standard
    limits.maximumGroups = 10_000
    limits.maximumChunks = 100
    let error = #expect(throws: GoldenFileError.self) {
      try GoldenReader(trusted: nil, probe: nil, limits: limits).open(path).validate()
    }
    #expect(error?.kind == bad.kind, "\(error.map { "\($0)" } ?? "")")
    #expect(error?.file == path)
    #expect(bad.object == "/n0" || error?.object == bad.object, "\(error.map { "\($0)" } ?? "")")
    #expect(error?.expected.isEmpty == false && error?.found.isEmpty == false)
    // The child says the same, or (for what is no file at all) this process does before it asks.
    var probe = GoldenFileProbe(executable: Repository.command.path)
    probe.limits = limits
    probe.limits.computation = .unlisted
    let verdict = probe.run([path])
    #expect(verdict.count == 1)
    guard case .unsound(let found)? = verdict.first else {
      Issue.record("the child found \(bad.testDescription) sound")
      return
    }
    #expect(found == error)
  }

  @Test("A listed file with another digest is refused before anything of it is parsed")
  func manifest() throws {
    let path = folder.file("listed.h5").path
    try HostileFile().write(to: path)
    let sound = try GoldenReader(trusted: nil, probe: nil).open(path)
    func write(_ entries: [GoldenManifest.Entry]) throws {
      let data = try JSONEncoder().encode(GoldenManifest(files: entries, folder: folder.url.path))
      try data.write(to: folder.file(GoldenManifest.fileName))
    }
    let reader = GoldenReader(trusted: nil, probe: nil)
    try write([.init(path: "listed.h5", sha256: sound.sha256, caseCount: 1)])
    #expect(try reader.open(path).cases.count == 1)
    #expect(try !reader.open(path).isListed)
    let manifest = try #require(try GoldenManifest.read(inFolder: folder.url.path))
    #expect(try GoldenReader(trusted: manifest, probe: nil).open(path).isListed)
    try write([.init(path: "listed.h5", sha256: String(repeating: "0", count: 64), caseCount: 1)])
    #expect(#expect(throws: GoldenFileError.self) { try reader.open(path) }?.kind == .checksum)
    try write([.init(path: "listed.h5", sha256: sound.sha256, caseCount: 2)])
    #expect(#expect(throws: GoldenFileError.self) { try reader.open(path) }?.kind == .damaged)
    // A lost file is still in its folder's list; a damaged manifest takes no check with it.
    try write([
      .init(path: "listed.h5", sha256: sound.sha256, caseCount: 1), .init(path: "lost.h5", sha256: "", caseCount: 1),
    ])
    #expect(
      try GoldenCorpus.files(at: [folder.url.path]).map { URL(fileURLWithPath: $0).lastPathComponent } == [
        "listed.h5", "lost.h5",
      ])
    try Data("{".utf8).write(to: folder.file(GoldenManifest.fileName))
    #expect(#expect(throws: GoldenFileError.self) { try reader.open(path) }?.kind == .damaged)
    try Data(#"{"name": "someone else's"}"#.utf8).write(to: folder.file(GoldenManifest.fileName))
    #expect(try reader.open(path).cases.count == 1)
  }

  @Test("A child that cannot be started, that dies, or that hangs is an error of that file")
  func children() throws {
    func error(_ verdicts: [GoldenFileProbe.Verdict]) -> GoldenFileError? {
      if case .unsound(let error)? = verdicts.first { error } else { nil }
    }
    #expect(error(GoldenFileProbe(executable: "/no/such/program").run(["a.h5"]))?.kind == .probeFailed)
    #expect(error(GoldenFileProbe(executable: "/bin/false").run(["a.h5", "b.h5"]))?.kind == .probeFailed)
    #expect(GoldenFileProbe(executable: "/bin/false").run(["a.h5", "b.h5"]).count == 2)
    let script = folder.file("hang.sh")
    try Data("#!/bin/sh\nexec sleep 60\n".utf8).write(to: script)
    chmod(script.path, 0o700)
    let impatient = GoldenFileProbe.Resources(wallSeconds: 0.2)
    #expect(
      error(GoldenFileProbe(executable: script.path, resources: impatient).run(["a.h5"]))?.found.contains("no answer")
        == true)
    // A tensor that the limits allow, in a child that lacks the memory for it: the child dies, and that is its answer.
    let large = folder.file("large.h5").path
    var file = HostileFile()
    file.x = { group in
      let dataset = try group.createNullDataset("x")
      try dataset.setAttribute("procedural", .string("splitmix64-uniform"))
      try dataset.setAttribute("shape", .integers([1 << 27]))
      for name in ["seed", "low", "high"] { try dataset.setAttribute(name, .integer(0)) }
    }
    try file.write(to: large)
    let path = folder.file("sound.h5").path
    try HostileFile().write(to: path)
    let poor = GoldenFileProbe(
      executable: Repository.command.path, resources: GoldenFileProbe.Resources(memoryBytes: 1 << 28),
      limits: GoldenLimits(computation: CaseLimits(maximumBytes: .max, maximumWork: .max)))
    let verdicts = poor.run([path, large, path])
    #expect(verdicts.count == 3 && verdicts[0] == verdicts[2])
    #expect(error(Array(verdicts[1...]))?.kind == .probeFailed)
    guard case .sound(_, 1)? = GoldenFileProbe(executable: Repository.command.path).run([path]).first else {
      Issue.record("a sound file was found unsound")
      return
    }
  }
}
