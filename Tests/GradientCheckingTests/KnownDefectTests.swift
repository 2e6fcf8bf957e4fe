import GradientChecking
import Operations
import Problems
import Results
import Tensors
import Testing

/// Defects that other checkers are known to miss.
@Suite struct KnownDefectTests {
  /// A layer whose backward pass is changed.
  private func check(
    _ text: String, precision: DType = .float64, method: GradientCheck.Method = .automatic,
    backward: (OperationFunction) throws -> CheckedFunction.Backward
  ) throws -> GradientRecord {
    let problem = try Problem.parse(text)
    let draw = OperandDraw(problem.operands, roles: problem.definition.roles, seed: 5, range: .init(-2, 2))
    let layer = OperationFunction(problem, integers: draw.integers)
    var function = CheckedFunction(layer, name: text, at: draw.operands, by: .code(precision))
    function.backward = try backward(layer)
    var options = GradientCheck.Options()
    options.method = method
    return GradientCheck(function, options: options).run()
  }

  private let normalisation = "batch_norm2d n8c1h14w14 training"

  private func failing(_ record: GradientRecord, _ method: GradientMethod) -> Int {
    record.tensors.filter { $0.tensor == "x" && $0.method == method }.map(\.failedCount).first ?? 0
  }

  /// ε = 10⁻⁵ beside σ² = 4/3 changes dx by 4·10⁻⁶ of itself: 10⁻³, torch's tolerance, is far too wide to see it.
  @Test(arguments: [GradientMethod.dual, .differences])
  func aMissingEpsIsCaughtInEveryElement(method: GradientMethod) throws {
    let record = try check(normalisation) { _ in
      let without = OperationFunction(try Problem.parse(normalisation + " eps0.0"))
      return { try without.backward($0, $1) }
    }
    #expect(failing(record, method) >= 1560, "\(GradientReport(record).text)")
  }

  /// 1/(σ + ε) in place of 1/√(σ² + ε) is √(σ² + ε′) with ε′ = 2εσ + ε².
  @Test(arguments: [GradientMethod.dual, .differences])
  func aMisplacedEpsIsCaughtInEveryElement(method: GradientMethod) throws {
    let record = try check(normalisation) { _ in
      { operands, upstream in
        let x = operands["x"]?.elements ?? []
        let mean = x.reduce(0, +) / Double(x.count)
        let deviation = (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)).squareRoot()
        let eps = 2e-5 * deviation + 1e-10
        let wrong = OperationFunction(try Problem.parse("batch_norm2d n8c1h14w14 training eps\(eps)"))
        return try wrong.backward(operands, upstream)
      }
    }
    #expect(failing(record, method) >= 1560, "\(GradientReport(record).text)")
  }

  @Test(arguments: [GradientCheck.Method.automatic, .adjoint])
  func oneWrongElementOfALargeWeightGradientIsNamed(method: GradientCheck.Method) throws {
    let index = [41, 17, 2, 0]
    let record = try check("conv2d n1c64h6w6 k64r3s3 stride1 pad1", method: method) { layer in
      { operands, upstream in
        var gradients = try layer.backward(operands, upstream)
        gradients["weight"]?.elements[((41 * 64 + 17) * 3 + 2) * 3] += 1
        return gradients
      }
    }
    let weight = try #require(record.tensors.first { $0.tensor == "weight" })
    #expect(weight.badElements.map(\.index) == [index])
    #expect(record.verdict == .fail)
  }

  @Test(arguments: [GradientCheck.Method.automatic, .adjoint, .dual])
  func oneWrongElementOfALargeInputGradientIsNamed(method: GradientCheck.Method) throws {
    let record = try check("conv2d n2c64h8w7 k64r3s3 stride1 pad1", method: method) { layer in
      { operands, upstream in
        var gradients = try layer.backward(operands, upstream)
        gradients["x"]?.elements[((1 * 64 + 33) * 8 + 5) * 7 + 6] += 1
        return gradients
      }
    }
    let x = try #require(record.tensors.first { $0.tensor == "x" })
    #expect(x.badElements.map(\.index) == [[1, 33, 5, 6]])
    #expect(record.verdict == .fail)
  }

  @Test func patternsAreRecognised() throws {
    let flipped = try check("conv2d n2c3h6w7 k4r3s3 stride1 pad1") { layer in
      { operands, upstream in
        var gradients = try layer.backward(operands, upstream)
        gradients["weight"] = gradients["weight"].map { weight in
          Tensor(
            shape: weight.shape, elements: weight.elements.indices.map { weight.elements[$0 / 9 * 9 + 8 - $0 % 9] })
        }
        return gradients
      }
    }
    #expect(flipped.tensors.first { $0.tensor == "weight" }?.hint?.contains("flipped") == true)
    let averaged = try check("linear n5c7 k6") { layer in
      { operands, upstream in
        try layer.backward(operands, upstream).mapValues { $0.map { $0 / 5 } }
      }
    }
    #expect(averaged.tensors.first { $0.tensor == "bias" }?.hint?.hasPrefix("5 times too small") == true)
    let border = try check("conv2d n2c3h6w7 k4r3s3 stride1 pad1") { layer in
      { operands, upstream in
        var gradients = try layer.backward(operands, upstream)
        gradients["x"] = gradients["x"].map { x in
          Tensor(shape: x.shape, elements: x.elements.indices.map { $0 % 7 == 6 ? 0 : x.elements[$0] })
        }
        return gradients
      }
    }
    #expect(border.tensors.first { $0.tensor == "x" }?.pattern?.contains("column 6 (the last)") == true)
  }

  @Test func aBrokenBackwardOfANetworkIsNamedByItsParameters() throws {
    var check = try GradientCase("resnet n1c3h32w32 archcifar_resnet8 classes10").check(options: .init())
    let correct = check.function.backward
    check.function.backward = { operands, upstream in
      var gradients = try correct(operands, upstream)
      gradients["layer2.0.conv2.weight"]?.elements[77] *= 1.001
      return gradients
    }
    check.options.contracts = false
    let record = check.run()
    let bad = record.tensors.filter { $0.verdict != .pass }
    #expect(bad.map(\.tensor) == ["layer2.0.conv2.weight"], "\(GradientReport(record).text)")
    #expect(bad.first?.badElements.count == 1)
  }
}
