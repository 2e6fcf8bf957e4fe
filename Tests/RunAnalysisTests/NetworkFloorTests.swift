import Operations
import Problems
import Results
import RunAnalysis
import TestSupport
import Testing

/// Without caches, so that all bytes move at the rate of memory.
private func uncached(peak: Double, memory: Double) -> BenchmarkSection {
  var section = SampleBenchmark.section()
  (section.machine.l2Bytes, section.machine.l3Bytes) = (nil, nil)
  section.ceilings = [
    CeilingRecord(
      threads: 1, peakGigaflops: peak, l2GigabytesPerSecond: memory, l3GigabytesPerSecond: nil,
      memoryGigabytesPerSecond: memory, frozenConvolutionNanoseconds: 1)
  ]
  return section
}

/// The least time of a whole network, against the floors of its layers and sums made by hand.
@Suite struct NetworkFloorTests {
  private static func workload(_ problem: String, pass: String = "inference", threads: Int = 1) -> BenchmarkWorkload {
    BenchmarkWorkload(
      name: "\(problem) \(pass)", operation: "resnet", problem: problem, batch: 1, pass: pass, layout: "nchw",
      threads: threads, flops: 1, compulsoryBytes: 1)
  }

  private static let resnet18 = "resnet n2c3h224w224 archresnet18"
  private static let resnet8 = "resnet n1c3h32w32 archcifar_resnet8 classes10"

  /// Where memory is free, a network takes what its convolutions take, each alone, and the classifier.
  @Test(arguments: [resnet18, resnet8, "resnet n1c3h224w224 archresnext50_32x4d", "resnet n3c3h96w64 archresnet50"])
  func arithmeticIsThatOfTheConvolutions(text: String) throws {
    let section = uncached(peak: 100, memory: 1e12)
    let floor = try #require(NetworkFloor(Self.workload(text), in: section))
    let problem = try #require(try Problem.parse(text) as? ResNetProblem)
    let alone = problem.plan.layers.compactMap { layer -> Double? in
      guard let convolution = layer.problem as? Conv2dProblem else {
        return (layer.problem as? LinearProblem).map {
          2 * Double($0.batch * $0.inputFeatures * $0.outputFeatures) / 100
        }
      }
      var workload = Self.workload(convolution.text, pass: "forward")
      workload.operation = "conv2d"
      return ConvolutionFloor(workload, in: section)?.nanoseconds
    }
    #expect(abs(floor.nanoseconds / alone.reduce(0, +) - 1) < 1e-6, "\(floor.nanoseconds)")
    #expect(floor.limitedBy == "compute")
  }

  /// Where arithmetic is free, each byte of weights, of activations between steps and of residuals moves once: by hand, in
  /// elements, for three stages of 16, 32 and 64 channels.
  @Test func bytesAreThoseOfTheSteps() throws {
    let floor = try #require(NetworkFloor(Self.workload(Self.resnet8), in: uncached(peak: 1e12, memory: 4)))
    let (image, one, two, three) = (3_072.0, 16_384.0, 8_192.0, 4_096.0)
    let expected: KeyValuePairs<String, Double> = [
      "conv1": image + 432 + one, "layer1.0.conv1": 2 * one + 2_304, "layer1.0.conv2": 3 * one + 2_304,
      "layer2.0.conv1": one + 4_608 + two, "layer2.0.conv2": 3 * two + 9_216,
      // Of a 1×1 convolution with stride 2 no tap meets three of four inputs.
      "layer2.0.downsample.0": one / 4 + 512 + two,
      "layer3.0.conv1": two + 18_432 + three, "layer3.0.conv2": 3 * three + 36_864,
      "layer3.0.downsample.0": two / 4 + 2_048 + three, "avgpool": three + 64, "fc": 64 + 640 + 10,
    ]
    #expect(floor.layers.map(\.name) == expected.map(\.key))
    for (layer, (name, elements)) in zip(floor.layers, expected) {
      #expect(abs(layer.nanoseconds / elements - 1) < 1e-6, "\(name): \(layer.nanoseconds)")
      #expect(layer.limitedBy == "memory")
    }
  }

