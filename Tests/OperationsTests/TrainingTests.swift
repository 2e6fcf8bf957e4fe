import Problems
import Operations
import Tensors
import Testing

/// The training and validation loops: what they refuse before they begin, what they do not take for a result, where they stop.
@Suite struct TrainingTests {
  private func options(batchSize: Int = 4) throws -> TrainingOptions {
    TrainingOptions(
      architecture: try ResNetArchitecture.cifar(depth: 8).scaled(toWidth: 2), classCount: 3, batchSize: batchSize,
      optimizer: .sgd(try SGDOptions(learningRate: 0.1)), seed: 11)
  }

  private func data(_ count: Int, size: Int = 8) -> LabelledImages<Float> {
    LabelledImages(
      images: random([count, 3, size, size], seed: 1).map { Float($0) },
      labels: Tensor(shape: [count], elements: (0..<count).map { Int64($0 % 3) }))
  }

  private func initial(_ options: TrainingOptions, seed: UInt64 = 11) throws -> NetworkState<Float> {
    let plan = try options.architecture.plan(inputShape: [2, 3, 8, 8], classCount: 3, training: true)
    return Initialization(seed: seed).state(of: plan)
  }

  // MARK: Plans

  @Test(arguments: [(10, 4, [2, 4]), (8, 4, [4]), (3, 4, [3]), (12, 5, [2, 5])])
  func anEpochHasAPlanForEachSizeOfBatch(_ count: Int, _ batch: Int, _ sizes: [Int]) throws {
    let plans = try options(batchSize: batch).plans(imageShape: [3, 8, 8], count: count)
    #expect(plans.keys.sorted() == sizes)
    for (size, plan) in plans { #expect(plan.inputShape == [size, 3, 8, 8]) }
  }

  /// Four pixels remain of 16×16 after the stages' strides, none but one of 4×4: one image then has one value a channel.
  @Test func aLastBatchOfOneValueAChannelIsRefusedBeforeTheEpoch() throws {
    let options = try options()
    #expect(throws: ProblemError.self) { try options.plans(imageShape: [3, 4, 4], count: 9) }
    #expect(try options.plans(imageShape: [3, 16, 16], count: 9).count == 2)
    var training = Training(options: options, state: try initial(options))
    var batches = 0
    #expect(throws: TrainingError.self) { try training.runEpoch(data(9, size: 4), progress: { _ in batches += 1 }) }
    #expect(batches == 0 && training.epochsDone == 0)
  }

  // MARK: Numbers

  @Test func aStepThatLeavesTheNumbersIsADivergenceAndIsTakenBack() throws {
    var options = try options()
    options.optimizer = .sgd(try SGDOptions(learningRate: 1e38))
    var training = Training(options: options, state: try initial(options))
    var finished = 0
    let error = #expect(throws: TrainingError.self) {
      for _ in 0..<5 { try training.runEpoch(data(10), progress: { _ in finished += 1 }) }
    }
    guard case .diverged(let epoch, let batch, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(epoch == training.epochsDone + 1 && batch == finished % 3 + 1)
    #expect(training.step.state.defect == nil)
  }

  @Test func theFirstDefectOfAStateIsNamed() throws {
    var state = try initial(options())
    #expect(state.defect == nil)
    state.buffers["bn1"]?.runningVariance.elements[1] = -0.25
    #expect(state.defect?.description == "bn1.running_var[1]: expected a finite number from 0, found -0.25")
    state.buffers["bn1"]?.runningMean.elements[0] = .infinity
    #expect(state.defect?.description == "bn1.running_mean[0]: expected a finite number, found inf")
    state.parameters["fc.bias"]?.elements[2] = -.nan
    #expect(state.defect?.description == "fc.bias[2]: expected a finite number, found NaN")
  }

  @Test func anImageWhoseLogitsAreNotFiniteIsNamed() throws {
    let options = try options()
    var images = data(7).images
    images.elements[5 * 3 * 64] = .nan
    let bad = LabelledImages(images: images, labels: data(7).labels)
    for batch in [1, 3, 7] {
      let error = #expect(throws: Validation.Failure.self) {
        try Validation.run(
          options.architecture, classCount: 3, state: initial(options), data: bad, batchSize: batch)
      }
      #expect(error == .notFinite(.init(image: 5, subject: "the logit of class 0", found: "NaN")), "batch \(batch)")
    }
    // Finite logits as far apart as float32 allows have an infinite loss.
    var state = try initial(options)
    state.parameters["fc.weight"] = state.parameters["fc.weight"]?.map { _ in 0 }
    state.parameters["fc.bias"] = Tensor(shape: [3], elements: [3e38, -3e38, -3e38])
    let error = #expect(throws: Validation.Failure.self) {
      try Validation.run(options.architecture, classCount: 3, state: state, data: data(7))
    }
    #expect(error == .notFinite(.init(image: 1, subject: "the loss", found: "inf")))
  }

  @Test func theSizeOfABatchChangesNoBitOfAValidation() throws {
    let options = try options()
    let state = try initial(options)
    let results = try [nil, 1, 2, 7].map { size in
      try Validation.run(options.architecture, classCount: 3, state: state, data: data(7), batchSize: size, k: 2)
    }
    for result in results { #expect(result == results[0]) }
    #expect(results[0].count == 7)
  }

  @Test func aBatchIsSmallWhereLayersAreLarge() throws {
    func size(_ architecture: ResNetArchitecture, _ side: Int) throws -> Int {
      Validation.batchSize(for: try architecture.plan(inputShape: [1, 3, side, side]))
    }
    #expect(try size(.resnet50, 224) == 4)
    #expect(try size(.resnet50, 2048) == 1)
    #expect(try size(.cifar(depth: 8), 32) == 64)
  }

  // MARK: Stopping

  /// Asked before every layer of both passes, so that not even one large batch keeps somebody waiting.
  @Test func anEpochStopsInTheMiddleOfABatch() throws {
    let options = try options()
    var training = Training(options: options, state: try initial(options))
    let before = training.step.state.parameters
    for questions in [1, 5, 40] {
      var asked = 0
      let error = #expect(throws: TrainingError.self) {
        try training.runEpoch(
          data(4),
          shouldStop: {
            asked += 1
            return asked == questions
          })
      }
      #expect(error == .stopped(epoch: 1, batch: 1))
      #expect(asked == questions)
      #expect(training.step.state.parameters == before && training.epochsDone == 0)
    }
  }

  @Test func aValidationThatStopsSaysHowFarItCame() throws {
    let options = try options()
    var judged = 0
    let result = try Validation.run(
      options.architecture, classCount: 3, state: initial(options), data: data(7), batchSize: 2,
      progress: { judged = $0 }, shouldStop: { judged == 4 })
    #expect(result.count == 4)
  }

  // MARK: Images

  @Test func imagesAreEnlargedByWholePixelsOrTakenAsTheyAre() throws {
    let simple = ResNetArchitecture.simpleResnet
    let digits = try ImagePreparation([1, 8, 8], scale: 16, for: simple)
    #expect(digits.imageShape == [3, 32, 32] && digits.enlargement == 4)
    let pixels = Tensor<Float>(shape: [1, 1, 8, 8], elements: (0..<64).map { Float($0) / 4 })
    let prepared = try digits.prepare(pixels)
    for (c, y, x) in [(0, 0, 0), (1, 3, 3), (2, 4, 7), (0, 31, 31)] {
      #expect(prepared.elements[(c * 32 + y) * 32 + x] == pixels.elements[y / 4 * 8 + x / 4] / 16)
    }
    #expect(try ImagePreparation([3, 40, 24], for: .cifar(depth: 8)).imageShape == [3, 40, 24])
    #expect(try ImagePreparation([1, 224, 200], for: .resnet18).imageShape == [3, 224, 200])
    for shape: Shape in [[1, 40, 24], [1, 16, 8], [1, 64, 64], [1, 12, 12], [2, 8, 8], [1, 0, 0]] {
      #expect(throws: ProblemError.self, "\(shape)") { try ImagePreparation(shape, for: simple) }
    }
    let channelsLast = #expect(throws: ProblemError.self) { try ImagePreparation([8, 8, 3], for: simple) }
    #expect(channelsLast?.found == "shape 8×8×3, (H, W, C): transpose the images")
  }

  @Test func `each class is counted, with what it was taken for`() {
    // Equal logits are the first class's; class 2 has no image.
    let logits: [Float] = [1, 1, 0, /**/ 0, 2, 1, /**/ 0, 0, 3, /**/ 0, 0, 3, /**/ 5, 0, 0]
    let found = ClassJudgement.all(logits: logits, labels: [0, 1, 1, 1, 1], classCount: 3)
    #expect(found.map(\.label) == [0, 1])
    #expect(found[0].images == 1 && found[0].right == 1 && found[0].takenFor == nil && found[0].accuracy == 1)
    #expect(found[1].images == 4 && found[1].right == 1 && found[1].takenFor == 2 && found[1].taken == 2)
    let tied = ClassJudgement.all(logits: [1, 0, 0, 0, 0, 1], labels: [1, 1], classCount: 3)
    #expect(tied[0].takenFor == 0 && tied[0].taken == 1)
  }
}
