import Foundation
import OperatingSystem
import GoldenFiles
import OperatingSystem
import Problems
import Reporting
import Results
import TestSupport
import Testing
import Tensors
import Verification

/// `assay verify` as a person and a CI meet it: exit codes, what is printed, what is written.
@Suite struct VerifyCommandTests {
  /// A file with one relu case, right or wrong.
  private func write(_ folder: TemporaryDirectory, _ name: String, expected: [Double]) throws -> String {
    let shape: Shape = [1, 1, 1, 3]
    let golden = GoldenCase(
      summary: GoldenCaseSummary(name: "/relu/mine", operation: "relu", fill: .exact),
      inputs: ["x": .float32(Tensor(shape: shape, elements: [-1, 2, 3]))],
      outputs: ["y": ExpectedTensor(.float64(Tensor(shape: shape, elements: expected)))])
    let path = folder.file(name).path
    try GoldenFileWriter.write([golden], header: GoldenFileHeader(generator: "test"), to: path)
    return path
  }

  @Test func `0: all hold`() throws {
    let run = try CommandRun(["verify", "--tag", "smoke", "--filter", "relu/*"])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    #expect(run.output.contains("all hold"))
    #expect(run.errors.isEmpty, "silent in a pipe under two seconds: \(run.errors)")
  }

  @Test func `1: a wrong number, named with the command that repeats it`() throws {
    let folder = try TemporaryDirectory()
    let path = try write(folder, "wrong.h5", expected: [0, 2, 4])
    let run = try CommandRun(["verify", "--golden", path, "--dtype", "float32"])
    #expect(run.exitCode == 1)
    #expect(run.output.contains("outputs/y[0,0,0,2]: got 3.0, expected 4.0"), "\(run.output)")
    let command = run.output.split(separator: "\n").first { $0.contains("repeat: ") }
    let words = try #require(command).trimmingCharacters(in: .whitespaces).dropFirst("repeat: assay ".count)
      .split(separator: " ").map(String.init)
    #expect(try CommandRun(words).exitCode == 1, "\(words)")
  }

  @Test func `precisions with commas, and again, each once and in their order`() throws {
    let dtypes = ["--dtype", "bfloat16,float32", "--dtype", "float16,float32"]
    let run = try CommandRun(["verify", "--dry-run", "--filter", "relu/*"] + dtypes)
    #expect(run.exitCode == 0 && run.output.contains("in bfloat16, float32, float16:"), "\(run.output)")
  }

  @Test func `the reference does not compute in 16 bits`() throws {
    let run = try CommandRun(["verify", "--filter", "relu/*", "--dtype", "float16"])
    #expect(run.exitCode == 2 && run.output.contains("UNSUPPORTED"), "\(run.output)")
  }

  @Test func `2: nothing was verified`() throws {
    let folder = try TemporaryDirectory()
    let path = try write(folder, "right.h5", expected: [0, 2, 3])
    #expect(try CommandRun(["verify", "--golden", path]).exitCode == 0)
    let run = try CommandRun(["verify", "--golden", path, "--filter", "nothing*"])
    #expect(run.exitCode == 2)
    #expect(run.output.contains("inconclusive"))
  }

  @Test(arguments: [
    ["verify", "--nonsense"], ["verify", "--engine", "nobody"], ["verify", "--dtype", "int64"],
    ["verify", "--dtype", "float16,"], ["verify", "--dtype", "float16,half"], ["verify", "--calibrate", "--dtype", ""],
    ["bench", "--dtype", "float16,bfloat16"], ["bench", "--dtype", "int64"], ["gradcheck", "--dtype", "float16"],
    ["verify", "--shard", "3/2"], ["verify", "--jobs", "0"], ["nonsense"],
    ["verify", "--engine", "reference", "--engine", "reference"],
    ["verify", "--threads", "0"], ["verify", "--threads", "1,,2"], ["verify", "--threads", "1025"],
    ["gradcheck", "--threads", "two"], ["verify", "--fresh", "-1"], ["verify", "--seed", "dice"],
    ["verify", "--pass-env", "A=B"], ["duet", "--base", "a", "--head", "b", "--pass-env", ""],
  ])
  func `64: words that mean nothing`(arguments: [String]) throws {
    let run = try CommandRun(arguments)
    #expect(run.exitCode == 64, "\(run.output)\(run.errors)")
    #expect(!run.errors.isEmpty)
  }

  @Test func `64: half a pair of shard variables`() throws {
    #expect(try CommandRun(["verify"], environment: ["TEST_SHARD_INDEX": "0"]).exitCode == 64)
  }

