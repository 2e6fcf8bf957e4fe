import ArgumentParser
import Convolution
import Execution
import Problems
import Tensors

/// A network on the fast strategies that takes batches of up to so many images: a smaller one is filled up with black images,
/// whose logits are dropped.
struct ExecutionClassifier {
  private let network: InferenceNetwork

  /// - Parameters:
  ///   - architecture: which network.
  ///   - weights: by `state_dict` name.
  ///   - classCount: of its classifier.
  ///   - imageShape: (C, H, W).
  ///   - batch: images of a run.
  ///   - threads: that share the work.
  /// - Throws: ``Execution/ExecutionError``.
  init(
    _ architecture: ResNetArchitecture, weights: [String: AnyTensor], classCount: Int, imageShape: Shape, batch: Int,
    threads: Int
  ) throws(ExecutionError) {
    // The cost model's strategies: what a network is worth does not depend on what was timed where.
    network = try InferenceNetwork(
      architecture, weights: weights, batch: batch, imageSize: Pair(imageShape[1], imageShape[2]),
      classCount: classCount, threads: threads, strategies: .automatic(nil))
  }

  func logits(of images: Tensor<Float>) throws(ProblemError) -> Tensor<Float> {
    let (count, room) = (images.shape[0], network.inputShape[0])
    var batch = images
    if count < room {
      batch = Tensor(
        shape: network.inputShape,
        elements: images.elements + Array(repeating: 0, count: network.inputShape.count - images.count))
    }
    do throws(ExecutionError) {
      let logits = try network(batch)
      let classes = logits.shape[1]
      return Tensor(shape: [count, classes], elements: Array(logits.elements.prefix(count * classes)))
    } catch { throw ExecutionTrainer.translated(error) }
  }
}

/// What computes a network that is evaluated.
enum NetworkEngine: String, CaseIterable, ExpressibleByArgument {
  /// The fast strategies.
  case execution
  /// The readable definitions.
  case reference
}
