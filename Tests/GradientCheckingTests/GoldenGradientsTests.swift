import GoldenFiles
import GradientChecking
import Results
import TestSupport
import Tensors
import Testing

/// Stored gradients against dual numbers through the reference's forward pass.
@Suite struct GoldenGradientsTests {
  private func cases(_ file: String, _ name: String) throws -> [(GoldenCase, DType)] {
    let golden = try GoldenReader(trusted: nil, probe: nil).open(
      Repository.fixtures.appending(path: "\(file).h5").path)
    return try golden.cases.filter { $0.name.hasPrefix(name) && $0.expectError == nil }.map {
      (try golden.load($0), golden.header.oracleDType)
    }
  }

  @Test(arguments: ["blocks", "batch_norm2d", "cross_entropy", "softmax"])
  func storedGradientsPass(operation: String) throws {
    var passed = 0
    for (golden, oracle) in try cases(operation, "/") where !golden.gradients.isEmpty {
      guard let record = GoldenGradients(golden, oracle: oracle)?.storedRecord(options: .init()) else { continue }
      #expect(record.verdict == .pass || record.verdict == .unsupported, "\(GradientReport(record).text)")
      if record.verdict == .unsupported { #expect(record.reason?.isEmpty == false) }
      if record.verdict == .pass { passed += 1 }
    }
    #expect(passed > 10)
  }

  /// A file of which only samples of the gradients are stored, as it is and with one sample changed.
  @Test func aWrongSampleIsNamed() throws {
    let found = try cases("conv2d_resnet", "/conv2d/resnet/resnet18/c64k64r3stride1")
    let (golden, oracle) = try #require(found.first)
    let record = try #require(GoldenGradients(golden, oracle: oracle)).storedRecord(options: .init())
    #expect(record.verdict == .pass, "\(GradientReport(record).text)")
    #expect(record.tensors.contains { $0.elementCount == 32 })

    let name = try #require(
      golden.gradients.keys.sorted().first {
        if case .sampled? = golden.gradients[$0]?.value { true } else { false }
      })
    guard case .sampled(let sample)? = golden.gradients[name]?.value else { return }
    var values = sample.values
    values[0] *= 1 + 1e-9
    var changed = golden
    changed.gradients[name] = ExpectedTensor(
      .sampled(
        SampledTensor(
          shape: sample.shape, indices: sample.indices, values: values, l2Norm: sample.l2Norm, sum: sample.sum,
          absMax: sample.absMax)))
    let bad = try #require(GoldenGradients(changed, oracle: oracle)).storedRecord(options: .init())
    #expect(bad.verdict == .fail)
    let tensor = try #require(bad.tensors.first { $0.tensor == name })
    #expect(tensor.badElements.map(\.index) == [sample.shape.index(ofOffset: sample.indices[0])])
  }
}
