import Foundation
import TestSupport
import Testing

/// `--json` in every command that has a result.
@Suite("Results as JSON")
struct JSONOptionTests {
  /// A command, and a member of what it writes.
  private static let commands: [(line: String, member: String)] = [
    ("verify --filter relu/* --dtype float32 --quiet", "schema"),
    ("verify --filter relu/* --list", "pieces"),
    ("fuzz --operation relu --cases 2 --quiet", "schema"),
    ("selftest --smoke --filter probes/nothing* --quiet --golden Fixtures/linear.h5", "schema"),
    ("bench --list --filter *k64r3s3*", "pieces"),
    ("compare Tests/Trials/M_old.json Tests/Trials/M_old.json", "outcome"),
    ("model cifar_resnet8", "layers"),
    ("bound", "tensors"),
    (
      "evaluate --data Tests/Trials/X_sixteen_images.h5 --weights Tests/Trials/weights_cifar8_w2.h5 --quiet", "accuracy"
    ),
    ("golden list --filter relu/*", ""), ("golden show Fixtures/relu.h5", "operations"),
    ("golden show Tests/Trials/H14_old.h5 /relu/café", "tensors"),
    ("golden diff Tests/Trials/H14_old.h5 Tests/Trials/H14_old.h5", ""),
    ("golden validate Tests/Trials/H14_old.h5", ""),
    ("tune --depth 18 --filter *k512r1s1* --rounds 1 --quiet", ""),
  ]

  @Test(arguments: commands) func `stdout has the result alone, and the text is on stderr`(line: String, member: String)
    throws
  {
    let words = line == "bound" ? ["bound", "softmax n2c3"] : line.split(separator: " ").map(String.init)
    let folder = try TemporaryDirectory()
    let environment = ["ASSAY_PLANS": folder.file("plans").path]
    let run = try CommandRun(words + ["--json"], environment: environment)
    let found = try #require(
      try? JSONSerialization.jsonObject(with: Data(run.output.utf8)), "\(run.output) \(run.errors)")
    if member.isEmpty {
      #expect(found is [Any])
    } else {
      #expect((found as? [String: Any])?[member] != nil, "\(run.output.prefix(300))")
    }
    #expect(!run.errors.isEmpty || words.contains("--list"))
    let text = try CommandRun(words, environment: environment)
    #expect(text.exitCode == run.exitCode && !text.output.hasPrefix("{"))
  }

  @Test func `a file takes the result, and stdout keeps the text`() throws {
    let folder = try TemporaryDirectory()
    let file = folder.file("model.json")
    let run = try CommandRun(["model", "cifar_resnet8", "--json", file.path])
    #expect(run.exitCode == 0 && run.output.contains("total"))
    #expect(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) is [String: Any])
    let lost = try CommandRun(["model", "cifar_resnet8", "--json", "/dev/null/model.json"])
    #expect(lost.exitCode == 74 && lost.output.isEmpty, "\(lost)")
  }
}
