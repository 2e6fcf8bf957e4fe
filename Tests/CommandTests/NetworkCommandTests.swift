import Foundation
import HDF5
import TestSupport
import Testing

/// `assay model`, `train` and `evaluate` as a person and a CI meet them.
@Suite struct NetworkCommandTests {
  /// Twelve 8×8 images of three classes, each with its own bright row.
  private func images(
    _ folder: TemporaryDirectory, labels: [Int] = (0..<12).map { $0 % 3 }, channels: Int = 1
  ) throws -> String {
    let path = folder.file("images.h5").path
    var pixels: [UInt8] = []
    for label in labels {
      for pixel in 0..<64 * channels { pixels.append(pixel % 64 / 8 == label ? 16 : UInt8(pixel % 5)) }
    }
    let split: [Int] = (0..<12).map { $0 < 8 ? 0 : 1 }
    try HDF5File.create(path) { root in
      try root.createDataset("images", shape: [12, channels, 8, 8], values: pixels)
      try root.createDataset("labels", shape: [12], values: labels)
      try root.createDataset("split", shape: [12], values: split)
    }
    return path
  }

  private let small = ["--width", "1", "--batch", "4", "--schedule", "constant"]

  @Test func modelShowsItsTable() throws {
    let run = try CommandRun(["model", "resnet50"])
    #expect(run.exitCode == 0)
    #expect(run.output.contains("25,557,032"))
    #expect(run.output.contains("layer4.2.conv3"))
    #expect(try CommandRun(["model", "resnet19"]).exitCode == 64)
  }

  @Test func trainsResumesAndEvaluates() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    func train(_ words: [String]) throws -> String {
      let run = try CommandRun(["train", "--data", data] + words)
      #expect(run.exitCode == 0, "\(run.errors)")
      return run.output
    }
    let (whole, half) = (folder.file("whole.h5").path, folder.file("half.h5").path)
    _ = try train(small + ["--epochs", "3", "--out", whole])
    _ = try train(small + ["--epochs", "2", "--out", half, "--threads", "1"])
    _ = try train(["--resume", half, "--epochs", "3", "--out", half])
    // The same bits in one go and resumed, on one thread and on two.
    #expect(try Data(contentsOf: URL(filePath: whole)) == Data(contentsOf: URL(filePath: half)))
    let run = try CommandRun(["evaluate", "--data", data, "--weights", whole, "--top", "2"])
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.output.hasPrefix("4 images: loss "))
    let logits = folder.file("logits.h5").path
    #expect(try CommandRun(["evaluate", "--data", data, "--weights", whole, "--logits", logits]).exitCode == 0)
    let file = try HDF5File.open(logits)
    #expect(try file.root.dataset("logits").read(Float.self).count == 4 * 3)
    #expect(try file.root.dataset("labels").read(Int64.self) == [2, 0, 1, 2])
    let strict = ["evaluate", "--data", data, "--weights", whole, "--require-accuracy", "1.1"]
    #expect(try CommandRun(strict).exitCode == 1)
    _ = try train(small + ["--epochs", "1", "--init", whole, "--classes", "5", "--freeze", "layer1.*"])
  }

  @Test func badInputIsOneErrorAndExitCode65() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    let weights = folder.file("weights.h5").path
    #expect(try CommandRun(["train", "--data", data, "--epochs", "1", "--out", weights] + small).exitCode == 0)
    func refuses(_ words: [String], _ reason: String) throws {
      let run = try CommandRun(words)
      #expect(run.exitCode == 65, "\(words): \(run.output)\(run.errors)")
      #expect(run.errors.contains(reason), "\(run.errors)")
      #expect(run.errors.contains("repeat: assay "))
    }
    let golden = Repository.fixtures.appending(path: "linear.h5").path
    try refuses(["train", "--data", golden] + small, "images")
    try refuses(["evaluate", "--data", data, "--weights", golden], "assay.weights")
    try refuses(["train", "--data", data, "--resume", weights, "--model", "resnet18"], "resnet18")
    try refuses(["train", "--data", data, "--classes", "2"] + small, "classes below 2")
    try refuses(
      ["train", "--data", data, "--model", "resnet18", "--batch", "1", "--epochs", "1", "--width", "1"], "variance")
    try refuses(["model", "simple_resnet", "--weights", weights], "other shape")
    try refuses(["model", "simple_resnet", "--image-size", "64"], "32×32")
    let bytes = try Data(contentsOf: URL(filePath: weights))
    try bytes.prefix(bytes.count / 2).write(to: URL(filePath: weights))
    try refuses(["train", "--data", data, "--resume", weights], "weights.h5")
  }

  @Test func imagesThatNoNetworkTakesAreOneError() throws {
    let folder = try TemporaryDirectory()
    func refuses(_ data: String, _ reason: String) throws {
      let run = try CommandRun(["train", "--data", data, "--epochs", "1"] + small)
      #expect(run.exitCode == 65, "\(run.errors)")
      #expect(run.errors.contains(reason), "\(run.errors)")
    }
    try refuses(images(folder, channels: 2), "1 or 3")
    try refuses(images(folder, labels: Array(repeating: -1, count: 12)), "classes from 0")
    try refuses(folder.file("none.h5").path, "none.h5")
  }

  @Test func aRunThatDiesKeepsItsLastCompleteCheckpoint() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    let weights = folder.file("weights.h5").path
    #expect(try CommandRun(["train", "--data", data, "--epochs", "1", "--out", weights] + small).exitCode == 0)
    // Killed again and again at any time, also while it writes.
    for milliseconds in [150, 230, 310] {
      let process = Process()
      process.executableURL = Repository.command
      process.arguments = ["train", "--data", data, "--resume", weights, "--epochs", "1000000", "--out", weights]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      Thread.sleep(forTimeInterval: Double(milliseconds) / 1000)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let run = try CommandRun(["evaluate", "--data", data, "--weights", weights])
      #expect(run.exitCode == 0, "\(run.errors)")
    }
  }

  @Test func aLossThatIsNotANumberFails() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    let words = ["--optimizer", "sgd", "--lr", "1e30", "--epochs", "3"]
    let run = try CommandRun(["train", "--data", data] + words + small)
    #expect(run.exitCode == 1)
    #expect(run.errors.contains("the loss is"), "\(run.errors)")
    #expect(try CommandRun(["train", "--data", data, "--optimizer", "lion"]).exitCode == 64)
  }
}