  @Test func `65: bad files, and the others still run`() throws {
    let folder = try TemporaryDirectory()
    let good = try write(folder, "good.h5", expected: [0, 2, 3])
    let wrong = try write(folder, "wrong.h5", expected: [0, 2, 4])
    let text = folder.file("text.h5").path
    try Data("no golden file".utf8).write(to: URL(fileURLWithPath: text))
    let missing = folder.file("missing.h5").path
    for bad in [text, missing] {
      let run = try CommandRun(["verify", "--golden", bad, good])
      #expect(run.exitCode == 65)
      #expect(run.output.contains(bad))
      #expect(run.output.contains("2 PASS"), "\(run.output)")
    }
    #expect(try CommandRun(["verify", "--golden", text, wrong]).exitCode == 65, "65 goes before 1")
    #expect(try CommandRun(["verify", "--golden", text]).exitCode == 65, "65 goes before 2")
    let toml = folder.file("known.toml").path
    try Data("nonsense = 1".utf8).write(to: URL(fileURLWithPath: toml))
    #expect(try CommandRun(["verify", "--golden", good, "--known-failures", toml]).exitCode == 65)
  }

  @Test func `known failures excuse, and are failures when they are stale`() throws {
    let folder = try TemporaryDirectory()
    let wrong = try write(folder, "wrong.h5", expected: [0, 2, 4])
    let right = try write(folder, "right.h5", expected: [0, 2, 3])
    func run(_ path: String, expires: String) throws -> CommandRun {
      try CommandRun(["verify", "--golden", path, "--known-failures", excusing("/relu/*", folder, until: expires)])
    }
    // The engine passed nothing else, which is no success either.
    #expect(try run(wrong, expires: "2999-01-01").exitCode == 2)
    #expect(try run(wrong, expires: "2001-01-01").exitCode == 1)
    let mended = try run(right, expires: "2999-01-01")
    #expect(mended.exitCode == 1)
    #expect(mended.output.contains("remove it"))
  }

  /// Of an engine that is right, every entry is stale, which only a run of all that it covers can know.
  @Test(
    arguments: [
      (["--filter", "relu/*"], 1), (["--filter", "relu/*", "--dtype", "float32"], 0),
      (["--filter", "relu/adversarial/*"], 0), (["--filter", "relu/*", "--shard", "1/2"], 0),
      (["--filter", "relu/*", "--shard", "2/2"], 0),
    ] as [([String], Int32)])
  func `a part of the cases makes no known failure stale`(words: [String], code: Int32) throws {
    let folder = try TemporaryDirectory()
    let run = try CommandRun(["verify", "--quiet", "--known-failures", try excusing("/relu/*", folder)] + words)
    #expect(run.exitCode == code, "\(run.output)\(run.errors)")
  }

  @Test(arguments: [("/relu/*", 1), ("/relu/nothing", 1), ("/add/*", 0)] as [(String, Int32)])
  func `merged shards know which known failures are stale`(glob: String, code: Int32) throws {
    let folder = try TemporaryDirectory()
    let toml = try excusing(glob, folder)
    for shard in 1...2 {
      _ = try CommandRun([
        "verify", "--quiet", "--known-failures", toml, "--filter", "relu/*", "--shard", "\(shard)/2", "--out",
        folder.file("\(shard)").path,
      ])
    }
    let parts = (1...2).map { folder.file("\($0)").path }
    let run = try CommandRun(["merge"] + parts + ["--out", folder.file("merged").path])
    #expect(run.exitCode == code, "\(run.output)\(run.errors)")
  }

  private func excusing(
    _ glob: String, _ folder: TemporaryDirectory, until expires: String = "2999-01-01"
  ) throws -> String {
    let toml = folder.file("known.toml").path
    try AtomicFile.write(
      """
      [[known_failure]]
      engine = "reference"
      case = "\(glob)"
      reason = "a test"
      expires = \(expires)
      """, to: toml)
    return toml
  }

