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

  @Test func `1: the layer of a network that is at fault`() throws {
    let run = try CommandRun(["gradcheck", "--model", "cifar_resnet8", "--spoil", "layer2.0.conv2"])
    #expect(run.exitCode == 1)
    #expect(run.output.contains("at fault: layer layer2.0.conv2"), "\(run.output)")
  }

  @Test func `2: nothing was checked`() throws {
    #expect(try CommandRun(["gradcheck", "--filter", "no such check"]).exitCode == 2)
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
}
