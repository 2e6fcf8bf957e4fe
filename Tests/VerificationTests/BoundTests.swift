import Engines
import Operations
import Problems
import Tensors
import Testing
import Verification

/// The bounds against the sums that they are defined by, and against what they must tell apart.
@Suite struct BoundTests {
  private func model(_ text: String, _ wanted: Set<String>, seed: UInt64 = 3) throws -> (Exercise, any BoundModel) {
    var exercise = try RandomExercise.of(text, seed: seed).exercise
    exercise.wanted = wanted
    return (exercise, try model(exercise))
  }

  private func model(_ exercise: Exercise, algorithms: Set<SumAlgorithm> = []) throws -> any BoundModel {
    let definition = try #require(try OperationRegistry.operation(of: exercise))
    return try #require(definition.bounds(of: definition.given(exercise), values: nil, algorithms: algorithms))
  }

  /// |w| ∗ |x| and the like by the reference itself, on changed operands.
  private func sums(_ exercise: Exercise, _ change: (Double) -> Double) throws -> Answer {
    func changed(_ tensors: [String: AnyTensor]) -> [String: AnyTensor] {
      tensors.mapValues { .float64($0.doubles.map(change)) }
    }
    var changedExercise = exercise
    changedExercise.dtype = .float64
    changedExercise.inputs = changed(exercise.inputs)
    changedExercise.parameters = changed(exercise.parameters)
    changedExercise.upstream = changed(exercise.upstream)
    return try ReferenceEngine().compute(changedExercise)
  }

  /// All products with one factor err alike once they are stored in 16 bits: a linear layer of one feature is no sample of errors.
  @Test(arguments: [
    ("linear n3c1 k2049 nobias", ["gradients/x", "gradients/weight"]),
    ("linear n3c1 k2049", ["outputs/y", "gradients/x", "gradients/weight"]),
    ("conv2d n2c2h6w5 k2r1s1 stride1 pad0 groups2", ["gradients/weight"]),
    ("conv_transpose2d n2c2h6w5 k2r1s1 stride1 pad0 groups2", ["gradients/weight"]),
    ("avg_pool2d n2c3h6w5 kernel2 stride2 pad0", ["outputs/y"]),
  ])
  func `sums are judged as a whole, and single products are not`(text: String, judged: [String]) throws {
    let paths = ["outputs/y", "gradients/x", "gradients/weight"]
    let (_, model) = try model(text, Set(paths))
    #expect(paths.filter { model.spread(of: $0) != nil }.sorted() == judged.sorted())
  }

  @Test(arguments: [
    ("conv2d n2c3h7w6 k4r3s2 stride2x1 pad1 bias", 19, 8, 2 * 4 * 7, 2 * 4 * 7),
    ("conv2d n1c4h9w8 k6r2s3 stride1 pad2x1 dilation2x1 groups2", 12, 18, 11 * 8, 0),
    ("linear n5c7 k3", 8, 3, 5, 5),
  ])
  func `sums of products`(_ text: String, forward: Int, dInput: Int, dWeight: Int, dBias: Int) throws {
    let terms = [
      "outputs/y": forward, "gradients/x": dInput == 8 ? 4 * 6 : dInput, "gradients/weight": dWeight,
      "gradients/bias": dBias,
    ].filter { $0.value > 0 }
    let (exercise, model) = try model(text, Set(terms.keys))
    let magnitudes = try sums(exercise, abs)
    let values = try sums(exercise) { $0 }
    let squares = try sums(exercise) { $0 * $0 }
    let u = 0x1p-24
    for (path, count) in terms {
      let bounds = try #require(model.bounds(of: path, in: .float32))
      let magnitude = try #require(magnitudes[path]).doubles.elements
      let value = try #require(values[path]).doubles.elements
      let square = try #require(squares[path]).doubles.elements
      #expect(bounds.rigorous.count == value.count)
      let k = Double(count)
      for i in value.indices {
        let rigorous = k * u / (1 - k * u) * magnitude[i] + k * 0x1p-150
        #expect(abs(bounds.rigorous[i] - rigorous) <= 1e-9 * rigorous, "\(path) \(i)")
        let scale = max(square[i], value[i] * value[i])
        let statistical = 8 * u * (k * scale).squareRoot() + u * abs(value[i]) + k * 0x1p-150
        #expect(abs((bounds.statistical?[i] ?? 0) - statistical) <= 1e-9 * statistical, "\(path) \(i)")
      }
    }
  }

  @Test func `NaN in the data is NaN in the bound, there alone`() throws {
    var exercise = try RandomExercise.of("conv2d n1c1h5w5 k1r3s3 stride1 pad0").exercise
    exercise.inputs["x"] = exercise.inputs["x"]?.edited { $0[0] = .nan }
    let bounds = try #require(try model(exercise).bounds(of: "outputs/y", in: .float32)).tightest
    #expect(bounds[0].isNaN)
    #expect(bounds.dropFirst().allSatisfy { $0.isFinite })
  }

