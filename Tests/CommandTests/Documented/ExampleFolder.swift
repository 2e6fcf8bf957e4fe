import Foundation
import GoldenFiles
import HDF5
import NetworkFiles
import Problems
import Tensors
import TestSupport
import Testing

/// A folder that has what the documented commands name, to run them in: the corpus and the suites, a golden file, images, an
/// engine, two builds, runs. Whatever they write stays in it.
final class ExampleFolder {
  private let folder: TemporaryDirectory

  /// - Parameter lines: what is to be run in it.
  init(for lines: [String]) throws {
    folder = try TemporaryDirectory()
    for name in ["Fixtures", "Benchmarks"] { try link(name, to: Repository.root.appending(path: name)) }
    for name in ["bin/assay", ".build/release/assay", "old/assay", "new/assay"] {
      try link(name, to: Repository.command)
    }
    for name in ["engine", "my-engine", "relu-engine", "build/my-engine"] {
      try script(name, "exec assay engine reference")
    }
    for name in ["kernels-v1", "kernels-v2"] { try script(name, "exec assay engine direct") }
    // Copies, since a command that writes a report writes through a link; and large, so only what is named.
    let run = Repository.root.appending(path: "Reports/example/run.json")
    let named = ["OLD", "NEW", "RUN", "FOLDER", "old", "new", "Reports/monday", "Reports/friday"]
    for name in ["Reports/example"] + named.filter({ name in lines.contains { $0.contains(name) } }) {
      try FileManager.default.copyItem(at: run, to: file("\(name)/run.json"))
    }
    try libraries(lines)
    try link("regenerated/conv2d.h5", to: Repository.fixtures.appending(path: "conv2d.h5"))
    try text("FILE", "")
    try text("mine.toml", "description = \"One\"\nproblems = [\"conv2d n1c4h4w4 k4r1s1\"]\n")
    for name in ["mine.h5", "old.h5", "new.h5", "folder/more.h5"] { try golden(name) }
    try images()
  }

  /// The convolution in C by every name that is asked for.
  private func libraries(_ lines: [String]) throws {
    let named = ["libmine.so", "conv2d-c.so", "old/libmine.so", "new/libmine.so"].filter { name in
      lines.contains { $0.contains(name) }
    }
    for name in named {
      let run = try CommandRun(
        shell: "cc -O3 -fPIC -shared -I Benchmarks/engines/include -o '\(try file(name).path)' "
          + "Benchmarks/engines/examples/conv2d.c")
      try #require(run.exitCode == 0, "\(run.errors)")
    }
  }

  private func file(_ name: String) throws -> URL {
    let file = folder.file(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    return file
  }

  private func link(_ name: String, to target: URL) throws {
    try FileManager.default.createSymbolicLink(at: file(name), withDestinationURL: target)
  }

  private func text(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: file(name)) }

