import Execution
import Problems
import Tensors
import Testing

/// Gradients on several threads.
@Suite struct TrainingThreadTests {
  /// The same bits on any number of threads, and in a second run.
  @Test(arguments: TrainingSample.networks) func threadsAndRunsChangeNoBit(
    _ network: (ResNetArchitecture, batch: Int, side: Int)
  )
    throws
  {
    let sample = try TrainingSample(network.0, batch: network.batch, side: network.side)
    var expected: [String: Tensor<Float>]?
    for threads in 1...3 {
      let prepared = try sample.prepared(threads: threads)
      for _ in 0..<2 {
        let found = try sample.run(prepared)
        if let expected { #expect(found == expected, "\(threads) threads") }
        expected = found
      }
    }
  }
}