  @Test func `padding does not widen the bound`() throws {
    let (_, model) = try model("conv2d n1c1h3w3 k1r3s3 stride3 pad6", ["outputs/y"])
    let bounds = try #require(model.bounds(of: "outputs/y", in: .float32)).tightest
    // The first window covers padding alone: nothing but zeros is added up.
    #expect(bounds[0] <= 9 * 0x1p-150)
  }

  @Test func `batch norm: a missing eps is seen`() throws {
    let item = try VerificationCase.random("batch_norm2d n4c3h8w8 training eps0.001")
    let noEps = WrongEngine { exercise, answer in
      var changed = exercise
      changed.attributes["eps"] = .real(0)
      answer = try ReferenceEngine().compute(changed)
    }
    #expect(CaseVerifier(item).verify(noEps, dtype: .float32).status == .fail)
    #expect(CaseVerifier(item).verify(ReferenceEngine(), dtype: .float32).status == .pass)
  }

  @Test func `batch norm: E[x²] − E[x]² is seen where the mean is large, two passes pass`() throws {
    let random = try RandomExercise.of(
      "batch_norm2d n2c1h8w8 training noaffine norunning", seed: 5, range: .init(9_999, 10_001))
    let golden = try random.goldenCase(oracle: ReferenceEngine(), fill: .adversarial)
    let verifier = CaseVerifier(VerificationCase(file: "test", oracle: .float64, golden: golden))
    let onePass = WrongEngine { exercise, answer in
      let x = exercise.inputs["x"]?.floating(as: Float.self)?.elements ?? []
      let mean = x.reduce(0, +) / Float(x.count)
      let variance = x.reduce(0) { $0 + $1 * $1 } / Float(x.count) - mean * mean
      let scale = 1 / (variance + 1e-5).squareRoot()
      answer.outputs["y"] = answer.outputs["y"]?.edited { y in for i in y.indices { y[i] = (x[i] - mean) * scale } }
    }
    #expect(verifier.verify(onePass, dtype: .float32).status == .fail)
    #expect(verifier.verify(ReferenceEngine(), dtype: .float32).status == .pass)
  }

  @Test func `Winograd's bound is used where an engine says so`() throws {
    var exercise = try RandomExercise.of("conv2d n1c8h6w6 k4r3s3 stride1 pad1").exercise
    exercise.wanted = ["outputs/y"]
    func bounds(_ names: String...) throws -> [Double] {
      let model = try model(exercise, algorithms: Set(names.map { SumAlgorithm(named: $0) }))
      return try #require(model.bounds(of: "outputs/y", in: .float32)).tightest
    }
    let (direct, winograd, either) = (
      try bounds("direct"), try bounds("winograd4"), try bounds("winograd4", "direct")
    )
    #expect(direct != winograd)
    for i in direct.indices { #expect(either[i] >= max(direct[i], winograd[i]) * (1 - 1e-12)) }
  }

  @Test(arguments: DType.narrow) func `a small calibration in 16 bits raises no alarm`(dtype: DType) async throws {
    let records = try await Calibration(engine: NarrowEngine(), dtype: dtype, elementsPerOperation: 5_000).run()
    #expect(records.contains { $0.operation == "conv2d" && $0.tensor == "gradients/weight" })
    for record in records {
      #expect(record.dtype == dtype.rawValue)
      #expect(record.rigorousAlarms == 0, "\(record)")
      #expect(record.decisiveAlarms == 0, "\(record)")
    }
  }

  @Test func `a small calibration raises no alarm`() async throws {
    let records = try await Calibration(engine: ReferenceEngine(), elementsPerOperation: 20_000).run()
    #expect(records.contains { $0.operation == "conv2d" && $0.tensor == "gradients/weight" })
    for record in records {
      #expect(record.rigorousAlarms == 0, "\(record)")
      #expect(record.decisiveAlarms == 0, "\(record)")
      guard let spread = record.spread else { continue }
      #expect(spread.worst <= 1 && spread.meanSquare <= 1 && spread.tensors > 0, "\(record)")
    }
    let sums = try #require(records.first { $0.operation == "conv2d" && $0.tensor == "outputs/y" }?.spread)
    // One accumulator is the worst order there is, and uses about a quarter of what any may.
    #expect((0.1...0.5).contains(sums.meanSquare) && sums.assumedCommon == 0, "\(sums)")
  }

  @Test func `what an engine does not compute is left out of its calibration`() async throws {
    let forward = WrongEngine(isBuiltIn: true, operations: ["linear"], passes: [.forward])
    let records = try await Calibration(engine: forward, elementsPerOperation: 5_000).run()
    #expect(records.map(\.tensor) == ["outputs/y"] && records.first?.operation == "linear")
  }
}