  private func script(_ name: String, _ body: String) throws {
    try text(name, "#!/bin/sh\n\(body)\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file(name).path)
  }

  /// A strided convolution of one pixel in two, and ReLUs of two fills.
  private func golden(_ name: String) throws {
    let x: Tensor<Float> = Tensor(shape: [1, 1, 2, 2], elements: [1, 2, 3, 4])
    var convolution = GoldenCase(
      summary: GoldenCaseSummary(name: "/conv2d/stride2", operation: "conv2d", fill: .exact),
      inputs: ["x": .float32(x)],
      outputs: ["y": ExpectedTensor(.float64(Tensor(shape: [1, 1, 1, 1], elements: [3])))])
    convolution.attributes["stride"] = .integer(2)
    convolution.parameters["weight"] = .float32(Tensor(shape: [1, 1, 1, 1], elements: [3]))
    func relu(_ name: String, _ fill: Fill, _ values: [Float]) -> GoldenCase {
      let shape: Shape = [1, 1, 2, 2]
      return GoldenCase(
        summary: GoldenCaseSummary(name: name, operation: "relu", fill: fill),
        inputs: ["x": .float32(Tensor(shape: shape, elements: values))],
        outputs: ["y": ExpectedTensor(.float64(Tensor(shape: shape, elements: values.map { Double(max(0, $0)) })))])
    }
    try GoldenFileWriter.write(
      [
        convolution, relu("/relu/small", .exact, [-1, 2, -3, 4]),
        relu("/relu/huge", .adversarial, [-1e30, 2, 1e30, -4]),
      ],
      header: GoldenFileHeader(generator: "test"), to: file(name).path)
  }

  /// Sixteen images of four classes, and weights from which a network may start.
  private func images() throws {
    try HDF5File.create(file("images.h5").path) { root in
      try root.createDataset("images", shape: [16, 1, 8, 8], values: (0..<1024).map { UInt8($0 * 37 % 256) })
      try root.createDataset("labels", shape: [16], values: (0..<16).map { $0 % 4 })
    }
    let record = Data([3]) + Data((0..<3072).map { UInt8($0 % 251) })
    for name in ["data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"] {
      try (record + record).write(to: file("cifar-10-batches-bin/\(name)"))
    }
    for part in ["train", "test"] {
      for name in ["cat", "dog"] {
        let picture = Repository.root.appending(path: "Tests/NetworkFilesTests/Samples/pictures/train/cat/small.png")
        for number in 1...2 {
          try FileManager.default.copyItem(at: picture, to: file("pictures/\(part)/\(name)/\(number).png"))
        }
      }
    }
    let classifier = Tensor<Float>(shape: [4], repeating: 0)
    try WeightsFile(architecture: "resnet18", classCount: 4, tensors: ["fc.bias": .float32(classifier)])
      .write(to: file("resnet18.h5").path)
    let weight = Tensor<Float>(shape: [4, 512], repeating: 0)
    try SafetensorsFile(tensors: ["fc.weight": .float32(weight), "fc.bias": .float32(classifier)])
      .write(to: file("model.safetensors").path)
  }

  /// Starts a line as somebody types it who has `assay` on the path.
  func start(_ line: String) throws -> RunningCommand {
    let line = line.replacing(/\$\{\{[^}]*\}\}/, with: "1")
    let path = "\(folder.file("bin").path):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
    return try RunningCommand(
      shell: line, in: folder.url,
      environment: [
        "PATH": path, "HOME": folder.url.path, "ASSAY_PLANS": folder.file("plans").path,
        "GITHUB_WORKSPACE": folder.url.path + "/",
        "ENGINE": "mine=./build/my-engine", "CASES": "conv2d/*", "CODE": "0",
      ])
  }

  func run(_ line: String) throws -> CommandRun { CommandRun(try start(line)) }

  // MARK: What fails

  /// The trials from public bug reports whose names a shell would obey, damaged files, and an engine that dies when it
  /// is asked for something.
  func addTrials() throws {
    for name in ["H12_names_for_a_shell.h5", "M6_control_characters.h5"] { try trial(name, as: name) }
    try trial("H12_names_for_a_shell.h5", as: "it's a;touch H12_WAS_RUN;.h5")
    try trial("weights_cifar8_w2.h5", as: "weights.h5")
    for name in ["bad;touch H12_WAS_RUN;.h5", "no-golden.h5"] { try text(name, "no\n") }
    let hello =
      #"{"name":"sh","version":"1","operations":["relu","conv2d"],"dtypes":["float32","float64"],"#
      + #""passes":["forward","backward"]}"#
    try script("dying-engine", "read l; echo '{\"id\":1,\"result\":\(hello)}'; read l; exit 3")
  }

  private func trial(_ name: String, as other: String) throws {
    try FileManager.default.copyItem(
      at: Repository.root.appending(path: "Tests/Trials/\(name)"), to: file(other))
  }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.url.path) }
}
