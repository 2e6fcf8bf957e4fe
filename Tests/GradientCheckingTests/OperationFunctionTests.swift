import GradientChecking
import Operations
import Problems
import Results
import Tensors
import Testing

@Suite struct OperationFunctionTests {
  private static let seeds: [UInt64] = [1, 2, 9]

  private func options(seed: UInt64) -> GradientCheck.Options {
    var options = GradientCheck.Options()
    options.seed = seed
    return options
  }

  @Test(arguments: OperationRegistry.gradientCases)
  func everyCasePassesWithAFineResolution(_ gradientCase: GradientCase) throws {
    for seed in Self.seeds {
      let record = try gradientCase.check(options: options(seed: seed)).run()
      #expect(record.verdict == .pass, "seed \(seed): \(GradientReport(record).text)")
      for tensor in record.tensors {
        let finest = tensor.method == .differences ? 1e-6 : 1e-11
        #expect(
          tensor.worstResolution <= finest,
          "seed \(seed): \(tensor.tensor) by \(tensor.method): \(tensor.worstResolution)")
      }
    }
  }

  @Test(arguments: OperationRegistry.gradientCases)
  func aFloatBackwardPassesUnderItsOwnBound(_ gradientCase: GradientCase) throws {
    for seed in Self.seeds {
      let record = try gradientCase.check(precision: .float32, options: options(seed: seed)).run()
      #expect(record.verdict == .pass, "seed \(seed): \(GradientReport(record).text)")
    }
  }

  /// A case is there for the values that it names.
  @Test(arguments: OperationRegistry.gradientCases.filter { $0.fill != .random })
  func aCaseHasTheValuesThatItIsThereFor(_ gradientCase: GradientCase) throws {
    let problem = try Problem.parse(gradientCase.text)
    for seed in Self.seeds {
      let x = try #require(gradientCase.check(options: options(seed: seed)).function.point["x"]).elements
      let magnitudes = x.map(abs)
      let mean = x.reduce(0, +) / Double(x.count)
      switch gradientCase.fill {
      case .random: break
      case .ties: #expect(x.contains(0) && Set(x).count <= 5)
      case .shifted: #expect(abs(mean - 1000) < 2 && Set(x).count > x.count / 2)
      case .saturated: #expect(magnitudes.contains { $0 > 20 } && magnitudes.allSatisfy { $0 <= 30 })
      case .narrow: #expect(magnitudes.allSatisfy { $0 <= 0x1p-6 } && Set(x).count > x.count / 2)
      case .denormal:
        #expect(magnitudes.allSatisfy { $0 < Double(Float.leastNormalMagnitude) } && magnitudes.contains { $0 > 0 })
      }
      #expect(x.count == problem.operands.inputs["x"]?.shape.count)
    }
  }

  @Test(arguments: ["sgd_step n4c5 t3 lr0.1", "adam_step n4c5 t3", "adamw_step n4c5 t3"])
  func whatHasNoBackwardPassIsUnsupportedAndSaysWhy(text: String) throws {
    let check = try GradientCase(text).check(options: .init())
    guard case .none(let reason) = check.function.subject.differentiableOperands else {
      Issue.record("\(text) has operands to differentiate by")
      return
    }
    let record = check.run()
    #expect(record.verdict == .unsupported)
    #expect(record.reason == "unsupported: \(reason)")
  }
}
