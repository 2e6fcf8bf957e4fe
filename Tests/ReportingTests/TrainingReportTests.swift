import Foundation
import Reporting
import Results
import TestSupport
import Testing

/// A training run's record, its page and its conclusion.
@Suite struct TrainingReportTests {
  private func run(_ epochs: [TrainingEpoch]) -> Run {
    var run = Run(provenance: ReportTests.run.provenance)
    run.training = TrainingSection(
      architecture: "simple_resnet", width: 12, classCount: 10, parameterCount: 12_345, engine: "reference", threads: 2,
      settings: ["batch_size": "32", "schedule": "cosine:8"], data: "<odd>.h5", imageShape: [3, 32, 32],
      trainingImages: 90, judgedImages: 10, isHeldOut: true, epochsAsked: 8, patience: 3,
      history: TrainingHistory(epochs))
    return run
  }

  private let epochs = (1...4).map {
    TrainingEpoch(
      epoch: $0, loss: 2 / Double($0), judgedLoss: [1, 0.5, 0.25, 0.75][$0 - 1], accuracy: 0.25 * Double($0),
      learningRate: 1e-3, seconds: $0 < 3 ? nil : 4, imagesPerSecond: $0 < 3 ? nil : 30)
  }

  @Test func theRecordComesBackAndKeepsToItsSchema() throws {
    let folder = try TemporaryDirectory()
    let data = try RunFile.data(run(epochs))
    try data.write(to: folder.file("run.json"))
    let found = try RunFile.read(folder.file("run.json").path)
    #expect(found.training?.history.epochs == epochs)
    #expect(try RunFile.data(found) == data)
    #expect(try JSONSchema(contentsOf: Repository.runSchema).errors(in: data) == [])
  }

  @Test func thePageHasEveryCurve() throws {
    let page = try HTMLReport.text(run(epochs))
    for text in [
      "simple_resnet", "12,345 parameters", "4 epochs, the best of them 3: held-out loss 0.25, accuracy 75.0 %",
      "&lt;odd&gt;.h5", "cosine:8", "epoch 3: 0.250", "images/s",
    ] { #expect(page.contains(text), "\(text)") }
    #expect(page.components(separatedBy: "<figure>").count == 5)
    let markdown = MarkdownReport.text(run(epochs))
    #expect(markdown.contains("## Training") && markdown.contains("held-out loss"))
    #expect(JUnitReport.text(run(epochs)).contains("name=\"training\""))
  }

  @Test func aRunOfManyEpochsAndOneOfNone() throws {
    let many = (1...500).map {
      TrainingEpoch(epoch: $0, loss: 1, judgedLoss: 1, accuracy: 1, learningRate: 0)
    }
    #expect(try HTMLReport.text(run(many)).contains("<polyline"))
    let none = run([])
    #expect(try !HTMLReport.text(none).contains("<polyline"))
    #expect(none.conclusion.outcome == .inconclusive)
  }

  @Test func whatItAmountsTo() throws {
    #expect(run(epochs).conclusion.outcome == .holds)
    var other = run(epochs)
    other.training?.requiredAccuracy = 1
    #expect(other.conclusion.outcome == .holds)
    other.training?.history.epochs[3].accuracy = 0.5
    #expect(other.conclusion.outcome == .fails)
    other = run(epochs)
    other.training?.diverged = "diverged at epoch 5"
    #expect(other.conclusion.outcome == .fails)
    other = run(epochs)
    other.training?.interrupted = true
    #expect(other.conclusion.outcome == .inconclusive)
  }

  @Test func whatIsLeftFollowsFromTheTimedEpochs() {
    #expect(TrainingHistory(epochs).secondsLeft(epochs: 3) == 12)
    #expect(TrainingHistory(Array(epochs.prefix(2))).secondsLeft(epochs: 3) == nil)
    #expect(TrainingHistory(epochs).epochsSinceBest == 1)
    #expect(TrainingHistory().epochsSinceBest == 0 && !TrainingHistory().lastIsBest)
  }
}
