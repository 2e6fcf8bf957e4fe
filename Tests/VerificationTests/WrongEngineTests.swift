import Engines
import GoldenFiles
import Problems
import Results
import Tensors
import Testing
import Verification

/// The checker itself: right answers pass, and each kind of wrong answer is rejected for the right reason.
@Suite struct WrongEngineTests {
  static let problem = "conv2d n2c3h7w6 k4r3s3 stride1 pad1 bias"

  private func verify(
    _ engine: any Engine, _ item: VerificationCase? = nil, _ dtype: DType = .float32
  ) throws -> CaseResult {
    CaseVerifier(try item ?? .random(Self.problem)).verify(engine, dtype: dtype)
  }

  @Test(arguments: [
    "conv2d n2c3h7w6 k4r3s3 stride1 pad1 bias", "conv2d n1c6h9w8 k4r2s3 stride2x1 pad1 groups2",
    "conv_transpose2d n2c4h5w6 k6r3s3 bias stride2 pad1 outpad1 groups2",
    "linear n3c20 k5", "batch_norm2d n3c4h5w6 training", "batch_norm2d n3c4h5w6", "relu n2c3h4w5",
    "softmax n3c11", "log_softmax n3c11", "cross_entropy n4c7 weighted smoothing0.1",
    "max_pool2d n2c3h8w7 kernel3 stride2 pad1", "avg_pool2d n2c3h8w7 kernel3 stride2 pad1",
    "adaptive_avg_pool2d n2c3h7w8 output3", "upsample2d n1c2h5w4 modebilinear scale2.0", "add n2c3h4w5",
    "scaled_add n2c3h4w5 alpha0.1", "silu n2c3h4w5", "gelu n2c3h4w5", "gelu n2c3h4w5 approximatetanh",
    "sgd_step n3c4 t5 lr0.1 momentum0.9 decay0.01", "adam_step n3c4 t5", "adamw_step n3c4 t5 amsgrad",
    "group_norm n3c4h5w6 groups2", "layer_norm n3c4h5w6 dims2",
    "basic_block n2c4h6w5 k6 projection stride2 training", "bottleneck n2c16h5w4 k4",
  ])
  func `the reference passes`(problem: String) throws {
    for dtype in [DType.float32, .float64] {
      let result = try verify(ReferenceEngine(), .random(problem), dtype)
      #expect(result.status == .pass, "\(result.message)")
      #expect(!result.tensors.isEmpty)
    }
  }

  @Test(arguments: ["outputs/y", "gradients/x", "gradients/weight", "gradients/bias"])
  func `one element half a percent off`(path: String) throws {
    let result = try verify(
      WrongEngine { _, answer in
        func off(_ tensor: AnyTensor) -> AnyTensor {
          tensor.edited { elements in
            let largest = elements.indices.max { abs(elements[$0]) < abs(elements[$1]) } ?? 0
            elements[largest] *= 1.005
          }
        }
        let name = String(path.split(separator: "/")[1])
        answer.outputs[name] = answer.outputs[name].map { path.hasPrefix("outputs") ? off($0) : $0 }
        answer.gradients[name] = answer.gradients[name].map { path.hasPrefix("gradients") ? off($0) : $0 }
      })
    #expect(result.status == .fail)
    let wrong = result.tensors.filter { !$0.passes }
    #expect(wrong.map(\.path) == [path])
    #expect(wrong.first?.failing == 1)
    #expect((wrong.first?.worstRatio ?? 0) > 100)
    #expect(wrong.first?.pattern == "one element")
  }

  @Test func `rounding inputs to TF32 or bfloat16 is noticed`() throws {
    for bits in [13, 16] {
      let engine = WrongEngine { exercise, answer in
        var coarse = exercise
        coarse.inputs["x"] = exercise.inputs["x"]?.edited { elements in
          for i in elements.indices {
            elements[i] = Float(bitPattern: (elements[i].bitPattern >> bits) << bits)
          }
        }
        answer = try ReferenceEngine().compute(coarse)
      }
      let result = try verify(engine, .random("conv2d n1c512h5w4 k8r3s3 stride1 pad1"))
      #expect(result.status == .fail)
    }
  }

  @Test func `NaN, infinity, and elements that were not written`() throws {
    for (value, word) in [(Float.nan, "wrong"), (.infinity, "wrong"), (UnwrittenMark.float32, "not written")] {
      let result = try verify(
        WrongEngine { _, answer in answer.outputs["y"] = answer.outputs["y"]?.edited { $0[5] = value } })
      #expect(result.status == .fail)
      #expect(result.message.contains(word), "\(result.message)")
      #expect(result.tensors.first { $0.path == "outputs/y" }?.worstRatio == .infinity)
    }
  }

