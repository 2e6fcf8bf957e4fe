import Foundation
import HDF5
import TestSupport
import Testing

/// What comes from outside ends as a message and the exit code that says whose fault it is, never as a signal.
@Suite("Odd input")
struct TrialFileTests {
  private static let trials = "Tests/Trials/"

  /// Files that ask for more than a case may take, by what follows from their attributes.
  private static let costly = [
    "C8_output_of_300_GB.h5", "C8_refusal_of_300_GB.h5", "crash_adaptive_200000.h5", "crash_conv_padding.h5",
    "crash_expect_error_adaptive.h5", "crash_expect_error_conv.h5", "crash_residual_upsample.h5",
    "crash_upsample_200000.h5", "hang_adam_steps.h5", "hang_conv_work.h5", "hang_expect_error_conv_work.h5",
  ]

  @Test(
    "A case that takes too much is bad data, named with the figure and the option that raises it",
    arguments: Self.costly)
  func takesTooMuch(file: String) throws {
    for command in [
      ["golden", "validate", Self.trials + file], ["verify", "--quiet", "--golden", Self.trials + file],
    ] {
      let run = try CommandRun(command)
      #expect(run.exitCode == 65)
      #expect((run.output + run.errors).contains("--max-memory raises the limit"))
    }
  }

  @Test("The other files of a run are verified all the same")
  func otherFilesRun() throws {
    let run = try CommandRun([
      "verify", "--golden", Self.trials + "crash_conv_padding.h5", Self.trials + "H3_stride_as_double.h5", "--verbose",
    ])
    #expect(run.exitCode == 65)
    #expect(run.output.contains("PASS"))
  }

  @Test("Memory given, work is what is left to refuse")
  func work() throws {
    let run = try CommandRun(["golden", "validate", Self.trials + "hang_conv_work.h5", "--max-memory", "16GB"])
    #expect(run.exitCode == 65)
    #expect((run.output + run.errors).contains("--max-work raises the limit"))
  }

  @Test(
    "What other programs write is read",
    arguments: ["H1_user_block_512.h5", "H2_padding_as_one_string_array.h5", "H3_stride_as_double.h5"])
  func read(file: String) throws {
    #expect(try CommandRun(["verify", "--quiet", "--golden", Self.trials + file]).exitCode == 0)
  }

  @Test(
    "What cannot be read says why",
    arguments: [
      ("H7_newer_layout_message.h5", "newer libhdf5"), ("X_gradients_without_upstream.h5", "upstream/y"),
    ])
  func refused(file: String, words: String) throws {
    let run = try CommandRun(["golden", "validate", Self.trials + file])
    #expect(run.exitCode == 65)
    #expect((run.output + run.errors).contains(words))
  }

  @Test("Names that look the same and are not the same bytes are two names")
  func names() throws {
    let run = try CommandRun([
      "golden", "diff", Self.trials + "H14_old.h5", Self.trials + "H14_composed_differs.h5",
    ])
    #expect(run.exitCode == 1)
  }

  @Test("A label that is no class is bad data", arguments: ["X_label_2_63_less_1.h5", "X_label_1e12.h5"])
  func labels(file: String) throws {
    let weights = Self.trials + "weights_cifar8_w2.h5"
    #expect(
      try CommandRun(["evaluate", "--data", Self.trials + file, "--weights", weights]).exitCode == 65)
    #expect(try CommandRun(["train", "--data", Self.trials + file, "--epochs", "1"]).exitCode == 65)
  }

  @Test(
    "Sizes that no machine has are a usage error",
    arguments: [
      "gradcheck --operation|conv2d n1c1h1000000w1000000 k1r1s1", "gradcheck --operation|relu shape100000000000",
      "gradcheck --operation|conv2d n1c1h9223372036854775807w1 k1r1s1 stride1 pad1",
      "gradcheck --operation|linear n1c1000000 k1000000", "gradcheck --operation|softmax n1c100000000",
      "gradcheck --operation|upsample2d n1c1h4w4 size100000000", "gradcheck --model resnet18 --size 1000000",
      "gradcheck --operation|adam_step shape1 t100000000", "model resnet50 --batch 65536 --image-size 65536",
      "model resnet50 --batch 9223372036854775807", "verify --timeout inf", "verify --timeout 1e30",
      "verify --timeout nan",
      "verify --shard=-9223372036854775808/4", "verify --jobs 9223372036854775807", "bench --batch 9223372036854775807",
      "bench --timeout inf", "verify --max-memory 0", "verify --max-work nan",
    ])
  func sizes(line: String) throws {
    let parts = line.split(separator: "|", maxSplits: 1).map(String.init)
    let words = parts[0].split(separator: " ").map(String.init) + parts.dropFirst()
    #expect(try CommandRun(words).exitCode == 64)
  }

  @Test("A suite with such a problem is bad data")
  func suite() throws {
    let folder = try TemporaryDirectory()
    let file = folder.file("odd.toml")
    try "problems = [\"conv2d n1c1h1000000w1000000 k1r1s1\"]".write(to: file, atomically: true, encoding: .utf8)
    #expect(try CommandRun(["bench", "--suite", file.path, "--list"]).exitCode == 65)
    try "[\n".write(to: file, atomically: true, encoding: .utf8)
    #expect(try CommandRun(["bench", "--suite", file.path, "--list"]).exitCode == 65)
  }

  @Test("A damaged manifest is bad data")
  func manifest() throws {
    let folder = try TemporaryDirectory()
    let fixtures = folder.file("Fixtures")
    try FileManager.default.createDirectory(at: fixtures, withIntermediateDirectories: false)
    try "{".write(to: fixtures.appending(path: "MANIFEST.json"), atomically: true, encoding: .utf8)
    #expect(try CommandRun(["verify"], in: folder.url).exitCode == 65)
  }

  @Test(
    "Thousands of odd inputs, or as many as ASSAY_ODD_INPUTS says: none ends by a signal, hangs or takes a gigabyte")
  func oddInputs() throws {
    let program = Repository.command.deletingLastPathComponent().appending(path: "OddInputs").path
    let count = ProcessInfo.processInfo.environment["ASSAY_ODD_INPUTS"] ?? "3000"
    let run = try CommandRun([count], of: program)
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }
}
