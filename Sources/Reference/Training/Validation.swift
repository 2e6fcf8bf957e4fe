import Problems
import Tensors

/// What a network is worth on images that it is judged by.
public struct Validation: Hashable, Sendable {
  /// Mean cross-entropy.
  public var loss: Double
  /// Share of the images whose class has the largest logit.
  public var accuracy: Double
  /// Share of the images whose class is among the `k` largest logits.
  public var topAccuracy: Double
  public var k: Int
  public var count: Int

  /// Evaluates without gradients: running statistics normalise, nothing is recorded or changed.
  ///
  /// - Parameters:
  ///   - observe: called with each batch's logits (images, classes), in order.
  ///   - progress: called with the images done after each batch.
  /// - Throws: ``ProblemError`` when the images do not fit the network or a label is no class.
  public static func run<Scalar: RealScalar>(
    _ architecture: ResNetArchitecture, classCount: Int, state: NetworkState<Scalar>, data: LabelledImages<Scalar>,
    batchSize: Int = 64, k: Int = 5, threads: Int = 1, observe: (Tensor<Scalar>) -> Void = { _ in },
    progress: (Int) -> Void = { _ in }
  ) throws(ProblemError) -> Validation {
    let k = min(k, classCount)
    var (loss, hits, topHits) = (0.0, 0, 0)
    for first in stride(from: 0, to: data.count, by: batchSize) {
      let batch = data.batch(Array(first..<min(first + batchSize, data.count)))
      let plan = try architecture.plan(inputShape: batch.images.shape, classCount: classCount)
      var pass = NetworkPass(state: state)
      pass.keepsRecords = false
      pass.threads = threads
      let logits = try pass.forward(plan, x: batch.images).logits
      observe(logits)
      let criterion = CrossEntropy(
        try CrossEntropyProblem(batch: batch.count, classes: classCount, reduction: .sum))
      loss += try criterion.forward(logits, target: .indices(batch.labels)).elements[0].doubleValue
      for row in 0..<batch.count {
        let scores = logits.elements[row * classCount..<(row + 1) * classCount]
        let label = Int(batch.labels.elements[row])
        let own = scores[scores.startIndex + label]
        // The rank of the label; of equal logits the first class comes first, as argmax has it.
        let ahead = scores.indices.count {
          scores[$0] > own || scores[$0] == own && $0 - scores.startIndex < label
        }
        if own.isNaN { continue }
        if ahead == 0 { hits += 1 }
        if ahead < k { topHits += 1 }
      }
      progress(first + batch.count)
    }
    let count = Double(data.count)
    return Validation(
      loss: loss / count, accuracy: Double(hits) / count, topAccuracy: Double(topHits) / count, k: k, count: data.count)
  }
}
