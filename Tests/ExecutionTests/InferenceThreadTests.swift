import Convolution
import Execution
import Problems
import Tensors
import Testing

/// Networks on several threads.
@Suite struct InferenceThreadTests {
  /// The same bits on any number of threads, in a second run, and whatever was computed in between.
  @Test(arguments: [ResNetArchitecture.resnet18.scaled(toWidth: 20), .groupedBottlenecks])
  func threadsAndRunsChangeNoBit(_ architecture: ResNetArchitecture) throws {
    let sample = try NetworkSample(architecture, batch: 2, side: 32)
    let other = sample.images.map { 1 - $0 }
    var expected: Tensor<Float>?
    for threads in 1...3 {
      let network = try InferenceNetwork(
        sample.plan, weights: sample.tensors, threads: threads, strategies: .automatic(nil))
      for _ in 0..<2 {
        let logits = try network(sample.images)
        #expect(!logits.elements.contains { !$0.isFinite })
        if let expected { #expect(logits == expected, "\(threads) threads") }
        expected = logits
        let others = try network(other)
        #expect(others != logits)
      }
    }
  }
}

extension ResNetArchitecture {
  /// One bottleneck of ResNeXt: blocks of channels are converted before and behind its grouped convolution.
  static var groupedBottlenecks: ResNetArchitecture {
    var small = resnext50
    small.depths = [1]
    small.widths = [64]
    return small
  }
}
