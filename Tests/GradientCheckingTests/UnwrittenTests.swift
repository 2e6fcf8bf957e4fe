import Engines
import GradientChecking
import Problems
import Results
import Tensors
import Testing

/// An element that a backward pass never writes is named as such, and not by whatever was there before.
@Suite struct UnwrittenTests {
  private let point: NamedTensors = ["x": Tensor(shape: [2, 3], elements: [0.5, -1.25, 0.75, 2, -0.5, 1.5])]
  private let cube: CheckedFunction.Forward = { operands in
    ["y": operands["x"]?.map { $0 * $0 * $0 } ?? Tensor(zeros: [0])]
  }

  private func check(_ write: @escaping @Sendable (inout [Double], Int, Double) -> Void) -> GradientRecord {
    GradientCheck(
      "buffers", at: point, forward: cube,
      writing: { operands, upstream, gradients in
        guard let x = operands["x"], let dy = upstream["y"] else { return }
        for i in x.elements.indices {
          let slope = 3 * x.elements[i] * x.elements[i] * dy.elements[i]
          if var dx = gradients["x"] {
            write(&dx.elements, i, slope)
            gradients["x"] = dx
          }
        }
      }
    ).run()
  }

  @Test func buffersThatAreWrittenPass() {
    let record = check { $0[$1] = $2 }
    #expect(record.verdict == .pass, "\(GradientReport(record).text)")
  }

  @Test func anElementThatIsNeverWrittenIsNamed() throws {
    let record = check { if $1 != 4 { $0[$1] = $2 } }
    #expect(record.verdict == .fail)
    let bad = try #require(record.tensors.first?.badElements)
    #expect(bad.map(\.index) == [[1, 1]])
    #expect(bad.first?.reason?.hasPrefix("never written") == true)
  }

  @Test func addingToWhatWasThereFails() {
    let record = check { $0[$1] += $2 }
    #expect(record.verdict == .fail)
    #expect(record.tensors.first?.failedCount == 6)
  }

  /// The reference, with one element of a gradient left as the buffer was.
  private struct Forgetful: Engine {
    var description: EngineDescription { EngineDescription(name: "forgetful", version: "1", isBuiltIn: true) }
    func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
      var answer = try ReferenceEngine().compute(exercise)
      if case .float32(var weight)? = answer.gradients["weight"] {
        weight.elements[7] = UnwrittenMark.float32
        answer.gradients["weight"] = .float32(weight)
      }
      return answer
    }
    func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
      throw .unsupported("not timed")
    }
  }

  @Test(arguments: [GradientCheck.Method.automatic, .dual])
  func anEnginesUnwrittenElementIsNamed(method: GradientCheck.Method) throws {
    var options = GradientCheck.Options()
    options.method = method
    let check = try GradientCase("conv2d n2c3h6w7 k4r3s3 stride1 pad1").check(
      engine: Forgetful(), precision: .float32, options: options)
    let text = GradientReport(check.run()).text
    #expect(text.contains("weight[0, 0, 2, 1]"), "\(text)")
    #expect(text.contains("never written"), "\(text)")
  }
}