  /// Activations may be in a cache that the network's weights do not fit.
  @Test func weightsComeFromWhereAllOfThemFit() throws {
    var section = uncached(peak: 1e12, memory: 4)
    section.machine.l2Bytes = 1 << 19
    section.ceilings[0].l2GigabytesPerSecond = 4e6
    // 309 KB of weights fit, and the 206 KB that a layer's operands take at most.
    let held = try #require(NetworkFloor(Self.workload(Self.resnet8), in: section))
    #expect(held.nanoseconds < 1)
    section.machine.l2Bytes = 1 << 18
    let found = try #require(NetworkFloor(Self.workload(Self.resnet8), in: section))
    let weights = try #require(found.layers.first { $0.name == "layer3.0.conv2" })
    #expect(abs(weights.nanoseconds / 36_864 - 1) < 1e-6)
    #expect(try #require(found.layers.first { $0.name == "avgpool" }).nanoseconds < 1)
  }

  @Test(arguments: [
    ("resnet n1c3h32w32 archcifar_resnet8", "training_step", 1), (SampleBenchmark.problem, "inference", 1),
  ])
  func nothingIsSaidOfOtherWork(problem: String, pass: String, threads: Int) {
    let workload = Self.workload(problem, pass: pass, threads: threads)
    #expect(NetworkFloor(workload, in: uncached(peak: 1, memory: 1)) == nil)
  }

  @Test func nothingIsSaidWithoutCeilings() {
    #expect(NetworkFloor(Self.workload(Self.resnet8, threads: 2), in: uncached(peak: 1, memory: 1)) == nil)
  }

  /// The limit stands beside the times, and each step of a run has its layer's part of it.
  @Test func workloadsAndStepsHaveTheirLimits() throws {
    var section = SampleBenchmark.networks()
    BenchmarkAnalysis.complete(&section)
    for workload in section.workloads {
      let floor = try #require(NetworkFloor(workload, in: section))
      #expect(workload.limitNanoseconds == floor.nanoseconds && workload.limitAlgorithm == NetworkFloor.algorithm)
      let layers = try #require(workload.contestant("execution")?.layers)
      let sum = layers.compactMap(\.limitNanoseconds).reduce(0, +)
      #expect(abs(sum / floor.nanoseconds - 1) < 1e-12)
      #expect(layers.first?.limitNanoseconds == nil, "images are packed by choice")
    }
  }
}

/// The least time of operations on their own.
@Suite struct OperationFloorTests {
  private static func limited(
    _ problem: String, pass: String = "forward", flops: Double = 0, bytes: Double
  ) -> BenchmarkWorkload {
    var section = uncached(peak: 100, memory: 10)
    section.workloads = [
      BenchmarkWorkload(
        name: problem, operation: String(problem.prefix { $0 != " " }), problem: problem, batch: 1, pass: pass,
        layout: "nchw", threads: 1, flops: flops, compulsoryBytes: bytes)
    ]
    BenchmarkAnalysis.complete(&section)
    return section.workloads[0]
  }

  @Test func whatComputesNothingIsLimitedByMemory() {
    let workload = Self.limited("relu n1c2h3w4", bytes: 192)
    #expect(workload.limitNanoseconds == 19.2)
    #expect(workload.limitText == "memory, definition")
  }

  @Test func productsAreLimitedByThePeak() {
    let workload = Self.limited("linear n64c64 k64", flops: 524_288, bytes: 49_408)
    #expect(workload.limitNanoseconds == 5_242.88)
    #expect(workload.limitedBy == "compute")
  }

  /// Winograd may be below the definition's products, and is not known for passes that are none of a convolution's three.
  @Test func aConvolutionHasNoOtherLimitThanItsOwn() {
    let workload = Self.limited("conv2d n1c8h8w8 k8r3s3 stride1 pad1", pass: "inference", flops: 1e6, bytes: 1)
    #expect(workload.limitNanoseconds == nil)
  }

  /// A block's convolutions may be Winograd's, below what the definition's products would take.
  @Test func aBlockIsLimitedLayerByLayer() throws {
    let workload = Self.limited("basic_block n1c64h28w28 k64", flops: 115_605_504, bytes: 1)
    #expect(workload.limitText == "compute, layer by layer")
    #expect(try #require(workload.limitNanoseconds) < 115_605_504 / 100)
  }

  /// Otherwise a table would have a rate of nothing.
  @Test func whatHasNoProductsHasNoShareOfThePeak() throws {
    var section = SampleBenchmark.section()
    section.workloads[0].flops = 0
    BenchmarkAnalysis.complete(&section)
    let time = try #require(section.workloads[0].contestants[0].time)
    #expect(time.peakFraction == nil && time.equivalentGigaflops == 0)
  }
}