  @Test func `missing, misshapen and mistyped tensors`() throws {
    let changes: [(String, @Sendable (inout Answer) -> Void)] = [
      ("missing", { $0.outputs["y"] = nil }),
      ("missing", { $0.gradients = [:] }),
      ("shape", { $0.outputs["y"] = .float32(Tensor(zeros: [1])) }),
      (
        "shape",
        { answer in
          guard case .float32(let y)? = answer.outputs["y"] else { return }
          answer.outputs["y"] = .float32(y.reshaped(to: [y.count]))
        }
      ),
      ("dtype", { $0.outputs["y"] = $0.outputs["y"]?.converted(to: .float64) }),
    ]
    for (word, change) in changes {
      let result = try verify(WrongEngine { _, answer in change(&answer) })
      #expect(result.status == .fail)
      #expect(result.message.contains(word), "\(result.message)")
    }
  }

  @Test func `an input that was written to`() throws {
    let result = try verify(
      WrongEngine { exercise, _ in
        guard case .float32(let x)? = exercise.inputs["x"] else { return }
        // What a kernel behind a pointer can do to a value that Swift thinks immutable.
        x.elements.withUnsafeBufferPointer { buffer in
          UnsafeMutablePointer(mutating: buffer.baseAddress)?.pointee += 1
        }
      })
    #expect(result.status == .fail)
    #expect(result.message.contains("inputs/x"))
  }

  @Test func `errors and refusals where a result is wanted`() throws {
    let failed = try verify(FixedEngine(outcome: .failure(.failed("signal 11", detail: "last words"))))
    #expect(failed.status == .error)
    #expect(failed.message.contains("last words"))
    #expect(try verify(FixedEngine(outcome: .failure(.unsupported("no")))).status == .unsupported)
    let refusal = EngineError.refused(category: "shape_mismatch", message: "no")
    #expect(try verify(FixedEngine(outcome: .failure(refusal))).status == .fail)
  }

  @Test func `refusals that are wanted`() throws {
    var golden = try VerificationCase.random(Self.problem).golden
    golden.summary = GoldenCaseSummary(name: "/refuse", operation: "conv2d", expectError: .shapeMismatch)
    let item = VerificationCase(file: "test", oracle: .float64, golden: golden)
    func verdict(_ category: String, isBuiltIn: Bool) throws -> CaseResult {
      var engine = FixedEngine(outcome: .failure(.refused(category: category, message: "no")))
      engine.description.isBuiltIn = isBuiltIn
      return try verify(engine, item)
    }
    #expect(try verdict("shape_mismatch", isBuiltIn: true).status == .refused)
    #expect(try verdict("invalid_argument", isBuiltIn: true).status == .fail)
    let other = try verdict("invalid_argument", isBuiltIn: false)
    #expect(other.status == .refused)
    #expect(other.message.contains("expected shape_mismatch"))
    #expect(try verify(ReferenceEngine(), item).status == .fail, "the reference computes this case")
    #expect(try verify(FixedEngine(outcome: .failure(.failed("crash"))), item).status == .error)
  }

  @Test func `what an engine declares that it does not do`() throws {
    #expect(try verify(WrongEngine(operations: ["relu"])).status == .unsupported)
    #expect(try verify(WrongEngine(dtypes: [.float64])).status == .unsupported)
    let omitting = try verify(
      WrongEngine(omits: ["gradients/bias"]) { _, answer in answer.gradients["bias"] = nil })
    #expect(omitting.status == .pass)
    #expect(omitting.omitted == ["gradients/bias"])
    let forwardOnly = try verify(WrongEngine(passes: [.forward]) { _, answer in answer.gradients = [:] })
    #expect(forwardOnly.status == .pass)
    #expect(forwardOnly.omitted == ["gradients/bias", "gradients/weight", "gradients/x"])

    var golden = try VerificationCase.random("relu n1c1h2w2").golden
    golden.inputs["x"] = golden.inputs["x"]?.edited { $0[0] = .nan }
    let item = VerificationCase(file: "test", oracle: .float64, golden: golden)
    #expect(try verify(WrongEngine(nonfinite: false), item).status == .unsupported)
  }

  @Test func `exact fills are compared by value`() throws {
    let item = try VerificationCase.random(Self.problem, fill: .exact)
    #expect(try verify(ReferenceEngine(), item).status == .pass)
    let result = try verify(
      WrongEngine { _, answer in answer.outputs["y"] = answer.outputs["y"]?.edited { $0[3] = $0[3].nextUp } }, item)
    #expect(result.status == .fail)
    #expect(result.tensors.last { $0.path == "outputs/y" }?.rule == "by value")
  }
}
