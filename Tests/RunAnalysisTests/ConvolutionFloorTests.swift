import Operations
import Problems
import Results
import RunAnalysis
import TestSupport
import Testing

/// The least work and the least time of a convolution, against counts made here by hand or one by one.
@Suite struct ConvolutionFloorTests {
  private static func workload(
    _ problem: String, pass: String = "forward", threads: Int = 1, sets: Int? = nil
  ) -> BenchmarkWorkload {
    var workload = BenchmarkWorkload(
      name: "\(problem) \(pass)", operation: "conv2d", problem: problem, batch: 1, pass: pass, layout: "nchw",
      threads: threads, flops: 1, compulsoryBytes: 1)
    workload.sets = sets
    return workload
  }

  /// A machine with 100 GF/s, L2 of 1 MiB at 64 GB/s, L3 of 32 MiB at 32 GB/s and memory at 16 GB/s.
  private static func section(dtype: String = "float32", change: (inout BenchmarkSection) -> Void = { _ in })
    -> BenchmarkSection
  {
    var section = SampleBenchmark.section()
    section.options.dtype = dtype
    section.machine.l1DataBytes = 32 << 10
    section.machine.l2Bytes = 1 << 20
    section.machine.l3Bytes = 32 << 20
    section.ceilings = [
      CeilingRecord(
        threads: 1, peakGigaflops: 100, l2GigabytesPerSecond: 64, l3GigabytesPerSecond: 32,
        memoryGigabytesPerSecond: 16, frozenConvolutionNanoseconds: 1)
    ]
    change(&section)
    return section
  }

  private static func cost(_ problem: String, _ pass: String, _ algorithm: String) throws -> ConvolutionWork.Cost? {
    try #require(ConvolutionWork(workload(problem, pass: pass))).costs.first { $0.algorithm == algorithm }
  }

