import Foundation
import Reporting
import Results
import TestSupport
import Testing

@Suite("One run on many machines", .waiting)
struct ManyMachinesTests {
  private static let words = ["verify", "--filter", "conv2d/*padding*", "--dtype", "float64", "--jobs", "1", "--quiet"]

  private func run(_ file: URL) throws -> Run { try RunFile.read(file.path(percentEncoded: false)) }

  /// The results as one process writes them, without what each took.
  private func results(_ run: Run) throws -> [String] {
    try #require(run.verification).results.map { result in
      "\(result.name) \(result.dtype) \(result.status) \(result.tensors.map(\.worstRatio))"
    }
  }

  @Test func `a run that is killed goes on where it was, and is the run that nobody killed`() throws {
    let folder = try TemporaryDirectory()
    let (part, whole) = (folder.file("part"), folder.file("whole"))
    let journal = part.appending(path: "results")
    let killed = try CommandRun(
      interrupting: Self.words + ["--out", part.path], by: SIGKILL,
      once: { _ in
        let names = FileManager.default.enumerator(atPath: journal.path)?.compactMap { $0 as? String } ?? []
        return names.count { $0.hasSuffix(".json") } > 5
      })
    #expect(killed.exitCode == 128 + SIGKILL)
    #expect(!FileManager.default.fileExists(atPath: part.appending(path: "run.json").path))
    let other = try CommandRun(
      ["verify", "--filter", "relu/*", "--out", part.path, "--resume"])
    #expect(other.exitCode == 64 && other.errors.contains("command: "), "\(other.errors)")
    let again = try CommandRun(Self.words + ["--out", part.path, "--resume"])
    #expect(again.exitCode == 0 && again.errors.contains(/going on: \d+ cases are done/), "\(again.errors)")
    #expect(try CommandRun(Self.words + ["--out", whole.path]).exitCode == 0)
    let records = try [part, whole].map { try run($0.appending(path: "run.json")) }
    #expect(try results(records[0]) == results(records[1]))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: journal.path) == ["header.json"],
      "of a complete run the conditions are left, and no piece")
    let complete = try CommandRun(Self.words + ["--out", part.path, "--resume"])
    #expect(complete.exitCode == 0 && complete.output.contains("all hold"), "\(complete.output)\(complete.errors)")
  }

  @Test func `a folder of somebody else's results is left alone`() throws {
    let folder = try TemporaryDirectory()
    let theirs = folder.file("results/mine.txt")
    try FileManager.default.createDirectory(at: folder.file("results"), withIntermediateDirectories: false)
    try Data("mine".utf8).write(to: theirs)
    let run = try CommandRun(["verify", "--filter", "relu/*", "--quiet", "--out", folder.url.path])
    #expect(run.exitCode == 64 && run.errors.contains("give another --out"), "\(run.errors)")
    #expect(try String(contentsOf: theirs, encoding: .utf8) == "mine")
  }

  @Test func `a deadline ends a run cleanly`() throws {
    let folder = try TemporaryDirectory()
    let run = try CommandRun(["verify", "--quiet", "--deadline", "1.5", "--out", folder.file("out").path])
    #expect(run.exitCode == 2 && run.errors.contains("the deadline of 1.5 s is over"), "\(run.errors)")
    #expect(try self.run(folder.file("out/run.json")).verification?.interrupted == true)
  }

  @Test func `the list has the cost of every case, and its parts are the shards`() throws {
    struct List: Decodable {
      struct Piece: Decodable, Hashable {
        var name: String
        var cost: Double
      }
      var pieces: [Piece]
    }
    func list(_ more: [String], _ environment: [String: String] = [:]) throws -> [List.Piece] {
      let run = try CommandRun(["verify", "--filter", "relu/*", "--list", "--json"] + more, environment: environment)
      #expect(run.exitCode == 0, "\(run.errors)")
      let list = try JSONDecoder().decode(List.self, from: Data(run.output.utf8))
      return list.pieces
    }
    let whole = try list([])
    #expect(whole.count > 10 && whole.allSatisfy { $0.cost > 0 })
    let parts = try (1...3).map { try list(["--shard", "\($0)/3"]) }
    #expect(Set(parts.flatMap { $0 }) == Set(whole) && parts.reduce(0) { $0 + $1.count } == whole.count)
    #expect(try list(["--shards", "3"], ["JOB_COMPLETION_INDEX": "1"]) == parts[1])
    let half = try CommandRun(["verify", "--list"], environment: ["JOB_COMPLETION_INDEX": "1"])
    #expect(half.exitCode == 64 && half.errors.contains("--shards"))
    for command in ["gradcheck", "selftest", "bench --quick"] {
      let words = command.split(separator: " ").map(String.init) + ["--list"]
      let names = try CommandRun(words).output.split(separator: "\n").sorted()
      let halves = try [1, 2].flatMap { part in
        try CommandRun(words + ["--shard", "\(part)/2"]).output.split(separator: "\n")
      }
      #expect(!names.isEmpty && halves.sorted() == names, "\(command)")
    }
  }

  @Test func `Bazel's variables are its filter, folder and files`() throws {
    let folder = try TemporaryDirectory()
    func path(_ name: String) -> String { folder.file(name).path(percentEncoded: false) }
    let run = try CommandRun(
      ["verify", "--dtype", "float32", "--quiet"],
      environment: [
        "TEST_TARGET": "//:verify", "TESTBRIDGE_TEST_ONLY": "relu/*", "TEST_UNDECLARED_OUTPUTS_DIR": path("outputs"),
        "XML_OUTPUT_FILE": path("test.xml"), "TEST_SHARD_INDEX": "0", "TEST_TOTAL_SHARDS": "2",
        "TEST_SHARD_STATUS_FILE": path("sharded"), "TEST_PREMATURE_EXIT_FILE": path("premature"),
        "TEST_INFRASTRUCTURE_FAILURE_FILE": path("machine"), "TEST_TIMEOUT": "60",
      ])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    let found = try self.run(folder.file("outputs/run.json"))
    #expect(found.verification?.filters == ["relu/*"] && found.verification?.shard?.count == 2)
    let manager = FileManager.default
    #expect(manager.fileExists(atPath: path("sharded")) && manager.fileExists(atPath: path("test.xml")))
    #expect(!manager.fileExists(atPath: path("premature")) && !manager.fileExists(atPath: path("machine")))
    let broken = try CommandRun(
      ["verify", "--filter", "relu/*", "--out", "/dev/null/x"],
      environment: ["TEST_TARGET": "//:verify", "TEST_INFRASTRUCTURE_FAILURE_FILE": path("machine")])
    #expect(broken.exitCode == 74 && manager.fileExists(atPath: path("machine")))
  }
}
