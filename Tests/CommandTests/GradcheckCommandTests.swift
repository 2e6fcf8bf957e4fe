import Foundation
import TestSupport
import Testing

/// `assay gradcheck` as a person and a CI meet it.
@Suite struct GradcheckCommandTests {
  private let operation = "conv2d n2c3h6w7 k4r3s3 stride1 pad1"

  @Test func `0: all pass`() throws {
    let run = try CommandRun(["gradcheck", "--operation", operation])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    #expect(run.output.contains("1 PASS"))
  }

  @Test func `1: a wrong element, named with the command that repeats it`() throws {
    let folder = try TemporaryDirectory()
    let (json, junit) = (folder.file("bad.jsonl"), folder.file("gradients.xml"))
    let run = try CommandRun([
      "gradcheck", "--operation", operation, "--spoil", "weight[2,1,0,2]", "--json", json.path, "--junit", junit.path,
    ])
    #expect(run.exitCode == 1)
    #expect(run.output.contains("the single element [2, 1, 0, 2]"), "\(run.output)")
    #expect(run.output.contains("reproduce: assay gradcheck --operation '\(operation)'"))
    let lines = try String(contentsOf: json, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 1 && lines[0].contains(#""index":[2,1,0,2]"#), "\(lines)")
    #expect(try String(contentsOf: junit, encoding: .utf8).contains("<failure"))
  }

  /// Asked for nothing else, an engine of networks is checked in its own precision. A convolution that is wrong is wrong on its
  /// own, too; of what the engine does only within a network the last gradient that is wrong says where.
  @Test(arguments: [
    ([], 0, "1 PASS"), (["--training", "--batch", "2"], 0, "1 PASS"),
    (["--spoil", "layer2.0.conv2"], 1, "at fault: layer layer2.0.conv2"),
    (["--spoil", "layer2.0.bn1"], 1, "the last wrong gradient is that of layer2.0.conv1.weight"),
  ])
  func networksOfAnEngine(more: [String], code: Int32, text: String) throws {
    let words = ["gradcheck", "--model", "cifar_resnet8", "--engine", "execution", "--threads", "1"]
    let run = try CommandRun(words + more)
    #expect(run.exitCode == code && (run.output + run.errors).contains(text), "\(run.output) \(run.errors)")
  }

  @Test func `1: the layer of a network that is at fault`() throws {
    let run = try CommandRun(["gradcheck", "--model", "cifar_resnet8", "--spoil", "layer2.0.conv2"])
    #expect(run.exitCode == 1)
    #expect(run.output.contains("at fault: layer layer2.0.conv2"), "\(run.output)")
  }

  @Test func `2: nothing was checked`() throws {
    #expect(try CommandRun(["gradcheck", "--filter", "no such check"]).exitCode == 2)
  }

  @Test func `2: an operation without a backward pass says why`() throws {
    let run = try CommandRun(["gradcheck", "--verbose", "--operation", "sgd_step n4c5 t3 lr0.1"])
    #expect(run.exitCode == 2)
    #expect(run.output.contains("unsupported: a step of an optimiser gives no gradients"), "\(run.output)")
  }

  @Test(arguments: [
    ["--operation", "nonsense"], ["--operation", "relu shape3", "--spoil", "y[0]"], ["--spoil", "x[0]"],
    ["--operation", "relu shape3", "--engine", "no-such-engine"], ["--jobs", "0"], ["--timeout", "0"],
  ])
  func `64: words that mean nothing`(words: [String]) throws {
    let run = try CommandRun(["gradcheck"] + words)
    #expect(run.exitCode == 64, "\(run.output)\(run.errors)")
  }

  @Test func `65: no golden file`() throws {
    #expect(try CommandRun(["gradcheck", "--golden", "Package.swift"]).exitCode == 65)
  }

  @Test func `an engine that the repository declares`() throws {
    // Its environment may not be installed here: it is found by its name either way.
    let run = try CommandRun(["gradcheck", "--operation", "relu shape2x3", "--engine", "pytorch", "--dtype", "float32"])
    #expect(run.exitCode != 64, "\(run.output)\(run.errors)")
  }

  // MARK: Golden files

  private func trial(_ name: String) -> String { Repository.root.appending(path: "Tests/Trials/\(name).h5").path }

  @Test(arguments: ["winograd2", "winograd4", "winograd6", "auto", "direct", "reference"])
  func `0: a strategy of ours in single precision`(engine: String) throws {
    let run = try CommandRun([
      "gradcheck", "--golden", "Fixtures/conv2d.h5", "--filter", "*padding*", "--engine", engine, "--dtype", "float32",
      "--quiet",
    ])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }

  /// Networks are looked at by directions, or say why not; nothing is an error.
  @Test func `0: a golden network with its loss`() throws {
    let run = try CommandRun([
      "gradcheck", "--golden", "Fixtures/resnet_cifar.h5", "--filter", "*resnet20*training", "--verbose", "--quiet",
    ])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    #expect(run.output.contains("1 PASS") && run.output.contains("dual projection"), "\(run.output)")
  }

  @Test func `2: an upstream of zeros shows nothing`() throws {
    let run = try CommandRun(["gradcheck", "--golden", trial("G2_upstream_of_zeros"), "--quiet"])
    #expect(run.exitCode == 2, "\(run.output)\(run.errors)")
    #expect(run.output.contains("1 INCONCLUSIVE") && run.output.contains("upstream/y"), "\(run.output)")
  }

  @Test func `2: cases without gradients, and why`() throws {
    let run = try CommandRun(["gradcheck", "--golden", trial("H12_a_star_is_a_name"), "--quiet"])
    #expect(run.exitCode == 2)
    #expect(run.errors.contains("has no cotangents (upstream/…)"), "\(run.errors)")
  }

  // MARK: The command that is printed

  /// Every `reproduce:` line of a run, pasted into a shell in an empty folder or where the run was.
  private func pasted(_ words: [String], in folder: URL = Repository.root) throws -> [Int32] {
    let bin = try TemporaryDirectory()
    let first = try CommandRun(["gradcheck", "--quiet"] + words, in: folder)
    #expect(first.exitCode == 1, "\(first.output)\(first.errors)")
    let lines = Set(
      first.output.split(separator: "\n").compactMap { line in
        line.range(of: "reproduce: ").map { String(line[$0.upperBound...]) }
      })
    try FileManager.default.createSymbolicLink(at: bin.file("assay"), withDestinationURL: Repository.command)
    return try lines.map { line in
      let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
      return try CommandRun(shell: line, in: folder, environment: ["PATH": "\(bin.url.path):\(path)"]).exitCode
    }
  }

  @Test func `names and paths for a shell`() throws {
    let folder = try TemporaryDirectory()
    let name = "it's a;touch WAS_RUN;.h5"
    try FileManager.default.copyItem(
      at: URL(fileURLWithPath: trial("H12_names_for_a_shell")), to: folder.file(name))
    let place = folder.file(name).deletingLastPathComponent()
    #expect(try pasted(["--golden", name], in: place) == [1, 1, 1])
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == [name])
  }

  @Test func `method, contracts and spoilt element`() throws {
    #expect(
      try pasted([
        "--operation", operation, "--method", "differences", "--skip-contracts", "--spoil", "weight[2,1,0,2]",
        "--dtype", "float32", "--seed", "7",
      ]) == [1])
  }

  @Test func `a network of its size`() throws {
    #expect(
      try pasted(["--model", "cifar_resnet8", "--size", "16", "--batch", "2", "--training", "--spoil", "conv1"]) == [1])
  }

  /// An engine by its command, also where the corpus names the case.
  @Test func `an engine by its command`() throws {
    // It never finds what it is asked, which is an error of its own.
    let folder = try TemporaryDirectory()
    let command = "sed -u 's/-in.h5/-gone.h5/' | '\(Repository.command.path)' engine reference"
    let words = ["--filter", "relu n2c3h4w5 (ties)", "--engine", "mine=\(command)", "--timeout", "30"]
    #expect(try pasted(words, in: folder.file("x").deletingLastPathComponent()) == [1])
  }
}
