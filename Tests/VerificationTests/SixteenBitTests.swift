import Engines
import GoldenFiles
import Operations
import Problems
import Tensors
import Testing
import Verification

/// Types of 16 bits: what is expected, how far off it may be, and where infinity is right.
@Suite struct SixteenBitTests {
  @Test(
    arguments: [
      "conv2d n2c3h7w6 k4r3s3 stride1 pad1 bias", "linear n3c20 k5", "batch_norm2d n3c4h5w6 training",
      "batch_norm2d n3c4h5w6", "relu n2c3h4w5", "softmax n3c11", "log_softmax n3c11",
      "cross_entropy n4c7 weighted smoothing0.1", "max_pool2d n2c3h8w7 kernel3 stride2 pad1",
      "avg_pool2d n2c3h8w7 kernel3 stride2 pad1", "adaptive_avg_pool2d n2c3h7w8 output3",
      "upsample2d n1c2h5w4 modebilinear scale2.0", "add n2c3h4w5", "adam_step n3c4 t5",
      "basic_block n2c4h6w5 k6 projection stride2 training",
    ], DType.narrow)
  func `float32 inside and one rounding pass`(problem: String, dtype: DType) throws {
    let result = CaseVerifier(try .random(problem)).verify(NarrowEngine(), dtype: dtype)
    #expect(result.status == .pass, "\(result.message)")
    #expect(!result.tensors.isEmpty)
  }

  @Test(arguments: DType.narrow) func `an answer in another type is wrong`(dtype: DType) throws {
    let other: DType = dtype == .float16 ? .bfloat16 : .float16
    for wrong in [other, .float32, .float64] {
      let engine = NarrowEngine { answer, _ in answer.outputs["y"] = answer.outputs["y"]?.converted(to: wrong) }
      let result = CaseVerifier(try .random("relu n2c3h4w5")).verify(engine, dtype: dtype)
      #expect(result.status == .fail)
      #expect(result.message.contains("dtype \(wrong.rawValue), expected \(dtype.rawValue)"), "\(result.message)")
    }
  }

  @Test func `what is learnt or kept stays float32`() throws {
    let random = try RandomExercise.of("batch_norm2d n2c3h4w5 training")
    var exercise = random.exercise
    exercise.singles = try #require(try OperationRegistry.operation(of: exercise)).staysSingle
    let narrow = exercise.converted(to: .bfloat16)
    #expect(narrow.inputs["x"]?.dtype == .bfloat16 && narrow.upstream["y"]?.dtype == .bfloat16)
    #expect(narrow.parameters == exercise.parameters && narrow.buffers == exercise.buffers)
    #expect(narrow.wantedType(of: "outputs/y") == .bfloat16)
    #expect(narrow.wantedType(of: "gradients/x") == .bfloat16)
    for path in ["gradients/weight", "gradients/bias", "buffers_after/running_mean"] {
      #expect(narrow.wantedType(of: path) == .float32)
      #expect(exercise.wantedType(of: path) == .float32)
    }
  }

  // MARK: Allowances

  private struct Sums: BoundModel {
    var error = 0x1p-20
    var exact = true
    func isExact(_ path: String) -> Bool { exact }
    func spread(of path: String) -> ErrorSpread? { nil }
    func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
      ElementBounds(rigorous: [error * rounding.unit / Rounding.float32.unit])
    }
  }

  private func judge(
    _ got: Double, _ expected: Double, _ dtype: DType, fill: Fill, accumulate: DType = .float32, model: Sums = Sums()
  ) throws -> Bool {
    let tensor = ExpectedTensor(.float64(Tensor(shape: [1], elements: [expected])))
    let rules = AllowanceRules(fill: fill, candidate: dtype, oracle: .float64, accumulate: accumulate)
    let allowance = try #require(rules.allowance(for: "outputs/y", expected: tensor, model: model))
    return TensorComparison(path: "outputs/y", expected: tensor, allowance: allowance, dtype: dtype)
      .compare(.packed(PackedTensor(dtype, rounding: Tensor(shape: [1], elements: [got])))).passes
  }

  @Test func `an exact sum is rounded once, ties to even`() throws {
    // 2049 and 2051 lie midway between neighbours of float16, 257 and 259 between those of bfloat16.
    for (dtype, sum, even, odd) in [
      (DType.float16, 2049.0, 2048.0, 2050.0), (.float16, 2051, 2052, 2050), (.bfloat16, 257, 256, 258),
      (.bfloat16, -259, -260, -258),
    ] {
      #expect(try judge(even, sum, dtype, fill: .exact))
      #expect(try !judge(odd, sum, dtype, fill: .exact))
    }
  }

  @Test(arguments: DType.narrow) func `sums in 16 bits where they are declared have a wider bound`(dtype: DType) throws
  {
    let (even, next) = dtype == .float16 ? (2048.0, 2050.0) : (256, 258)
    let model = Sums(error: 0x1p-13 * even)
    #expect(try judge(next, even + 1, dtype, fill: .exact, accumulate: dtype, model: model))
    #expect(try !judge(next, even + 1, dtype, fill: .exact, model: model))
  }

  @Test(arguments: DType.narrow) func `half a spacing for storing, and the sums' bound`(dtype: DType) throws {
    let spacing = try #require(dtype.format).spacing(at: 1)
    let model = Sums(error: 0x1p-20, exact: false)
    #expect(try judge(1, 1 + spacing / 2, dtype, fill: .adversarial, model: model))
    #expect(try judge(1, 1 + spacing / 2 + 0x1p-21, dtype, fill: .adversarial, model: model))
    #expect(try !judge(1, 1 + spacing * 0.6, dtype, fill: .adversarial, model: model))
  }

  /// float16: 65504 is the largest value, and 65520 the least that rounds to infinity.
  @Test func `infinity is right from the threshold on`() throws {
    let model = Sums(error: 1, exact: false)
    func right(_ got: Double, _ expected: Double) throws -> Bool {
      try judge(got, expected, .float16, fill: .adversarial, model: model)
    }
    // The bound is 1 + 2⁻¹¹·65487 = 32.98, so that 65487 is the first integer that may have overflowed.
    #expect(try right(.infinity, 65_488) && right(65_504, 65_488))
    #expect(try !right(.infinity, 65_486) && right(65_472, 65_486))
    // Below the threshold by more than the bound and beyond it by more.
    #expect(try right(.infinity, 65_560) && !right(65_504, 65_560))
    #expect(try !right(-.infinity, 65_560))
    #expect(try right(-.infinity, -70_000))
    // Where nothing but the last rounding rounds, the threshold itself decides.
    #expect(try judge(.infinity, 65_520, .float16, fill: .exact))
    #expect(try !judge(.infinity, 65_519, .float16, fill: .exact))
    #expect(try judge(65_504, 65_519, .float16, fill: .exact) && !judge(65_504, 65_520, .float16, fill: .exact))
  }
}
