import Foundation
import HDF5
import NetworkFiles
import Reporting
import Results
import Tensors
import TestSupport
import Testing

/// `assay model`, `train` and `evaluate` as a person and a CI meet them.
@Suite struct NetworkCommandTests {
  /// The images and weights of a trial from a public bug report.
  private func trial(_ name: String) -> String { Repository.root.appending(path: "Tests/Trials/\(name)").path }

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
      let images = try root.createDataset("images", shape: [12, channels, 8, 8], values: pixels)
      try images.setAttribute("max_value", .integer(16))
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
    let byClass = try CommandRun(["evaluate", "--data", data, "--weights", whole, "--by-class"])
    let lines = byClass.output.split(separator: "\n")
    #expect(lines.count == 5 && lines[1].hasPrefix("class  most often taken for"), "\(byClass.output)")
    #expect(!run.output.contains("taken for"))
    let logits = folder.file("logits.h5").path
    #expect(try CommandRun(["evaluate", "--data", data, "--weights", whole, "--logits", logits]).exitCode == 0)
    let file = try HDF5File.open(logits)
    #expect(try file.root.dataset("logits").read(Float.self).count == 4 * 3)
    #expect(try file.root.dataset("labels").read(Int64.self) == [2, 0, 1, 2])
    _ = try train(small + ["--epochs", "1", "--init", whole, "--classes", "5", "--freeze", "layer1.*"])
  }

  /// The same run in either format of file, in one go and resumed from one into the other.
  @Test func aRunIsTheSameInSafetensors() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    func train(_ words: [String]) throws {
      let run = try CommandRun(["train", "--data", data] + words)
      #expect(run.exitCode == 0, "\(run.errors)")
    }
    let (whole, half) = (folder.file("whole.h5").path, folder.file("half.safetensors").path)
    try train(small + ["--epochs", "2", "--out", whole])
    try train(small + ["--epochs", "1", "--out", half])
    try train(["--resume", half, "--epochs", "2", "--out", half])
    #expect(try WeightsFile(contentsOf: half) == WeightsFile(contentsOf: whole))
    let evaluations = try [whole, half].map { try CommandRun(["evaluate", "--data", data, "--weights", $0]) }
    #expect(evaluations.map(\.exitCode) == [0, 0])
    #expect(evaluations[0].output == evaluations[1].output)
    // From one to the other without the optimiser's memory, which starts another run.
    let alone = folder.file("alone.safetensors").path
    let model = ["model", "simple_resnet", "--width", "1", "--classes", "3"]
    #expect(try CommandRun(model + ["--weights", whole, "--out", alone]).exitCode == 0)
    let weights = try WeightsFile(contentsOf: alone)
    #expect(try weights.checkpoint == nil && weights.tensors == WeightsFile(contentsOf: whole).tensors)
    try train(small + ["--epochs", "1", "--init", alone])
    #expect(try CommandRun(["train", "--data", data, "--resume", alone]).exitCode == 65)
    #expect(try CommandRun(model + ["--out", alone]).exitCode == 64)
    try Data(contentsOf: URL(filePath: half)).prefix(3_000).write(to: URL(filePath: alone))
    for words in [["evaluate", "--weights", alone], ["train", "--init", alone], ["train", "--resume", alone]] {
      let run = try CommandRun(words + ["--data", data])
      #expect(run.exitCode == 65 && run.errors.contains("alone.safetensors"), "\(run.errors)")
    }
  }

  /// The strategies and the definitions agree to some roundings, whatever the batches are.
  @Test func bothEnginesGiveTheSameLogits() throws {
    let folder = try TemporaryDirectory()
    let words = ["evaluate", "--data", trial("X_sixteen_images.h5"), "--weights", trial("weights_cifar8_w2.h5")]
    var results: [[Float]] = []
    for more in [["--engine", "reference"], [], ["--batch", "5", "--threads", "2"], ["--batch", "100"]] {
      let logits = folder.file("logits\(results.count).h5").path
      let run = try CommandRun(words + more + ["--logits", logits])
      #expect(run.exitCode == 0, "\(run.errors)")
      results.append(try HDF5File.open(logits).root.dataset("logits").read(Float.self))
    }
    let largest = results[0].reduce(0) { max($0, abs($1)) }
    for found in results.dropFirst() {
      #expect(found.count == results[0].count)
      for (a, b) in zip(found, results[0]) { #expect(abs(a - b) <= 1e-5 * largest) }
    }
    #expect(try CommandRun(words + ["--engine", "fast"]).exitCode == 64)
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
    try refuses(["train", "--data", data, "--classes", "2"] + small, "classes below 2")
    try refuses(["model", "simple_resnet", "--weights", weights], "other shape")
    // What was typed, not a file, is wrong here.
    let typed = try CommandRun(["model", "simple_resnet", "--image-size", "64"])
    #expect(typed.exitCode == 64 && typed.errors.contains("32×32"), "\(typed.errors)")
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
      let training = try RunningCommand(
        ["train", "--data", data, "--resume", weights, "--epochs", "1000000", "--out", weights])
      #expect(training.ending(within: Double(milliseconds) / 1000) == nil)
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
    #expect(run.errors.contains("diverged at epoch 1, batch "), "\(run.errors)")
    #expect(try CommandRun(["train", "--data", data, "--optimizer", "lion"]).exitCode == 64)
  }

  // MARK: What is refused before anything is computed

  @Test func aCosineIsOneCurveInOneGoAndResumed() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    let (whole, half) = (folder.file("whole.h5").path, folder.file("half.h5").path)
    func train(_ words: [String]) throws -> CommandRun {
      try CommandRun(["train", "--data", data] + words)
    }
    let shape = ["--width", "1", "--batch", "4"]
    #expect(try train(shape + ["--epochs", "3", "--out", whole]).exitCode == 0)
    #expect(try train(shape + ["--epochs", "2", "--schedule", "cosine:3", "--out", half]).exitCode == 0)
    #expect(try train(["--resume", half, "--epochs", "3", "--out", half]).exitCode == 0)
    #expect(try Data(contentsOf: URL(filePath: whole)) == Data(contentsOf: URL(filePath: half)))
    // Beyond its end the rate is 0: training on would change nothing.
    let beyond = try train(["--resume", half, "--epochs", "5", "--out", half])
    #expect(beyond.exitCode == 64)
    #expect(beyond.errors.contains("--schedule cosine:5"), "\(beyond.errors)")
    #expect(try Data(contentsOf: URL(filePath: whole)) == Data(contentsOf: URL(filePath: half)))
    #expect(try train(["--resume", half, "--epochs", "5", "--schedule", "cosine:5", "--out", half]).exitCode == 0)
    #expect(try conv1(half) != conv1(whole))
    #expect(try train(shape + ["--epochs", "3", "--schedule", "cosine:2"]).exitCode == 64)
  }

  private func conv1(_ path: String) throws -> [Float] {
    try HDF5File.open(path).root.group("state_dict").dataset("layer1.0.conv1.weight").read(Float.self)
  }

  @Test func whatIsFrozenStaysFrozenWhenResumed() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    let (first, second) = (folder.file("first.h5").path, folder.file("second.h5").path)
    let words = ["train", "--data", data] + small + ["--freeze", "layer1.*"]
    #expect(try CommandRun(words + ["--epochs", "1", "--out", first]).exitCode == 0)
    let resume = ["train", "--data", data, "--resume", first, "--out", second, "--epochs", "2"]
    #expect(try CommandRun(resume).exitCode == 0)
    #expect(try conv1(first) == conv1(second))
    #expect(try CommandRun(resume + ["--freeze", "layer1.*"]).exitCode == 0)
    #expect(try CommandRun(resume + ["--freeze", "layer2.*"]).exitCode == 64)
    let typo = try CommandRun(["train", "--data", data, "--freeze", "layr1.*"] + small)
    #expect(typo.exitCode == 64)
    #expect(typo.errors.contains("layr1.*"), "\(typo.errors)")
  }

  /// A warm-up is a setting like the others, and a part of the curve.
  @Test func aWarmUpIsOneCurveInOneGoAndResumed() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    let (whole, half) = (folder.file("whole.h5").path, folder.file("half.h5").path)
    let words = ["train", "--data", data, "--width", "1", "--batch", "4", "--schedule", "step:2:0.5", "--warmup", "2"]
    #expect(try CommandRun(words + ["--epochs", "3", "--out", whole]).exitCode == 0)
    #expect(try CommandRun(words + ["--epochs", "1", "--out", half]).exitCode == 0)
    let resume = ["train", "--data", data, "--resume", half, "--epochs", "3", "--out", half]
    #expect(try CommandRun(resume + ["--warmup", "1"]).exitCode == 64)
    #expect(try CommandRun(resume).exitCode == 0)
    #expect(try Data(contentsOf: URL(filePath: whole)) == Data(contentsOf: URL(filePath: half)))
    let history = try #require(WeightsFile(contentsOf: whole).checkpoint?.history)
    let expected = [1e-3 / 3, 2e-3 / 3, 5e-4]
    #expect(history.epochs.map(\.epoch) == [1, 2, 3])
    #expect(zip(history.epochs.map(\.learningRate), expected).allSatisfy { abs($0 - $1) <= 0x1p-50 * $1 })
  }

  /// The epoch with the lowest held-out loss, in one go and resumed; and no epoch after the last that may be in vain.
  @Test func theBestEpochIsKeptAndTheRunEndsEarly() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    // A rate at which the loss soon rises again.
    let words = ["train", "--data", data, "--lr", "0.3"] + small
    let (last, best) = (folder.file("last.h5").path, folder.file("best.safetensors").path)
    let run = try CommandRun(words + ["--epochs", "40", "--patience", "3", "--out", last, "--best", best])
    #expect(run.exitCode == 0, "\(run.errors)")
    let file = try WeightsFile(contentsOf: last)
    let epochs = try #require(file.checkpoint?.history.epochs)
    let lowest = try #require(epochs.min { $0.judgedLoss < $1.judgedLoss })
    #expect(epochs.count < 40 && epochs.count == lowest.epoch + 3)
    #expect(run.output.contains("stopped after epoch \(epochs.count): 3 epochs without a lower held-out loss"))
    #expect(run.output.contains("best: epoch \(lowest.epoch), with held-out loss"), "\(run.output)")
    let kept = try WeightsFile(contentsOf: best)
    #expect(kept.checkpoint?.epochsDone == lowest.epoch)
    #expect(kept.checkpoint?.history.epochs == Array(epochs.prefix(lowest.epoch)))
    // It is what an evaluation says it is.
    let judged = try CommandRun(["evaluate", "--data", data, "--weights", best])
    let loss = try #require(judged.output.firstMatch(of: /loss ([0-9.]+)/).flatMap { Double($0.1) })
    // Six digits are printed, and batches of another size round otherwise.
    #expect(abs(loss - lowest.judgedLoss) <= 1e-5 * max(1, lowest.judgedLoss), "\(judged.output)")
    // Resumed it has no more patience than before, and with more of it another one.
    let resume = ["train", "--data", data, "--resume", last, "--epochs", "40", "--out", last, "--best", best]
    let again = try CommandRun(resume + ["--patience", "3"])
    #expect(again.exitCode == 0 && again.output.contains("stopped after epoch \(epochs.count)"), "\(again.output)")
    #expect(again.output.contains("best.safetensors is not written"))
    #expect(try WeightsFile(contentsOf: last) == file)
    #expect(try CommandRun(resume + ["--patience", "4"]).exitCode == 0)
    #expect(try #require(WeightsFile(contentsOf: last).checkpoint).epochsDone > epochs.count)
    #expect(try CommandRun(words + ["--out", last, "--best", last]).exitCode == 64)
    #expect(try CommandRun(words + ["--best", "/dev/null/best.h5"]).exitCode == 74)
  }

  /// The curves, with the epochs before the run was resumed; also of a run that fails or is interrupted.
  @Test func theCurvesAreReported() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    let (out, report) = (folder.file("w.h5").path, folder.file("report").path)
    let words = ["train", "--data", data, "--report", report]
    #expect(try CommandRun(words + small + ["--epochs", "2", "--out", out]).exitCode == 0)
    let resumed = try CommandRun(words + ["--resume", out, "--epochs", "3", "--require-accuracy", "1"])
    #expect(resumed.output.contains("report: \(report)/report.html"), "\(resumed.output)")
    let record = report + "/run.json"
    let run = try RunFile.read(record)
    let section = try #require(run.training)
    #expect(section.history.epochs.map(\.epoch) == [1, 2, 3])
    #expect(section.history.epochs.map { $0.seconds != nil } == [false, false, true])
    #expect(section.settings["schedule"] == "constant" && section.trainingImages == 8 && section.judgedImages == 4)
    #expect(run.conclusion.outcome.exitCode == resumed.exitCode)
    let page = try String(contentsOfFile: report + "/report.html", encoding: .utf8)
    for title in ["Loss", "Accuracy", "Learning rate", "Speed", "Settings"] {
      #expect(page.contains("<h3>\(title)</h3>"), "\(title)")
    }
    #expect(FileManager.default.fileExists(atPath: report + "/pictures/training.svg"))
    let diverged = try CommandRun(words + small + ["--optimizer", "sgd", "--lr", "1e30", "--epochs", "3"])
    #expect(diverged.exitCode == 1)
    #expect(try RunFile.read(record).training?.diverged?.hasPrefix("diverged at epoch 1") == true)
    let interrupted = try CommandRun(interrupting: words + small + ["--epochs", "100000"], by: SIGINT) { command in
      command.output.contains("\n    2")
    }
    #expect(interrupted.exitCode == 2)
    let stopped = try #require(try RunFile.read(record).training)
    #expect(stopped.interrupted && stopped.history.epochs.count >= 2)
    #expect(try CommandRun(words + small + ["--report", "/dev/null/report"]).exitCode == 74)
  }

  @Test func eachEpochSaysHowFastItWasAndWhatIsLeft() throws {
    let folder = try TemporaryDirectory()
    let run = try CommandRun(["train", "--data", images(folder), "--epochs", "2"] + small)
    let lines = run.output.split(separator: "\n").map { $0.split(separator: /\ {2,}/) }
    #expect(lines.first?.suffix(3) == ["seconds", "images/s", "left"])
    #expect(lines.count == 3 && lines[1].count == 7 && lines[1].last?.contains(" s") == true, "\(run.output)")
    #expect(lines.dropFirst().allSatisfy { Double($0[5]).map { $0 > 0 } == true }, "\(run.output)")
  }

  @Test(arguments: [
    ["--lr", "5"], ["--batch", "8"], ["--optimizer", "sgd"], ["--seed", "3"], ["--width", "2"], ["--classes", "9"],
    ["--weight-decay", "0.5"], ["--model", "resnet18"], ["--zero-init-residual"],
    ["--warmup", "3"],
  ])
  func aResumedRunTakesNoOtherSettings(_ words: [String]) throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    let weights = folder.file("weights.h5").path
    #expect(try CommandRun(["train", "--data", data, "--epochs", "1", "--out", weights] + small).exitCode == 0)
    let run = try CommandRun(["train", "--data", data, "--resume", weights, "--epochs", "2"] + words)
    #expect(run.exitCode == 64, "\(run.errors)")
    #expect(run.errors.contains("\(words[0])"), "\(run.errors)")
  }

  @Test func aRunMayBeToldAgainWhatItsCheckpointHas() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    let weights = folder.file("weights.h5").path
    #expect(try CommandRun(["train", "--data", data, "--epochs", "1", "--out", weights] + small).exitCode == 0)
    let again = ["--batch", "4", "--lr", "0.001", "--seed", "0", "--model", "simple_resnet"]
    #expect(try CommandRun(["train", "--data", data, "--resume", weights, "--epochs", "2"] + again).exitCode == 0)
  }

  @Test func aLastBatchOfOneImageIsNamedBeforeTheEpoch() throws {
    let words = ["train", "--data", trial("T1_five_images.h5"), "--model", "resnet18", "--width", "8", "--epochs", "1"]
    let run = try CommandRun(words + ["--batch", "4"])
    #expect(run.exitCode == 64)
    #expect(run.errors.contains("--batch 4") && run.errors.contains("last batch of 1"), "\(run.errors)")
    #expect(run.output.isEmpty, "\(run.output)")
    // What it proposes works.
    let proposal = try #require(run.errors.firstMatch(of: /Try --batch (\d+)/)?.1)
    #expect(try CommandRun(words + ["--batch", String(proposal)]).exitCode == 0)
  }

  @Test(arguments: ["nan", "-0.1", "1.1", "inf"])
  func anAccuracyThatNothingReachesOrMissesIsAUsageError(_ share: String) throws {
    let sixteen = trial("X_sixteen_images.h5")
    let train = ["train", "--data", sixteen, "--model", "cifar_resnet8", "--width", "2", "--epochs", "1"]
    #expect(try CommandRun(train + ["--require-accuracy=\(share)"]).exitCode == 64)
    let evaluate = ["evaluate", "--data", sixteen, "--weights", trial("weights_cifar8_w2.h5")]
    #expect(try CommandRun(evaluate + ["--require-accuracy=\(share)"]).exitCode == 64)
  }

  @Test func anAccuracyThatIsMissedFails() throws {
    let words = ["evaluate", "--data", trial("T8_ten_images.h5"), "--weights", trial("weights_cifar8_w2.h5")]
    #expect(try CommandRun(words + ["--require-accuracy", "1"]).exitCode == 1)
    #expect(try CommandRun(words + ["--require-accuracy", "0"]).exitCode == 0)
  }

  @Test func anOutputThatCannotBeWrittenIsFoundBeforeTheWork() throws {
    let folder = try TemporaryDirectory()
    let sixteen = trial("X_sixteen_images.h5")
    for path in ["/dev/null/weights.h5", folder.url.path] {
      let train = ["train", "--data", sixteen, "--model", "cifar_resnet8", "--width", "2", "--out", path]
      let run = try CommandRun(train)
      #expect(run.exitCode == 74, "\(run.errors)")
      #expect(run.output.isEmpty)
      let evaluate = ["evaluate", "--data", sixteen, "--weights", trial("weights_cifar8_w2.h5"), "--logits", path]
      #expect(try CommandRun(evaluate).exitCode == 74)
    }
  }

  @Test func weightsInPyTorchsFormatAreRecognised() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("resnet18.pth").path
    try Data("no HDF5".utf8).write(to: URL(filePath: path))
    let run = try CommandRun(["evaluate", "--data", trial("T8_ten_images.h5"), "--weights", path])
    #expect(run.exitCode == 65)
    #expect(run.errors.contains("Fixtures/generate/export_state_dict.py"), "\(run.errors)")
  }

  // MARK: Numbers that mean nothing

  @Test(arguments: [
    ("T4_weights_negative_running_var.h5", "bn1.running_var[0]"), ("T8_weights_nan_logits.h5", "fc.bias[0]"),
  ])
  func weightsThatNoNetworkHasAreNamed(_ weights: String, _ tensor: String) throws {
    let run = try CommandRun(["evaluate", "--data", trial("T8_ten_images.h5"), "--weights", trial(weights)])
    #expect(run.exitCode == 65)
    #expect(run.errors.contains(tensor), "\(run.errors)")
    #expect(run.output.isEmpty)
  }

  /// Finite weights can give infinite logits: 1, with the image.
  @Test func logitsThatAreNotFiniteFail() throws {
    let folder = try TemporaryDirectory()
    let weights = folder.file("weights.h5").path
    try FileManager.default.copyItem(atPath: trial("weights_cifar8_w2.h5"), toPath: weights)
    var file = try WeightsFile(contentsOf: weights)
    let bias = try #require(file.tensors["fc.weight"])
    file.tensors["fc.weight"] = .float32(Tensor(shape: bias.shape, repeating: Float.greatestFiniteMagnitude))
    try file.write(to: weights)
    let run = try CommandRun(["evaluate", "--data", trial("T8_ten_images.h5"), "--weights", weights])
    #expect(run.exitCode == 1)
    #expect(run.errors.contains("image 0: the logit of class 0 is inf"), "\(run.errors)")
  }

  @Test(arguments: [["--lr", "1e38"], ["--lr", "1e5", "--optimizer", "sgd"]])
  func aDivergedRunKeepsItsLastGoodCheckpoint(_ rate: [String]) throws {
    let folder = try TemporaryDirectory()
    let sixteen = trial("X_sixteen_images.h5")
    let weights = folder.file("weights.h5").path
    let words = ["train", "--data", sixteen, "--model", "cifar_resnet8", "--width", "2", "--batch", "8"]
    #expect(try CommandRun(words + ["--epochs", "1", "--out", weights]).exitCode == 0)
    let before = try Data(contentsOf: URL(filePath: weights))
    let run = try CommandRun(words + ["--init", weights, "--epochs", "3", "--out", weights] + rate)
    #expect(run.exitCode == 1)
    #expect(run.errors.contains("diverged at epoch 1, batch "), "\(run.errors)")
    #expect(try Data(contentsOf: URL(filePath: weights)) == before)
  }

  // MARK: Pixels

  /// The line of `evaluate`, of images that a file stores in some way.
  private func line(_ data: String) throws -> String {
    let run = try CommandRun(["evaluate", "--data", data, "--weights", trial("weights_cifar8_w2.h5")])
    #expect(run.exitCode == 0, "\(run.errors)")
    return run.output
  }

  @Test func onePictureIsTheSameInEveryFile() throws {
    let expected = try line(trial("T3_dark_floats.h5"))
    #expect(try line(trial("T3_dark_bytes.h5")) == expected)
    // The same bytes in a wider type, and scaled by a factor that the file names.
    let folder = try TemporaryDirectory()
    let bytes = try HDF5File.open(trial("T3_dark_bytes.h5")).root.dataset("images").read(UInt8.self)
    func file(_ name: String, _ factor: Int, maximum: Int?) throws -> String {
      let path = folder.file(name).path
      try HDF5File.create(path) { root in
        let images = try root.createDataset(
          "images", shape: [2, 1, 32, 32], values: bytes.map { Int32($0) * Int32(factor) })
        if let maximum { try images.setAttribute("max_value", .integer(maximum)) }
        try root.createDataset("labels", shape: [2], values: [0, 1])
      }
      return path
    }
    #expect(try line(file("wide.h5", 1, maximum: nil)) == expected)
    #expect(try line(file("deep.h5", 256, maximum: 255 * 256)) == expected)
    // 25,600 without a word about what stands for 1.
    let data = try file("unsaid.h5", 256, maximum: nil)
    let run = try CommandRun(["evaluate", "--data", data, "--weights", trial("weights_cifar8_w2.h5")])
    #expect(run.exitCode == 65)
    #expect(run.errors.contains("max_value"), "\(run.errors)")
  }

  @Test func aNetworkIsNotJudgedByPixelsOfAnotherScale() throws {
    let folder = try TemporaryDirectory()
    let data = try images(folder)
    let weights = folder.file("weights.h5").path
    let small = small + ["--model", "cifar_resnet8"]
    #expect(try CommandRun(["train", "--data", data, "--epochs", "1", "--out", weights] + small).exitCode == 0)
    let other = folder.file("other.h5").path
    try HDF5File.create(other) { root in
      try root.createDataset("images", shape: [4, 1, 8, 8], values: [UInt8](repeating: 7, count: 256))
      try root.createDataset("labels", shape: [4], values: [0, 1, 2, 0])
    }
    for words in [["evaluate", "--weights", weights], ["train", "--resume", weights, "--epochs", "2"]] {
      let run = try CommandRun(words + ["--data", other])
      #expect(run.exitCode == 65, "\(words)")
      #expect(run.errors.contains("divided by 16"), "\(run.errors)")
    }
  }

  @Test func imagesAreTakenAsTheyAre() throws {
    let folder = try TemporaryDirectory()
    let logits = folder.file("logits.h5").path
    let words = ["--data", trial("T9_images_40x24.h5"), "--weights", trial("weights_cifar8_w2.h5")]
    #expect(try CommandRun(["evaluate", "--logits", logits] + words).exitCode == 0)
    let text = try String(contentsOfFile: trial("T9_expected.txt"), encoding: .utf8)
    let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("as they are: ") })
    let expected = row.dropFirst("as they are: ".count).split(separator: " ").compactMap { Float($0) }
    let got = try HDF5File.open(logits).root.dataset("logits").read(Float.self)
    // Six digits after the point are given, half a unit of the last of which is 5e-7; the rest is float32's rounding in
    // eight layers of logits below 1.
    #expect(expected.count == 10)
    #expect(zip(expected, got).allSatisfy { abs($0 - $1) <= 5e-7 + 0x1p-22 })
    // A network with one size of images takes no others, and says when it enlarges.
    let refused = try CommandRun(["train", "--data", trial("T9_images_40x24.h5"), "--epochs", "1"])
    #expect(refused.exitCode == 65)
    #expect(refused.errors.contains("32×32"), "\(refused.errors)")
    let enlarged = try CommandRun(
      ["train", "--data", trial("X_sixteen_images.h5"), "--epochs", "1", "--width", "1"])
    #expect(enlarged.exitCode == 0)
    #expect(enlarged.errors.contains("enlarged 4 times"), "\(enlarged.errors)")
  }

  @Test func withoutASplitNothingIsCalledHeldOut() throws {
    let folder = try TemporaryDirectory()
    let train = ["train", "--epochs", "1", "--width", "1", "--batch", "4"]
    let whole = try CommandRun(train + ["--data", trial("X_sixteen_images.h5")])
    #expect(whole.output.contains("training-set loss") && !whole.output.contains("held-out"))
    #expect(whole.errors.contains("no split") && whole.errors.contains("--out"), "\(whole.errors)")
    let split = try CommandRun(train + ["--data", images(folder), "--out", folder.file("weights.h5").path])
    #expect(split.output.contains("held-out loss"))
    #expect(!split.errors.contains("no split") && !split.errors.contains("--out"), "\(split.errors)")
    let words = ["--data", trial("X_sixteen_images.h5"), "--weights", trial("weights_cifar8_w2.h5")]
    #expect(try CommandRun(["evaluate"] + words).errors.contains("no split"))
  }

  // MARK: Normalisation

  /// A folder of CIFAR-10's binary version: each class has its own brightness.
  private func cifar(_ folder: TemporaryDirectory) throws -> String {
    for (name, count) in [("data_batch_1", 6), ("data_batch_2", 6), ("test_batch", 4)] {
      var data = Data()
      for record in 0..<count {
        data.append(UInt8(record % 3))
        data.append(contentsOf: (0..<3072).map { UInt8(record % 3 * 80 + $0 % 17) })
      }
      try data.write(to: folder.file("\(name).bin"))
    }
    return folder.url.path
  }

  @Test func whatImagesAreNormalisedByStaysWithTheWeights() throws {
    let folder = try TemporaryDirectory()
    let (data, other) = (try cifar(folder), try TemporaryDirectory())
    let (out, alone) = (other.file("w.safetensors").path, other.file("alone.h5").path)
    func train(_ words: [String]) throws -> CommandRun {
      try CommandRun(["train", "--data", data] + words)
    }
    let shape = ["--model", "cifar_resnet8", "--width", "2", "--batch", "4", "--schedule", "constant", "--epochs", "1"]
    let run = try train(shape + ["--measure", "--out", out])
    #expect(run.exitCode == 0 && run.errors.contains("normalised by mean 0.34"), "\(run.errors)")
    let normalization = try #require(WeightsFile(contentsOf: out).normalization)
    // Pixels have 0 … 16 in every third of 1024 places, all about equally, on 0, 80 and 160.
    #expect(normalization.mean.allSatisfy { abs($0 * 255 - 88) < 0.05 }, "\(normalization)")
    #expect(normalization.std.allSatisfy { abs($0 * 255 - (24.0 + 80 * 80 * 2 / 3).squareRoot()) < 0.05 })
    // The same for whoever judges or goes on; without the run's memory, too.
    let model = ["model", "cifar_resnet8", "--width", "2", "--classes", "3", "--weights", out, "--out", alone]
    #expect(try CommandRun(model).exitCode == 0)
    #expect(try WeightsFile(contentsOf: alone).normalization == normalization)
    let evaluate = ["evaluate", "--data", data + "/test_batch.bin", "--weights", alone]
    let judged = try CommandRun(evaluate)
    #expect(judged.exitCode == 0 && judged.errors.contains("normalised by"), "\(judged.errors)")
    #expect(run.output.contains(judged.output.firstMatch(of: /accuracy +([0-9.]+)/)?.1 ?? "none"))
    #expect(try CommandRun(evaluate + ["--mean", "0", "--std", "1"]).exitCode == 64)
    #expect(try train(["--resume", out, "--epochs", "2", "--out", out]).exitCode == 0)
    #expect(try WeightsFile(contentsOf: out).normalization == normalization)
    #expect(try train(["--resume", out, "--epochs", "3", "--measure"]).exitCode == 64)
    #expect(try train(["--resume", out, "--epochs", "3", "--mean", "0", "--std", "1"]).exitCode == 64)
    // Fine-tuning starts with what the weights know.
    let tuned = other.file("tuned.h5").path
    #expect(try train(shape + ["--init", alone, "--out", tuned]).exitCode == 0)
    #expect(try WeightsFile(contentsOf: tuned).normalization == normalization)
    #expect(try train(shape + ["--init", alone, "--mean", "0.5", "--std", "1,2,3", "--out", tuned]).exitCode == 0)
    #expect(try WeightsFile(contentsOf: tuned).normalization?.std == [1, 2, 3])
  }

  /// Pictures keep their size and the order of their classes.
  @Test func picturesAreTrainedOnAndJudged() throws {
    let folder = try TemporaryDirectory()
    let samples = Repository.root.appending(path: "Tests/NetworkFilesTests/Samples/pictures")
    let out = folder.file("w.safetensors").path
    func train(_ words: [String], _ data: String = samples.path) throws -> CommandRun {
      try CommandRun(["train", "--data", data] + words)
    }
    let shape = ["--model", "cifar_resnet8", "--width", "2", "--batch", "4", "--schedule", "constant"]
    let run = try train(shape + ["--image-size", "16", "--measure", "--epochs", "1", "--out", out])
    #expect(run.exitCode == 0, "\(run.errors)")
    let file = try WeightsFile(contentsOf: out)
    #expect(file.imageSize == 16 && file.checkpoint?.settings["class_names"] == "cat/dog")
    let evaluate = ["evaluate", "--data", samples.path, "--weights", out]
    let judged = try CommandRun(evaluate)
    #expect(judged.exitCode == 0 && judged.output.hasPrefix("3 images"), "\(judged.errors)")
    #expect(run.output.contains(judged.output.firstMatch(of: /accuracy +([0-9.]+)/)?.1 ?? "none"))
    #expect(try train(["--resume", out, "--epochs", "2", "--out", out]).exitCode == 0)
    for words in [evaluate, ["train", "--data", samples.path, "--resume", out, "--epochs", "3"]] {
      let other = try CommandRun(words + ["--image-size", "24"])
      #expect(other.exitCode == 64 && other.errors.contains("16×16"), "\(other.errors)")
    }
    let hdf5 = try CommandRun(["train", "--data", images(folder), "--image-size", "8", "--epochs", "1"])
    #expect(hdf5.exitCode == 64)
    // The same numbers of other classes mean something else.
    let renamed = folder.file("renamed")
    try FileManager.default.copyItem(at: samples.appending(path: "train"), to: renamed)
    try FileManager.default.moveItem(at: renamed.appending(path: "cat"), to: renamed.appending(path: "zebra"))
    let zebras = try CommandRun(["evaluate", "--data", renamed.path, "--weights", out])
    #expect(zebras.exitCode == 65 && zebras.errors.contains("dog, zebra"), "\(zebras.errors)")
    // One damaged picture is one error that names it.
    try Data("no picture".utf8).write(to: renamed.appending(path: "dog/bits.png"))
    let damaged = try train(shape, renamed.path)
    #expect(damaged.exitCode == 65 && damaged.errors.contains("dog/bits.png: expected a PNG"), "\(damaged.errors)")
  }

  @Test(arguments: [
    ["--mean", "0.5"], ["--std", "1"], ["--mean", "0.5,0.5", "--std", "1"], ["--mean", "x", "--std", "1"],
    ["--mean", "0", "--std", "0"], ["--mean", "0", "--std", "1,1,-1"], ["--mean", "nan", "--std", "1"],
    ["--mean", "0", "--std", "inf"], ["--mean", "", "--std", "1"], ["--mean", "0,0,0,0", "--std", "1"],
    ["--mean", "0", "--std", "1", "--measure"],
  ])
  func numbersThatNormaliseNothingAreUsageErrors(_ words: [String]) throws {
    let data = ["--data", trial("X_sixteen_images.h5")]
    #expect(try CommandRun(["train", "--width", "1", "--epochs", "1"] + data + words).exitCode == 64)
    guard !words.contains("--measure") else { return }
    let evaluate = ["evaluate", "--weights", trial("weights_cifar8_w2.h5")]
    #expect(try CommandRun(evaluate + data + words).exitCode == 64)
  }

  @Test func damagedCIFARFilesAreOneError() throws {
    let folder = try TemporaryDirectory()
    let data = try cifar(folder)
    try Data(repeating: 200, count: 3073).write(to: folder.file("data_batch_2.bin"))
    let run = try CommandRun(["train", "--data", data, "--model", "cifar_resnet8", "--epochs", "1"])
    #expect(run.exitCode == 65 && run.errors.contains("data_batch_2.bin: record 0"), "\(run.errors)")
  }

  // MARK: Interruption

  @Test(arguments: [SIGINT, SIGTERM])
  func anInterruptedRunSaysWhatItDidAndHowToGoOn(_ signal: Int32) throws {
    let folder = try TemporaryDirectory()
    let weights = folder.file("weights.h5").path
    let data = Repository.fixtures.appending(path: "data/digits.h5").path
    let train = ["train", "--data", data, "--width", "1", "--epochs", "100000", "--out", weights]
    let run = try CommandRun(interrupting: train, by: signal) { _ in
      FileManager.default.fileExists(atPath: weights)
    }
    #expect(run.exitCode == 2, "\(run.errors)")
    #expect(run.errors.contains("resume: assay train") && run.errors.contains("--resume \(weights)"), "\(run.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["weights.h5"])
    _ = try WeightsFile(contentsOf: weights)
    // Images large enough to take a minute.
    let large = folder.file("large.h5").path
    try HDF5File.create(large) { root in
      try root.createDataset("images", shape: [2000, 1, 64, 64], values: [UInt8](repeating: 9, count: 2000 << 12))
      try root.createDataset("labels", shape: [2000], values: [Int](repeating: 0, count: 2000))
    }
    let evaluate = ["evaluate", "--data", large, "--weights", trial("weights_cifar8_w2.h5")]
    let judged = try CommandRun(interrupting: evaluate, by: signal) { $0.errors.contains("no split") }
    #expect(judged.exitCode == 2, "\(judged.errors)")
    #expect(judged.errors.contains(/interrupted: \d+ of 2000 images were judged/), "\(judged.errors)")
  }
}
