import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Synchronization
import Tensors
import Testing
import Verification

/// An engine that declares itself deterministic is held to it, and what it answers with is not its own any more.
@Suite struct RepetitionTests {
  private static let problem = "conv2d n2c3h7w6 k4r3s3 stride1 pad1 bias"

  private func verify(_ engine: any Engine, _ item: VerificationCase? = nil) throws -> CaseResult {
    CaseVerifier(try item ?? .random(Self.problem)).verify(engine, dtype: .float32)
  }

  /// Other last bits each time, within every bound.
  private func restless(deterministic: Bool) -> CountingEngine {
    CountingEngine(deterministic: deterministic) { call, _, answer in
      answer.outputs["y"] = answer.outputs["y"].map { tensor in
        tensor.edited { if call.isMultiple(of: 2) { $0[9] = $0[9].nextUp } }
      }
    }
  }

  @Test func `other last bits are a failure of an engine that declares none`() throws {
    // Calls: one thread, two threads, another case, again.
    let result = try verify(
      CountingEngine { call, _, answer in
        if call == 4 { answer.outputs["y"] = answer.outputs["y"].map { $0.edited { $0[9] = $0[9].nextUp } } }
      })
    #expect(result.status == .fail && result.failingThreads == 2)
    #expect(
      result.message.hasPrefix("with 2 threads: declared deterministic, but outputs/y[0,0,1,3] was"),
      "\(result.message)")
    #expect(result.message.contains("(bits 0x"))
    #expect(try verify(restless(deterministic: false)).status == .pass)
  }

  @Test func `a NaN of another payload is another answer`() throws {
    var exercise = Exercise(
      name: "/relu/nan", operation: "relu", inputs: ["x": .float32(Tensor(shape: [2, 2], elements: [.nan, 1, -2, 3]))])
    exercise.passes = [.forward]
    let golden = GoldenCase(exercise, expected: try ReferenceEngine().compute(exercise.converted(to: .float64)))
    let item = VerificationCase(file: "test", oracle: .float64, golden: golden)
    #expect(try verify(CountingEngine { _, _, _ in }, item).status == .pass)
    let result = try verify(
      CountingEngine { call, _, answer in
        if call == 4 {
          answer.outputs["y"] = answer.outputs["y"].map { $0.edited { $0[0] = Float(bitPattern: 0x7FC0_0123) } }
        }
      }, item)
    #expect(result.status == .fail && result.message.contains("outputs/y[0,0] was nan"), "\(result.message)")
  }

  @Test func `an answer that is remembered by its operands' address is failed`() throws {
    let known = Mutex<[UInt: Answer]>([:])
    let result = try verify(
      CountingEngine { _, exercise, answer in
        guard case .float32(let x) = exercise.inputs["x"] else { return }
        let address = x.elements.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
        let (given, found) = (answer, known.withLock { $0[address] })
        if let found { answer = found } else { known.withLock { $0[address] = given } }
      })
    #expect(result.status == .fail)
    #expect(result.message.contains("other numbers were in the same memory"), "\(result.message)")
  }

  @Test func `an answer's buffer that the engine keeps and writes again is failed`() throws {
    let kept = Mutex<UInt>(0)
    let result = CaseVerifier(try .random(Self.problem)).verify(
      CountingEngine { call, _, answer in
        if call == 1, case .float32(var y) = answer.outputs.removeValue(forKey: "y") {
          let address = y.elements.withUnsafeMutableBufferPointer { UInt(bitPattern: $0.baseAddress) }
          kept.withLock { $0 = address }
          answer.outputs["y"] = .float32(y)
        } else if call == 2 {
          // The verifier still holds the first answer, so that this writes into it.
          UnsafeMutablePointer<Float>(bitPattern: kept.withLock { $0 })?[3] = 7
        }
      }, dtype: .float32, threads: [1])
    #expect(result.status == .fail)
    #expect(result.message.contains("changed outputs/y after it had answered with it"), "\(result.message)")
  }

  /// Answers that stay as they were when the operands are turned round are right here and there: a constant tensor, a ReLU that
  /// lets nothing through.
  @Test(arguments: [
    "conv2d n2c3h7w6 k4r3s3 stride1 pad1 bias", "relu n1c1h1w1", "identity n2c3h2w2", "batch_norm2d n3c4h5w6 training",
    "max_pool2d n2c3h8w7 kernel3 stride2 pad1", "cross_entropy n4c7 weighted smoothing0.1", "linear n3c20 k5",
    "adam_step n3c4 t5", "group_norm n3c4h5w6 groups2", "basic_block n2c4h6w5 k6 projection stride2 training",
  ])
  func `honest engines pass`(problem: String) throws {
    let result = try verify(CountingEngine { _, _, _ in }, .random(problem))
    #expect(result.status == .pass && result.threads == [1, 2], "\(result.message)")
  }

  @Test func `an answer that rightly does not change passes`() throws {
    var golden = try VerificationCase.random("relu n2c3h4w5").golden
    golden.inputs["x"] = golden.inputs["x"]?.edited { for i in $0.indices { $0[i] = -abs($0[i]) - 1 } }
    var exercise = golden.exercise
    exercise.passes = [.forward, .backward]
    let right = GoldenCase(exercise, expected: try ReferenceEngine().compute(exercise.converted(to: .float64)))
    let item = VerificationCase(file: "test", oracle: .float64, golden: right)
    let result = try verify(CountingEngine { _, _, _ in }, item)
    #expect(result.status == .pass, "\(result.message)")
  }

  @Test func `what an engine is asked names no case`() throws {
    let names = Mutex<Set<String>>([])
    let engine = CountingEngine { _, exercise, _ in names.withLock { _ = $0.insert(exercise.name) } }
    for problem in [Self.problem, "resnet n1c3h16w16 archcifar_resnet8 classes3"] {
      var golden = try VerificationCase.random(problem).golden
      golden.summary = GoldenCaseSummary(name: "/secret/name", operation: golden.operation, fill: .random)
      #expect(try verify(engine, VerificationCase(file: "secret.h5", oracle: .float64, golden: golden)).status == .pass)
    }
    #expect(names.withLock { $0 } == [Exercise.neutralName])
  }
}

/// The reference, whose answers may depend on how often it was asked.
private final class CountingEngine: Engine {
  let description: EngineDescription
  private let calls = Mutex(0)
  private let change: @Sendable (_ call: Int, Exercise, inout Answer) -> Void

  init(
    deterministic: Bool = true, change: @escaping @Sendable (_ call: Int, Exercise, inout Answer) -> Void
  ) {
    description = EngineDescription(name: "counting", version: "1", deterministic: deterministic)
    self.change = change
  }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    var answer = try ReferenceEngine().compute(exercise)
    let call = calls.withLock { calls in
      calls += 1
      return calls
    }
    change(call, exercise, &answer)
    return answer
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    throw .unsupported("never timed")
  }
}
