import Operations
import Problems
import Testing

/// The learning rate of an epoch follows from the options and its number alone.
@Suite struct LearningRateTests {
  private func rates(_ schedule: LearningRateSchedule, warmup: Int) throws -> [Double] {
    let options = TrainingOptions(
      architecture: .simpleResnet, classCount: 10, batchSize: 1,
      optimizer: try OptimizerOptions(name: "sgd", attributes: Attributes(["lr": .real(8)])), schedule: schedule,
      warmupEpochs: warmup)
    return (0..<6).map { options.learningRate(epoch: $0) }
  }

  @Test func risesThenFollowsTheSchedule() throws {
    #expect(try rates(.constant, warmup: 0) == [8, 8, 8, 8, 8, 8])
    #expect(try rates(.constant, warmup: 3) == [2, 4, 6, 8, 8, 8])
    #expect(try rates(.step(epochs: 2, factor: 0.5), warmup: 1) == [4, 8, 4, 4, 2, 2])
    let cosine = try rates(.cosine(epochs: 6), warmup: 1)
    #expect(cosine[0] == 4 && cosine.last.map { $0 > 0 } == true)
    #expect(zip(cosine.dropFirst(), cosine.dropFirst(2)).allSatisfy { $0 > $1 })
  }
}
