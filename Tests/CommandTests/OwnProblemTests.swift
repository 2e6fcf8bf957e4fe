import Foundation
import Reporting
import Results
import TestSupport
import Testing

/// `assay verify` on a problem of the user's own, and what a run is told to leave out.
@Suite struct OwnProblemTests {
  private static let problem = "conv2d n1c2h4w4 k2r3s3 stride1 pad1"

  @Test func `a problem needs no golden file, and is judged in every pass and type`() throws {
    let folder = try TemporaryDirectory()
    let json = folder.file("run.json").path
    let run = try CommandRun(
      ["verify", "--operation", Self.problem, "--operation", "relu n1c2h3w3", "--json", json], in: folder.url)
    #expect(run.exitCode == 0 && run.output.contains("10 cases, 20 results: 20 PASS"), "\(run.output)\(run.errors)")
    #expect(run.errors.contains("5 of \(Self.problem); relu n1c2h3w3, seed"), "\(run.errors)")
    let section = try #require(try RunFile.read(json).verification)
    #expect(Set(section.results.map(\.dtype)) == ["float32", "float64"] && section.files.count == 1)
    let first = try #require(section.results.first)
    #expect(first.name == "fresh/conv2d/n1c2h4w4 k2r3s3 stride1 pad1/0")
    #expect(first.tensors.map(\.path).sorted() == ["gradients/weight", "gradients/x", "outputs/y"])
    #expect(section.results[0].tensors[0].worst != section.results[2].tensors[0].worst, "other operands")
    let seeded = try CommandRun(
      ["verify", "--operation", Self.problem, "--fresh", "1", "--seed", "7", "--list"], in: folder.url)
    #expect(seeded.output == "fresh/conv2d/n1c2h4w4 k2r3s3 stride1 pad1/0\n")
  }

  /// The reference over the protocol, without the gradient of x.
  private static let dropping =
    "dropping=sed -u 's/gradients.x/outputs\\/y/g' | '\(Repository.command.path)' engine reference"

  @Test func `the command of a failure repeats it, alone`() throws {
    let folder = try TemporaryDirectory()
    let words = ["--operation", Self.problem, "--fresh", "3", "--seed", "5", "--dtype", "float32"]
    let run = try CommandRun(["verify"] + words + ["--engine", Self.dropping], in: folder.url)
    #expect(run.exitCode == 1, "\(run.output)\(run.errors)")
    let commands = run.output.matches(of: /repeat: assay (.+)/).map { String($0.1) }
    #expect(commands.count == 1, "three failures of one pattern are one group")
    let command = try #require(commands.last)
    #expect(command.contains("--operation '\(Self.problem)' --fresh 3 --seed 5 --filter '"), "\(command)")
    let again = try CommandRun(shell: "'\(Repository.command.path)' \(command)", in: folder.url)
    #expect(again.exitCode == 1, "\(again.output)\(again.errors)")
    #expect(again.output.contains("1 cases, 1 results: 1 FAIL"), "\(again.output)")
    let forward = try CommandRun(
      ["verify"] + words + ["--engine", Self.dropping, "--pass", "forward"], in: folder.url)
    #expect(forward.exitCode == 0, "\(forward.output)\(forward.errors)")
    #expect(forward.output.contains("left out: 0 cases and 6 results of other passes (--pass forward)"))
  }

  @Test func `golden files are read beside it where they are asked for`() throws {
    func names(_ words: [String]) throws -> [Substring] {
      let run = try CommandRun(["verify", "--operation", Self.problem, "--fresh", "2", "--list"] + words)
      #expect(run.exitCode == 0, "\(run.errors)")
      return run.output.split(separator: "\n")
    }
    #expect(try names([]).count == 2)
    #expect(try names(["--filter", "fresh/conv2d/*/1"]).count == 1)
    let relu = try names(["--filter", "relu/*"])
    #expect(relu.count > 12 && relu.count { $0.hasPrefix("/relu/") } == relu.count - 2)
    #expect(try names(["--filter", "relu/*", "--exclude", "conv2d/*"]).count == relu.count - 2)
  }

  @Test(arguments: [
    (["verify", "--operation", "conv2d n1c3h8w8 k4r3s3 bais"], "bais"),
    (["verify", "--operation", "conv"], "one of "),
    (["verify", "--operation", "relu n1c1h99999999w99999"], "--operation"),
    (["verify", "--operation", "relu n1c1h2w2", "--fresh", "0"], "--fresh 0"),
    (["verify", "--pass", "backwards"], "--pass: expected forward, backward_data, backward_weight"),
    (["fuzz", "--pass", "inference"], "--pass: expected forward"), (["verify", "--pass", ""], "--pass"),
  ])
  func `64: what is no problem or no pass is named, with the command's usage`(words: [String], reason: String) throws {
    let run = try CommandRun(words)
    #expect(run.exitCode == 64 && run.errors.contains(reason), "\(run.exitCode) \(run.errors)")
    #expect(run.errors.contains("Usage: assay \(words[0]) "), "\(run.errors)")
  }

  @Test func `what was left out is counted, and a run that goes on leaves out the same`() throws {
    let folder = try TemporaryDirectory()
    let out = folder.file("out").path
    let words = ["verify", "--quiet", "--filter", "linear/*", "--dtype", "float64", "--out", out]
    let options = ["--exclude", "*adversarial*", "--no-refusals", "--pass", "forward"]
    let run = try CommandRun(words + options)
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    let line = try #require(
      run.output.firstMatch(of: /left out: (\d+) cases \(--exclude\), (\d+) cases that must be refused/))
    #expect(line.1 != "0" && line.2 != "0", "\(run.output)")
    #expect(!run.output.contains(/\d+ REFUSED/), "\(run.output)")
    #expect(try String(contentsOfFile: out + "/report.md", encoding: .utf8).contains("left out: "))
    for other in [Array(options.dropLast(2)), Array(options.dropFirst(2)), options + ["--exclude", "x"]] {
      let again = try CommandRun(words + other + ["--resume"])
      #expect(again.exitCode == 64 && again.errors.contains("command: "), "\(again.errors)")
    }
    #expect(try CommandRun(words + options + ["--resume"]).exitCode == 0)
  }

  @Test func `words that choose nothing are told what would`() throws {
    for (words, hint) in [
      (["verify", "--list", "--filter", "relu"], "did you mean 'relu/*' ("),
      (["verify", "--list", "--tag", "smok"], "did you mean 'smoke'?; the tags are full, "),
      (["verify", "--list", "--filter", "relu/*", "--exclude", "rellu/*"], "'rellu/*' matches nothing: did you"),
      (["gradcheck", "--list", "--filter", "conv2d"], "did you mean 'conv2d"),
      (["bench", "--quick", "--list", "--filter", "conv2d"], "did you mean 'conv2d*' ("),
      (["golden", "list", "--filter", "relu"], "did you mean 'relu/*' ("),
      (["verfy"], "did you mean 'verify'?"), (["golden", "compare", "a", "b"], "expected list, show, diff, validate"),
      (["help", "benhc"], "did you mean 'bench'?"),
      (["verify", "--engine", "winograd44"], "did you mean 'winograd4'?"),
      (["verify", "--engine", "./conv"], "a command needs a name: --engine conv=./conv"),
    ] {
      let run = try CommandRun(words)
      #expect(run.errors.contains(hint), "\(words): \(run.errors)")
    }
  }
}