  /// By hand, from the matrices with points 0, ±1, ±2, ±½. In two dimensions F(2×2) comes to Lavin and Gray's 32 and 24.
  @Test(arguments: [(2, 4.0, 4.0, 2.0, 6.0), (4, 19, 13, 11, 15), (6, 38, 30, 28, 22)])
  func transformsInOneDimension(
    tile: Int, input: Double, output: Double, cotangent: Double, weightGradient: Double
  ) throws {
    let flops = try #require(WinogradTransformFlops.all.first { $0.tile == tile })
    #expect(flops.input == input && flops.output == output)
    #expect(flops.cotangent == cotangent && flops.weightGradient == weightGradient)
    if tile == 2 { #expect(8 * flops.input == 32 && 6 * flops.output == 24) }
  }

  /// Products and inputs counted one by one, with strides, dilation, padding, groups and kernels larger than the image.
  @Test(arguments: [
    "conv2d n2c3h7w9 k4r3s3 stride1 pad1", "conv2d n1c4h8w8 k4r1s1 stride2 pad0",
    "conv2d n1c4h9w6 k6r3s3 stride2 pad1 groups2", "conv2d n1c2h11w11 k2r3s5 stride3 pad2 dilation2",
    "conv2d n1c1h3w3 k1r5s5 stride1 pad2", "conv2d n1c2h12w12 k2r3s3 stride4 pad0 dilation2",
  ])
  func directWorkAgainstCounting(text: String) throws {
    let problem = try #require(try Problem.parse(text) as? Conv2dProblem)
    func axis(_ direction: KeyPath<Pair, Int>) -> (taps: Int, inputs: Set<Int>) {
      var (taps, inputs) = (0, Set<Int>())
      for output in 0..<problem.outputSize[keyPath: direction] {
        for tap in 0..<problem.kernelSize[keyPath: direction] {
          let place =
            output * problem.stride[keyPath: direction] + tap * problem.dilation[keyPath: direction]
            - problem.paddingBefore[keyPath: direction]
          guard (0..<problem.inputSize[keyPath: direction]).contains(place) else { continue }
          taps += 1
          inputs.insert(place)
        }
      }
      return (taps, inputs)
    }
    let (rows, columns) = (axis(\.height), axis(\.width))
    let pairs = problem.outputChannels * problem.inputChannels / problem.groups
    let work = try #require(ConvolutionWork(Self.workload(text)))
    #expect(work.costs[0].algorithm == "direct")
    #expect(work.costs[0].flops == Double(2 * problem.batch * pairs * rows.taps * columns.taps))
    let read = problem.batch * problem.inputChannels * rows.inputs.count * columns.inputs.count
    #expect(work.moved(weights: 0) == Double(read + problem.outputShape.count))
    // The input's gradient is written where no tap met it, too.
    let backward = try #require(ConvolutionWork(Self.workload(text, pass: "backward_data")))
    #expect(backward.moved(weights: 0) == Double(problem.inputShape.count + problem.outputShape.count))
  }

  /// Of one tile and channel: products with 64 filters, input's transform, output's or cotangent's. 56 rows are 28, 14 and
  /// 10 tiles.
  @Test(
    arguments: [
      ("forward", "winograd2", 28, [2 * 16 * 64, 8 * 4, 6 * 4], 16),
      ("forward", "winograd4", 14, [2 * 36 * 64, 12 * 19, 10 * 13], 36),
      ("forward", "winograd6", 10, [2 * 64 * 64, 16 * 38, 14 * 30], 64),
      ("backward_data", "winograd4", 14, [2 * 36 * 64, 12 * 19, 10 * 13], 36),
      ("backward_weight", "winograd4", 14, [2 * 36 * 64, 12 * 19, 10 * 11], 9),
    ] as [(String, String, Int, [Int], Int)])
  func winogradsWork(pass: String, algorithm: String, tiles: Int, ofTile: [Int], weights: Int) throws {
    let cost = try #require(try Self.cost(SampleBenchmark.problem, pass, algorithm))
    // The weights' gradient is transformed back once for each of the 64² filters.
    let once = pass == "backward_weight" ? 4_096 * 9 * 15 : 0
    #expect(cost.flops == Double(64 * tiles * tiles * ofTile.reduce(0, +) + once))
    #expect(cost.weights == Double(weights * 4_096))
  }

  @Test(
    arguments: [
      ("conv2d n1c64h56w56 k64r3s3 stride1 pad1", ["direct", "winograd2", "winograd4", "winograd6"]),
      ("conv2d n1c64h56w56 k64r3s3 stride1 pad1 groups4", ["direct", "winograd2", "winograd4", "winograd6"]),
      ("conv2d n1c64h56w56 k64r3s3 stride2 pad1", ["direct"]),
      ("conv2d n1c64h56w56 k64r3s3 stride1 pad2 dilation2", ["direct"]),
      ("conv2d n1c64h56w56 k64r5s5 stride1 pad2", ["direct"]),
      ("conv2d n1c512h28w28 k512r1s1 stride1 pad0", ["direct", "strassen1"]),
      ("conv2d n1c511h28w28 k512r1s1 stride1 pad0", ["direct"]),
      ("conv2d n1c512h22w22 k512r1s1 stride1 pad0", ["direct"]),
      ("conv2d n8c512h14w14 k512r3s3 stride1 pad1", ["direct", "winograd2", "winograd4", "winograd6", "strassen1"]),
      ("conv2d n8c512h14w14 k512r3s3 stride1 pad1 groups2", ["direct", "winograd2", "winograd4", "winograd6"]),
    ])
  func eligibility(problem: String, algorithms: [String]) throws {
    for pass in ["forward", "backward_data", "backward_weight"] {
      #expect(try #require(ConvolutionWork(Self.workload(problem, pass: pass))).costs.map(\.algorithm) == algorithms)
    }
  }

  /// Seven products of halves, and additions of quarters: of the operands that are not prepared, and of the result.
  @Test(
    arguments: [
      ("forward", 401_408, 702_464), ("backward_data", 401_408, 702_464), ("backward_weight", 802_816, 458_752),
    ])
  func strassensWork(pass: String, operands: Int, result: Int) throws {
    let problem = "conv2d n1c512h28w28 k512r1s1 stride1 pad0"
    let cost = try #require(try Self.cost(problem, pass, "strassen1"))
    let products = 7 * 392 * 256 * 256
    #expect(cost.flops == Double(2 * products + operands + result))
    // Of prepared weights seven sums of quarters are read.
    #expect(cost.weights == (pass == "backward_weight" ? 262_144 : 458_752))
  }

  /// Groups are convolutions of their own, next to each other.
  @Test(arguments: ["forward", "backward_data", "backward_weight"])
  func groupsAreConvolutionsOfTheirOwn(pass: String) throws {
    let whole = try #require(ConvolutionWork(Self.workload("conv2d n2c12h9w9 k8r3s3 stride1 pad1 groups4", pass: pass)))
    let part = try #require(ConvolutionWork(Self.workload("conv2d n2c3h9w9 k2r3s3 stride1 pad1", pass: pass)))
    for (all, one) in zip(whole.costs, part.costs) {
      #expect(all.algorithm == one.algorithm && all.flops == 4 * one.flops && all.weights == 4 * one.weights)
    }
    #expect(whole.moved(weights: 0) == 4 * part.moved(weights: 0))
  }

  /// Bytes decide as well as flops: at 7×7 the weights of F(4×4) take longer to read than F(2×2) takes to compute.
  @Test(
    arguments: [
      ("conv2d n1c64h56w56 k64r3s3 stride1 pad1", "winograd6", "compute", 590_080.0),
      // 16 tiles of (2·16·512² + 512·8·4 + 512·6·4) flops; F(4×4) would read 36·512² weights at 16 GB/s, 2.37 ms.
      ("conv2d n1c512h7w7 k512r3s3 stride1 pad1", "winograd2", "compute", 1_346_764.8),
      // 4·(16·56² + 16 + 16·56²) bytes, which the second-level cache holds.
      ("conv2d n1c16h56w56 k16r1s1 stride1 pad0 groups16", "direct", "memory", 6_273),
    ])
  func leastOfAllAlgorithms(problem: String, algorithm: String, by: String, nanoseconds: Double) throws {
    let floor = try #require(ConvolutionFloor(Self.workload(problem), in: Self.section()))
    #expect(floor.algorithm == algorithm && floor.limitedBy == by)
    #expect(abs(floor.nanoseconds / nanoseconds - 1) < 1e-12, "\(floor.nanoseconds)")
  }

  /// Each set of 401,408 bytes has addresses of its own: two and the weights fit the second-level cache, three the third.
  @Test(arguments: [(nil, 64.0), (1, 64), (2, 64), (3, 32), (83, 32), (84, 16)] as [(Int?, Double)])
  func setsAreHeldByTheirOwnMemory(sets: Int?, rate: Double) throws {
    let workload = Self.workload("conv2d n1c16h56w56 k16r1s1 stride1 pad0", sets: sets)
    let section = Self.section { $0.ceilings[0].peakGigaflops = 1e9 }
    let floor = try #require(ConvolutionFloor(workload, in: section))
    #expect(floor.limitedBy == "memory" && floor.nanoseconds == 402_432 / rate)
  }

  /// A weight gradient is a result, of which each set has its own.
  @Test func resultsRotateAndWeightsDoNot() throws {
    let problem = "conv2d n1c16h8w8 k8r1s1 stride1 pad0"
    let (x, y, weights) = (16.0 * 64, 8.0 * 64, 128.0)
    for (pass, expected) in [
      ("forward", 5 * (x + y) + weights), ("backward_data", 5 * (x + y) + weights),
      ("backward_weight", 5 * (x + y + weights)),
    ] {
      let work = try #require(ConvolutionWork(Self.workload(problem, pass: pass)))
      #expect(work.footprint(sets: 5, weights: weights) == expected)
    }
  }

  /// Elements have the bytes of their type.
  @Test(arguments: [("float64", 8.0), ("float32", 4), ("float16", 2), ("bfloat16", 2)])
  func bytesAreOfTheType(dtype: String, size: Double) throws {
    let workload = Self.workload("conv2d n1c16h20w20 k16r1s1 stride1 pad0")
    let section = Self.section(dtype: dtype) { $0.ceilings[0].peakGigaflops = 1e9 }
    let floor = try #require(ConvolutionFloor(workload, in: section))
    #expect(floor.nanoseconds == size * (2 * 16 * 400 + 256) / 64)
  }

  @Test(
    arguments: [
      (0, "conv2d n1c16h56w56 k16r1s1 stride1 pad0", "inference", 1), (1, "relu n1c1", "forward", 1),
      (2, "no problem", "forward", 1), (3, "conv2d n1c16h56w56 k16r1s1 stride1 pad0", "forward", 2),
    ])
  func nothingIsSaidOfWhatIsNotKnown(_: Int, problem: String, pass: String, threads: Int) {
    #expect(ConvolutionFloor(Self.workload(problem, pass: pass, threads: threads), in: Self.section()) == nil)
  }

  private static func impossible(
    _ problem: String = SampleBenchmark.problem, pass: String = "forward", threads: Int = 1, sets: Int? = nil,
    dtype: String = "float32", change: (inout BenchmarkSection) -> Void = { _ in }
  ) throws -> Double {
    let workload = workload(problem, pass: pass, threads: threads, sets: sets)
    return try #require(ConvolutionFloor.impossibleNanoseconds(workload, in: section(dtype: dtype, change: change)))
  }

  /// Never above half of the limit, whatever the workload is.
  @Test(
    arguments: [
      "conv2d n1c64h56w56 k64r3s3 stride1 pad1", "conv2d n1c512h7w7 k512r3s3 stride1 pad1",
      "conv2d n8c512h14w14 k512r1s1 stride1 pad0", "conv2d n1c3h224w224 k64r7s7 stride2 pad3",
      "conv2d n1c16h56w56 k16r3s3 stride1 pad1 groups16", "conv2d n1c1h1w1 k1r1s1 stride1 pad0",
    ], [1, 8, 64])
  func impossibleIsFarBelowTheLimit(problem: String, sets: Int) throws {
    for pass in ["forward", "backward_data", "backward_weight"] {
      let limit = try #require(ConvolutionFloor(Self.workload(problem, pass: pass, sets: sets), in: Self.section()))
      let impossible = try Self.impossible(problem, pass: pass, sets: sets)
      #expect(impossible > 0 && impossible <= limit.nanoseconds / 2)
    }
  }

  @Test func impossibleIsHalfOfTheLeastFloor() throws {
    #expect(try Self.impossible() == 295_040)
    // The highest peak of the run, as if it grew with threads.
    let faster = CeilingRecord(
      threads: 2, peakGigaflops: 236, l2GigabytesPerSecond: 64, l3GigabytesPerSecond: 32, memoryGigabytesPerSecond: 16,
      frozenConvolutionNanoseconds: 1)
    #expect(try Self.impossible { $0.ceilings.append(faster) } == 29_504_000 / 236)
    #expect(try Self.impossible(threads: 4) == 295_040 / 4)
    #expect(try Self.impossible(threads: 4) { $0.ceilings.append(faster) } == 29_504_000 / 472)
  }

  /// 402,432 bytes: two of the first-level cache's size are too few, and of a larger one half is enough.
  @Test(
    arguments: [
      (1 << 18, 1 << 20, 32 << 20, nil), (32 << 10, 1 << 20, 32 << 20, 64.0), (nil, 1 << 20, 32 << 20, nil),
      (32 << 10, nil, 32 << 20, 64), (32 << 10, 1 << 17, 32 << 20, 32), (32 << 10, 1 << 17, 1 << 17, 16),
      (32 << 10, 1 << 17, nil, 16), (32 << 10, 201_216, nil, 64),
    ] as [(Int?, Int?, Int?, Double?)])
  func bytesAreHeldByTheFasterCacheInDoubt(l1: Int?, l2: Int?, l3: Int?, rate: Double?) throws {
    let found = try Self.impossible("conv2d n1c16h56w56 k16r1s1 stride1 pad0") {
      $0.machine.l1DataBytes = l1
      $0.machine.l2Bytes = l2
      $0.machine.l3Bytes = l3
      $0.ceilings[0].peakGigaflops = 1e9
    }
    // Without a rate the 256·3,136 multiply-adds are left.
    let expected = rate.map { 201_216 / $0 } ?? 802_816 / 1e9
    #expect(found == expected)
  }

  /// What units of 16 bits can do is not measured.
  @Test(arguments: [("float32", 295_040.0), ("float64", 295_040), ("bfloat16", 0), ("float16", 0)])
  func arithmeticOfSixteenBitsHasNoFloor(dtype: String, nanoseconds: Double) throws {
    #expect(try Self.impossible(dtype: dtype) { $0.machine.l1DataBytes = nil } == nanoseconds)
  }
}
