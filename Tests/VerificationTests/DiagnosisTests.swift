import Engines
import GoldenFiles
import Operations
import Problems
import Results
import Tensors
import Testing
import Verification

/// A wrong answer is held against what comes of mistakes on the same operands, and what gives the same is named.
@Suite struct DiagnosisTests {
  private static let convolution = "conv2d n2c3h7w6 k4r3s3 stride1 pad1 bias"

  private func diagnose(
    _ problem: String = convolution, _ dtype: DType = .float32, withholding: String? = nil,
    change: @escaping @Sendable (Exercise, inout Answer) throws -> Void
  ) throws -> DiagnosisRecord? {
    CaseVerifier(try .random(problem)).diagnose(WrongEngine(change: change), dtype: dtype, withholding: withholding)
  }

  /// What is said of one result with this diagnosis.
  private func text(_ diagnosis: DiagnosisRecord?) -> String? {
    var result = CaseResult(
      file: "f", name: "/a", operation: "a", fill: "random", engine: "mine", dtype: "float32", status: .fail)
    result.diagnosis = diagnosis
    return result.cause?.text
  }

  @Test func `a bias that was left out is named`() throws {
    let found = try diagnose { exercise, answer in
      let bias = exercise.parameters["bias"]?.doubles.elements ?? []
      answer.outputs.edit("y") { y in y = y.indexed { $1 - bias[$0[1]] } }
    }
    #expect(text(found) == "agrees with: bias dropped")
    #expect((found?.tried ?? 0) > 50)
  }

  @Test func `operands of fewer bits are named by their formats`() throws {
    let found = try diagnose { exercise, answer in
      var rounded = exercise
      rounded.inputs.edit("x") { $0 = $0.rounded(toBits: 11) }
      rounded.parameters.edit("weight") { $0 = $0.rounded(toBits: 11) }
      rounded.parameters.edit("bias") { $0 = $0.rounded(toBits: 11) }
      answer.outputs = try ReferenceEngine().compute(rounded).outputs
    }
    #expect(text(found)?.hasSuffix(": operands rounded to 11 bits: float16 or TF32") == true, "\(text(found) ?? "")")
  }

  @Test func `results of fewer bits are named by their formats`() throws {
    let found = try diagnose { _, answer in answer.outputs.edit("y") { $0 = $0.rounded(toBits: 8) } }
    #expect(text(found)?.hasSuffix(": results rounded to 8 bits: bfloat16") == true, "\(text(found) ?? "")")
  }

  @Test(arguments: [
    (-1.0, "the other sign"), (2, "twice what is right"), (0.5, "half of what is right"),
    (1.75, "multiplied by 1.75"),
  ])
  func `a factor is named`(factor: Double, name: String) throws {
    let found = try diagnose("relu n2c3h4w5") { _, answer in
      answer.gradients.edit("x") { $0 = $0.map { factor * $0 } }
    }
    #expect(found?.causes.map(\.name).contains(name) == true, "\(found?.causes ?? [])")
  }

  @Test func `elements at other places are named by their axis`() throws {
    let found = try diagnose("relu n2c3h4w5") { _, answer in
      answer.outputs.edit("y") { y in y = y.gathered { [$0[0], $0[1], $0[2], y.shape[3] - 1 - $0[3]] } }
    }
    #expect(found?.causes.map(\.name).contains("reversed along w") == true, "\(found?.causes ?? [])")
  }

  @Test func `elements that were left at 0 are told`() throws {
    let found = try diagnose("conv2d n2c4h7w7 k4r3s3 stride1 pad1 groups2", withholding: "every group reads group 0") {
      _, answer in
      answer.outputs.edit("y") { y in
        let (height, width) = (y.shape[2], y.shape[3])
        y = y.indexed { $0[2] % (height - 1) == 0 || $0[3] % (width - 1) == 0 ? 0 : $1 }
      }
    }
    // The border is 0 and the rest is right.
    #expect(found?.causes.map(\.name) == ["wrong elements left at 0"])
  }

  @Test func `noise is nobody's mistake`() throws {
    let found = try diagnose { _, answer in
      var random = SplitMix64(seed: 7)
      answer.outputs.edit("y") { $0 = $0.map { $0 * (1 + 0.01 * random.nextUniform()) } }
    }
    #expect(found?.causes.isEmpty == true, "\(found?.causes ?? [])")
    #expect(text(found) == nil)
  }

