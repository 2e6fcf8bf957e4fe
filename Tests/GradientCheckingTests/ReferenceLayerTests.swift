import GradientChecking
import Operations
import Problems
import Results
import Tensors
import Testing

@Suite struct ReferenceLayerTests {
  @Test(arguments: OperationRegistry.gradientCases)
  func everyLayerPassesWithAFineResolution(_ gradientCase: GradientCase) throws {
    let record = try gradientCase.check(options: GradientCheck.Options()).run()
    #expect(record.verdict == .pass, "\(GradientReport(record).text)")
    for tensor in record.tensors {
      let finest = tensor.method == .differences ? 1e-6 : 1e-11
      #expect(tensor.worstResolution <= finest, "\(tensor.tensor) by \(tensor.method): \(tensor.worstResolution)")
    }
  }

  @Test(arguments: OperationRegistry.gradientCases)
  func aFloatBackwardPassesUnderItsOwnBound(_ gradientCase: GradientCase) throws {
    let record = try gradientCase.check(precision: .float32, options: GradientCheck.Options()).run()
    #expect(record.verdict == .pass, "\(GradientReport(record).text)")
  }
}
