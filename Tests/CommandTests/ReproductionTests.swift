import Foundation
import TestSupport
import Testing

/// Every command that a failing run prints for repeating it, pasted into a shell, gives the same verdict; and nothing that is
/// only part of a name runs.
@Suite(.serialized, .waiting) struct ReproductionTests {
  /// A line that fails, and its exit code.
  struct Failure: CustomTestStringConvertible {
    let line: String
    let exitCode: Int32

    init(_ exitCode: Int32, _ line: String) { (self.exitCode, self.line) = (exitCode, line) }

    var testDescription: String { line }
  }

  /// What the names in the trials would run if a shell saw them bare: they would make files that start so.
  private static let trace = "H12_WAS_RUN"

  static let failures: [Failure] = [
    // verify: names that a shell would obey, an engine that dies, options that change the verdict
    Failure(1, "assay verify --golden H12_names_for_a_shell.h5"),
    Failure(1, "assay verify --golden H12_names_for_a_shell.h5 --dtype float64 --jobs 1"),
    Failure(1, #"assay verify --golden "it's a;touch H12_WAS_RUN;.h5""#),
    Failure(65, #"assay verify --golden "bad;touch H12_WAS_RUN;.h5""#),
    Failure(1, "assay verify --golden mine.h5 --engine dying='./dying-engine --with \"a blank\"' --timeout 20"),
    Failure(65, "assay verify --golden mine.h5 --golden no-golden.h5"),
    // gradcheck
    Failure(1, "assay gradcheck --golden H12_names_for_a_shell.h5"),
    Failure(1, #"assay gradcheck --golden "it's a;touch H12_WAS_RUN;.h5""#),
    Failure(65, #"assay gradcheck --golden "bad;touch H12_WAS_RUN;.h5""#),
    Failure(1, "assay gradcheck --operation 'conv2d n1c2h4w4 k2r3s3 stride1 pad1' --spoil 'weight[0,0,0,0]'"),
    Failure(
      1,
      "assay gradcheck --operation 'conv2d n1c2h5w5 k3r3s3 pad1' --method differences --skip-contracts "
        + "--spoil 'weight[2,1,0,1]' --seed 7"),
    Failure(1, "assay gradcheck --model cifar_resnet8 --spoil layer2.0.conv2 --batch 2 --training"),
    Failure(
      1,
      "assay gradcheck --operation 'conv2d n1c1h3w3 k1r2s2 stride1 pad0' --engine dying='./dying-engine --with \"a blank\"'"
    ),
    // bench
    Failure(1, "assay bench --suite mine.toml --engine dying=./dying-engine --engine direct"),
    // golden files
    Failure(65, #"assay golden validate "bad;touch H12_WAS_RUN;.h5" mine.h5"#),
    Failure(65, #"assay golden list "bad;touch H12_WAS_RUN;.h5""#),
    // networks
    Failure(65, #"assay evaluate --data "it's a;touch H12_WAS_RUN;.h5" --weights weights.h5"#),
    Failure(65, #"assay train --data "bad;touch H12_WAS_RUN;.h5" --epochs 1"#),
    Failure(1, "assay evaluate --data images.h5 --weights weights.h5 --require-accuracy 1"),
    Failure(
      1,
      "assay train --data images.h5 --model cifar_resnet8 --width 1 --lr 1e30 --optimizer sgd --epochs 2 --out 'a b.h5'"
    ),
  ]

  @Test(arguments: failures)
  func printedCommandGivesTheSameVerdict(_ failure: Failure) throws {
    let folder = try ExampleFolder(for: [])
    try folder.addTrials()
    let run = try folder.run(failure.line)
    #expect(run.exitCode == failure.exitCode, "\(run.output.suffix(3_000))\(run.errors.suffix(3_000))")
    let printed = (run.output + "\n" + run.errors).split(separator: "\n").compactMap { line in
      line.firstMatch(of: /^\s*(?:repeat|reproduce|repro): (.+)$/).map { String($0.1) }
    }
    // Of a bad file the message itself is enough.
    #expect(failure.exitCode == 65 || !printed.isEmpty, "\(run.output.suffix(3_000))\(run.errors.suffix(3_000))")
    // One of each is enough where hundreds fail in the same way.
    for line in Set(printed).sorted().prefix(8) {
      let again = try folder.run(line)
      #expect(
        again.exitCode == failure.exitCode,
        "\(line): \(again.exitCode) \(again.output.suffix(2_000))\(again.errors.suffix(2_000))")
    }
    #expect(try folder.names().filter { $0.contains(Self.trace) && !$0.hasSuffix(".h5") } == [])
  }

  /// A name holds what a terminal or a CI would obey; none of it is printed as it is.
  @Test func noControlCharacterOfANameIsPrinted() throws {
    let folder = try ExampleFolder(for: [])
    try folder.addTrials()
    for verb in ["verify --golden", "gradcheck --golden", "golden list", "golden validate"] {
      let run = try folder.run("assay \(verb) M6_control_characters.h5")
      for text in [run.output, run.errors] {
        #expect(
          !text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" || (127..<160).contains($0.value) }, "\(verb)")
        #expect(!text.split(separator: "\n").contains { $0.hasPrefix("::") || $0.hasPrefix("##") }, "\(verb)")
      }
    }
  }
}