  @Test func `an answer that is right when it is asked again says so`() throws {
    let found = try diagnose { _, _ in }
    #expect(text(found) == "agrees with: another answer when it is asked again")
  }

  @Test func `sums on what the call before left say so, whether the first answer is right or not`() throws {
    for isUsed in [false, true] {
      let last = Remembered<AnyTensor>()
      let engine = WrongEngine { _, answer in
        let before = last.exchange(answer.outputs["y"])?.doubles.elements
        guard let before, before.count == answer.outputs["y"]?.shape.count else { return }
        answer.outputs.edit("y") { y in y = Tensor(shape: y.shape, elements: zip(y.elements, before).map { $0 + $1 }) }
      }
      if isUsed { _ = try engine.compute(VerificationCase.random(Self.convolution, seed: 8).golden.exercise) }
      let found = CaseVerifier(try .random(Self.convolution)).diagnose(engine, dtype: .float32)
      #expect(text(found) == "agrees with: buffer not zeroed between calls", "\(isUsed)")
    }
  }

  @Test func `an operand that is kept from the call before is named`() throws {
    let last = Remembered<AnyTensor>()
    let found = try diagnose { exercise, answer in
      guard let weight = exercise.parameters["weight"], let before = last.exchange(weight) else { return }
      var changed = exercise
      changed.parameters["weight"] = before
      answer = try ReferenceEngine().compute(changed)
    }
    #expect(text(found) == "agrees with: weight of the call before")
  }

  @Test func `a buffer that all calls are summed in is no factor`() throws {
    let sum = Remembered<AnyTensor>()
    let found = try diagnose { _, answer in
      if let before = sum.exchange(nil)?.doubles.elements {
        answer.outputs.edit("y") { y in y = Tensor(shape: y.shape, elements: zip(y.elements, before).map { $0 + $1 }) }
      }
      _ = sum.exchange(answer.outputs["y"])
    }
    #expect(text(found) == "agrees with: buffer not zeroed between calls")
  }

  @Test func `what is wrong each time in another way is never a mistake for sure`() throws {
    let calls = Remembered<Double>()
    let found = try diagnose { _, answer in
      let call = (calls.exchange(nil) ?? 0) + 1
      _ = calls.exchange(call)
      answer.outputs.edit("y") { $0 = $0.map { $0 * (1 + call) } }
    }
    #expect(found?.causes.map(\.name).contains("another answer when it is asked again") == true)
    #expect(text(found)?.hasPrefix("looks like: ") == true, "\(text(found) ?? "")")
  }

  @Test func `a mistake that would spoil what is right is no more than what it looks like`() throws {
    // The weight's gradient alone, where a kernel that is taken flipped gives another output, too.
    let found = try diagnose { _, answer in
      answer.gradients.edit("weight") { weight in
        let (rows, columns) = (weight.shape[2], weight.shape[3])
        weight = weight.gathered { [$0[0], $0[1], rows - 1 - $0[2], columns - 1 - $0[3]] }
      }
    }
    let cause = found?.causes.first { $0.name == "kernel flipped" }
    #expect(cause?.sureness == .looksLike)
    #expect(cause?.isDoubtful == true)
  }

  @Test func `a factor is a guess where its name says what it is a number of`() throws {
    let found = try diagnose("relu n3c7h4w5") { _, answer in
      answer.gradients.edit("x") { $0 = $0.map { 3 * $0 } }
    }
    let cause = found?.causes.first { $0.name == "multiplied by the batch" }
    #expect(cause?.sureness == .looksLike)
    #expect(cause?.isDoubtful == true)
  }

  @Test func `one element is placed where a tail was forgotten`() throws {
    func pattern(_ offset: @escaping @Sendable (Int) -> Int) throws -> String? {
      let engine = WrongEngine { _, answer in
        answer.outputs.edit("y") { $0.elements[offset($0.count)] += 1 }
      }
      return CaseVerifier(try .random("relu n2c3h4w5")).verify(engine, dtype: .float32).tensors
        .first { !$0.passes }?.pattern
    }
    #expect(try pattern { $0 - 1 } == "one element, the last of every axis")
    #expect(try pattern { _ in 0 } == "one element, the first of every axis")
    #expect(try pattern { $0 / 2 } == "one element")
  }
}
