import Foundation
import TestSupport
import Testing

/// `Benchmarks/engines/protocol.schema.json` against what really passes between the tool and engines.
@Suite struct ProtocolSchemaTests {
  private static let engines = Repository.root.appending(path: "Benchmarks/engines")
  private static let hasHDF5 = (try? CommandRun(shell: "pkg-config --exists hdf5"))?.exitCode == 0

  private let schema: JSONSchema

  init() throws { schema = try JSONSchema(contentsOf: Self.engines.appending(path: "protocol.schema.json")) }

  /// Holds the lines of one process against the schema, each reply by the request that it answers.
  /// - Returns: the methods that were asked for.
  private func check(_ asked: some StringProtocol, _ said: some StringProtocol) throws -> Set<String> {
    var methods: [Int: String] = [:]
    for line in asked.split(separator: "\n") {
      let object = try object(line)
      let method = try #require(object["method"] as? String, "\(line)")
      let errors = try schema.errors(in: Data(line.utf8), as: method.capitalized)
      #expect(errors == [], "\(line)")
      methods[try #require(object["id"] as? Int)] = method
    }
    for line in said.split(separator: "\n") {
      let object = try object(line)
      let method = try #require((object["id"] as? Int).flatMap { methods[$0] }, "\(line)")
      if let result = object["result"] {
        let data = try JSONSerialization.data(withJSONObject: result)
        #expect(try schema.errors(in: data, as: Self.result(of: method)) == [], "\(line)")
      }
      #expect(try schema.errors(in: Data(line.utf8), as: "Reply") == [], "\(line)")
    }
    return Set(methods.values)
  }

  private func object(_ line: some StringProtocol) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(String(line).utf8)) as? [String: Any], "\(line)")
  }

  private static func result(of method: String) -> String {
    ["hello", "prepare", "time"].contains(method) ? "\(method.capitalized)Result" : "EmptyResult"
  }

  /// Runs the command with an engine that is listened to, and checks every process of it.
  private func methods(_ words: [String], engine: String) throws -> Set<String> {
    let folder = try TemporaryDirectory()
    let place = folder.url.path(percentEncoded: false)
    let run = try CommandRun(
      words + ["--engine", "heard=tee '\(place)/asked.'$$ | \(engine) | tee '\(place)/said.'$$"])
    #expect([0, 2].contains(run.exitCode), "\(run.output)\(run.errors)")
    var methods: Set<String> = []
    for name in try FileManager.default.contentsOfDirectory(atPath: place) where name.hasPrefix("asked.") {
      methods.formUnion(
        try check(
          String(contentsOf: folder.file(name), encoding: .utf8),
          String(contentsOf: folder.file("said." + name.dropFirst(6)), encoding: .utf8)))
    }
    return methods
  }

  @Test func `the transcript`() throws {
    let page = try String(contentsOf: Self.engines.appending(path: "PROTOCOL.md"), encoding: .utf8)
    func lines(_ arrow: String) -> String {
      page.split(separator: "\n").filter { $0.hasPrefix("\(arrow) {") }.map { $0.dropFirst(2) }.joined(separator: "\n")
    }
    #expect(try check(lines("→"), lines("←")).count == 7)
  }

  @Test func `what verify asks, and a built-in engine replies`() throws {
    let served = "'\(Repository.command.path(percentEncoded: false))' engine reference"
    #expect(
      try methods(["verify", "--golden", "Tests/Trials/H14_old.h5", "--fresh", "0"], engine: served)
        == ["hello", "compute"])
  }

  @Test func `what bench asks, and a built-in engine replies`() throws {
    let folder = try TemporaryDirectory()
    let suite = folder.file("tiny.toml")
    try Data("problems = [\"conv2d n1c4h4w4 k4r1s1\"]\nblocks = 1\nslice_ms = 0.1\n".utf8).write(to: suite)
    let served = "'\(Repository.command.path(percentEncoded: false))' engine direct"
    #expect(
      try methods(["bench", "--suite", suite.path(percentEncoded: false)], engine: served)
        == ["hello", "compute", "prepare", "load", "time", "collect", "release"])
  }

  @Test(.enabled(if: hasHDF5, "pkg-config knows no HDF5"))
  func `what the example in C replies`() throws {
    let folder = try TemporaryDirectory()
    let program = folder.file("relu-engine").path(percentEncoded: false)
    let build = try CommandRun(
      shell: "cc -O1 -o '\(program)' Benchmarks/engines/example.c $(pkg-config --cflags --libs hdf5)")
    try #require(build.exitCode == 0, "\(build.errors)")
    #expect(
      try methods(
        ["verify", "--golden", "Fixtures/relu.h5", "--dtype", "float32", "--fresh", "0", "--tag", "smoke"],
        engine: "'\(program)'") == ["hello", "compute"])
  }

  @Test func `protocol 1`() throws {
    let asked = #"{"id":1,"method":"hello","params":{"protocol":1}}"# + "\n"
    let run = try CommandRun(["engine", "direct"], input: Array(asked.utf8))
    #expect(try check(asked, run.output) == ["hello"])
    let time = #"{"id":2,"method":"time","params":{"handle":"1","iterations":3,"cold":false}}"#
    #expect(try check(time, "") == ["time"])
  }

  @Test(arguments: [
    (#"{"id":1,"method":"hello","params":{}}"#, "Request"), (#"{"id":1,"method":"helo","params":{}}"#, "Request"),
    (#"{"id":"1","result":{}}"#, "Reply"), (#"{"id":1}"#, "Reply"), (#"{"id":1,"error":"no"}"#, "Reply"),
    (#"{"nanoseconds":["1"]}"#, "TimeResult"), (#"{"name":"mine"}"#, "HelloResult"),
  ])
  func `what is no line of it`(line: String, definition: String) throws {
    #expect(try schema.errors(in: Data(line.utf8), as: definition) != [])
  }
}
