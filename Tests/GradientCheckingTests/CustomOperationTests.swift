import Engines
import GoldenFiles
import GradientChecking
import Problems
import Results
import Tensors
import Testing

/// Operations that the reference does not have: an engine's gradients against its own forward pass.
@Suite struct CustomOperationTests {
  /// y = w·x³, and a backward pass that may be wrong.
  struct Cubic: Engine {
    var wrong = 0.0
    var dtypes: Set<DType> = [.float32, .float64]
    var description: EngineDescription {
      EngineDescription(name: "cubic", version: "1", operations: ["cubic"], dtypes: dtypes)
    }

    func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
      guard exercise.operation == "cubic" else { throw .unsupported("no operation \(exercise.operation)") }
      guard let x = exercise.inputs["x"]?.doubles, let w = exercise.parameters["w"]?.doubles.elements.first else {
        throw .failed("no x or w")
      }
      var answer = Answer(outputs: ["y": AnyTensor.float64(x.map { w * $0 * $0 * $0 }).converted(to: exercise.dtype)])
      guard let dy = exercise.upstream["y"]?.doubles else { return answer }
      let terms = zip(x.elements, dy.elements)
      let dx = terms.enumerated().map { 3 * w * $1.0 * $1.0 * $1.1 + ($0 == 2 ? wrong : 0) * $1.1 }
      let dw = terms.reduce(0) { $0 + $1.0 * $1.0 * $1.0 * $1.1 }
      for (name, gradient) in [
        ("x", Tensor(shape: x.shape, elements: dx)), ("w", Tensor(shape: [1], elements: [dw])),
      ] { answer.gradients[name] = AnyTensor.float64(gradient).converted(to: exercise.dtype) }
      return answer
    }

    func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
      throw .unsupported("not timed")
    }
  }

  private func golden(upstream: [Double]? = [1, -2, 1.5, 1]) -> GoldenCase {
    func tensor(_ values: [Double]) -> AnyTensor {
      .float32(Tensor(shape: [values.count], elements: values.map(Float.init)))
    }
    return GoldenCase(
      summary: GoldenCaseSummary(name: "/cubic/small", operation: "cubic"), inputs: ["x": tensor([0.5, -1, 2, 0.25])],
      parameters: ["w": tensor([1.5])], upstream: upstream.map { ["y": tensor($0)] } ?? [:])
  }

  @Test func aRightBackwardPassPasses() throws {
    let record = try #require(GoldenGradients(golden(), oracle: .float64)).record(
      of: Cubic(), dtype: .float64, options: .init())
    #expect(record.verdict == .pass, "\(GradientReport(record).text)")
    #expect(Set(record.tensors.map(\.tensor)) == ["w", "x"])
    #expect(record.tensors.allSatisfy { $0.method == .differences })
  }

  @Test(arguments: [DType.float64, .float32])
  func aWrongElementIsNamed(dtype: DType) throws {
    let record = try #require(GoldenGradients(golden(), oracle: .float64)).record(
      of: Cubic(wrong: 0.01), dtype: dtype, options: .init())
    #expect(record.verdict == .fail, "\(GradientReport(record).text)")
    #expect(record.tensors.first { $0.tensor == "x" }?.badElements.map(\.index) == [[2]])
  }

  @Test func anEngineWithoutItIsUnsupported() throws {
    let record = try #require(GoldenGradients(golden(), oracle: .float64)).record(
      of: ReferenceEngine(), dtype: .float64, options: .init())
    #expect(record.verdict == .unsupported, "\(GradientReport(record).text)")
  }

  @Test func withoutCotangentsThereIsAReason() {
    #expect(GoldenGradients(golden(upstream: nil), oracle: .float64) == nil)
    #expect(GoldenGradients.nothingToCheck(in: golden(upstream: nil))?.contains("upstream/") == true)
  }

  @Test func cotangentsOfZerosDecideNothing() throws {
    let gradients = try #require(GoldenGradients(golden(upstream: [0, 0, 0, 0]), oracle: .float64))
    for record in [
      gradients.storedRecord(options: .init()), gradients.record(of: Cubic(), dtype: .float64, options: .init()),
    ] {
      #expect(record.verdict == .inconclusive)
      #expect(record.reason?.contains("upstream/y") == true)
    }
  }
}