  @Test func `reports are written where they are asked for`() throws {
    let folder = try TemporaryDirectory()
    let path = try write(folder, "wrong.h5", expected: [0, 2, 4])
    let out = folder.file("out").path
    let (json, junit, summary) = (folder.file("r.json").path, folder.file("j.xml").path, folder.file("s.md").path)
    let run = try CommandRun(
      ["verify", "--golden", path, "--out", out, "--json", json, "--junit", junit],
      environment: ["GITHUB_STEP_SUMMARY": summary, "XML_OUTPUT_FILE": folder.file("bazel.xml").path])
    #expect(run.exitCode == 1)
    let record = try RunFile.read(json)
    #expect(record.conclusion.outcome == .fails)
    #expect(record.verification?.results.count == 2)
    #expect(record.provenance.command.first == "assay")
    #expect(try RunFile.read(out + "/run.json").verification?.results.count == 2)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: out).sorted()
        == ["junit.xml", "report.html", "report.md", "results", "run.json"])
    for file in [junit, folder.file("bazel.xml").path] {
      #expect(try String(contentsOfFile: file, encoding: .utf8).contains("failures=\"2\""))
    }
    #expect(try String(contentsOfFile: summary, encoding: .utf8).contains("**Fails**"))
  }

  @Test func `shards cover every case once`() throws {
    let whole = try CommandRun(["verify", "--list", "--filter", "conv2d/*"])
    #expect(whole.exitCode == 0)
    var parts: [Substring] = []
    let outputs = try (1...3).map {
      try CommandRun(["verify", "--list", "--filter", "conv2d/*", "--shard", "\($0)/3"]).output
    }
    for output in outputs { parts += output.split(separator: "\n") }
    #expect(parts.sorted() == whole.output.split(separator: "\n").sorted())
    let bazel = try CommandRun(
      ["verify", "--list", "--filter", "conv2d/*"],
      environment: ["TEST_SHARD_INDEX": "1", "TEST_TOTAL_SHARDS": "3"])
    #expect(bazel.output == outputs[1])
  }

  @Test func `help has examples and exit codes`() throws {
    let run = try CommandRun(["verify", "--help"])
    #expect(run.exitCode == 0)
    #expect(run.output.contains("EXAMPLES"))
    #expect(run.output.contains("EXIT CODES"))
  }

  /// The reference over the protocol, without the gradient of x where two threads are asked for.
  private static let dropping =
    "dropping=sed -u '/\"threads\":2/s/gradients.x/outputs\\/y/g' | '\(Repository.command.path)' engine reference"

  @Test(arguments: [
    ["verify", "--fresh", "0", "--filter", "/conv2d/stride2/*"],
    ["gradcheck", "--operation", "conv2d n1c2h4w4 k2r3s3 pad1"],
  ])
  func `a part that is left out on two threads alone fails, and the command that repeats it names them`(
    words: [String]
  ) throws {
    let run = try CommandRun(words + ["--engine", Self.dropping, "--dtype", "float32"])
    #expect(run.exitCode == 1, "\(run.output)\(run.errors)")
    #expect(run.output.contains("with 2 threads"), "\(run.output)")
    let line = try #require(run.output.split(separator: "\n").first { $0.contains(" --threads 2") })
    let command = try #require(line.firstMatch(of: /assay (.+)$/)).1
    #expect(try CommandRun(shell: "'\(Repository.command.path)' \(command)").exitCode == 1, "\(command)")
    let single = try CommandRun(words + ["--engine", Self.dropping, "--dtype", "float32", "--threads", "1"])
    #expect(single.exitCode == 0, "\(single.output)\(single.errors)")
  }

  @Test func `fresh cases are drawn for engines that are not built in, and repeated one by one`() throws {
    let served = "served='\(Repository.command.path)' engine reference"
    let words = ["verify", "--filter", "fresh/add/*", "--dtype", "float32"]
    let run = try CommandRun(words + ["--engine", served])
    #expect(run.exitCode == 0 && run.output.contains("20 cases, 20 results: 20 PASS"), "\(run.output)\(run.errors)")
    #expect(run.errors.contains("seed \(FreshCases.standardSeed)"))
    #expect(try CommandRun(words).exitCode == 2, "no fresh case where only built-in engines are asked")
    let folder = try TemporaryDirectory()
    let json = folder.file("run.json").path
    let hunt = try CommandRun(words + ["--fresh", "3", "--seed", "random", "--json", json])
    #expect(hunt.exitCode == 0)
    let record = try RunFile.read(json)
    #expect(hunt.errors.contains("seed \(record.provenance.seed)"))
    let repeated = try #require(record.verification?.results.last?.reproduce)
    #expect(repeated.contains("--fresh 3 --seed \(record.provenance.seed)"))
    let again = try CommandRun(shell: "'\(Repository.command.path)' \(repeated.dropFirst("assay ".count))")
    #expect(again.exitCode == 0 && again.output.contains("1 cases, 1 results: 1 PASS"), "\(again.output)")
  }

  @Test func `64: a sandbox that cannot be`() throws {
    let run = try CommandRun(
      ["verify", "--sandbox", "--filter", "relu/*"], environment: ["PATH": "/nonexistent"])
    #expect(run.exitCode == 64)
    #expect(run.errors.contains("--sandbox: expected "), "\(run.errors)")
  }
}
