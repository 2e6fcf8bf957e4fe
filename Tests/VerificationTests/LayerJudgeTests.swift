import Engines
import GoldenFiles
import Problems
import Results
import Tensors
import Testing
import Verification

/// Whole networks layer by layer, and training runs by the file's own gap between the precisions.
@Suite struct LayerJudgeTests {
  private static let network = "resnet n2c3h32w32 archcifar_resnet8 classes3 training"

  @Test func `the reference's layers hold, each on its own`() throws {
    let verifier = CaseVerifier(try .random(Self.network))
    let single = verifier.verify(ReferenceEngine(), dtype: .float32)
    #expect(single.status == .pass, "\(single.message)")
    let layers = try #require(single.layers)
    #expect(layers.judged > 25 && layers.unsupported == 0 && layers.failures.isEmpty)
    #expect(Set(layers.worst.keys) == ["stem", "stage1", "stage2", "stage3", "head"])
    #expect(layers.worst.values.allSatisfy { $0.worstRatio > 0 && $0.worstRatio <= 1 })
    // The reference in float64 is what layers are held against.
    #expect(verifier.verify(ReferenceEngine(), dtype: .float64).layers == nil)
  }

  @Test func `a layer that is wrong on its own is named`() throws {
    // The whole network is right, so that only the layers can show it.
    let engine = WrongEngine { exercise, answer in
      // No other layer has this shape; what it is called an engine does not see.
      guard exercise.parameters["weight"]?.shape == [32, 32, 3, 3] else { return }
      answer.gradients["weight"] = answer.gradients["weight"].map { $0.edited { $0[5] *= 1.005 } }
    }
    let result = CaseVerifier(try .random(Self.network)).verify(engine, dtype: .float32)
    #expect(result.status == .fail)
    #expect(result.message.hasPrefix("layers/layer2.0.conv2/gradients/weight is wrong on its own: one element"))
    #expect(result.tensors.filter { !$0.passes }.map(\.path) == ["layers/layer2.0.conv2/gradients/weight"])
    let partial = WrongEngine(operations: ["resnet", "conv2d"])
    let layers = CaseVerifier(try .random(Self.network)).verify(partial, dtype: .float64).layers
    #expect((layers?.judged ?? 0) == 9 && (layers?.unsupported ?? 0) > 15)
  }

  @Test func `losses are held to the oracle's own gap`() throws {
    let losses = ExpectedTensor(.float64(Tensor(shape: [3], elements: [2, 2, 2])))
    let runs = AnyTensor.float64(Tensor(shape: [2, 3], elements: [2, 2 + 1e-4, 2, 2, 2, 2 - 2e-3]))
    func bounds(_ dtype: DType) throws -> [Double] {
      let rules = AllowanceRules(fill: .random, candidate: dtype, oracle: .float64)
      guard
        case .within(let bounds, _)? = rules.allowance(for: "outputs/loss", expected: losses, model: nil, singles: runs)
      else { throw ProblemError(.invalidArgument, "allowance", expected: "bounds", found: "none") }
      return bounds
    }
    let single = try bounds(.float32)
    // Where the runs agree, one rounding of the loss.
    #expect(single[0] == 10 * 0x1p-23)
    #expect(abs(single[1] - 1e-3) < 1e-12 && abs(single[2] - 2e-2) < 1e-12)
    #expect(try bounds(.float64) == [2e-8, 2e-8, 2e-8])
  }
}
