import Problems
import Tensors

extension MaxPool2d {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { MaxPool2dBounds(problem, given) }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

/// A maximum is one of the inputs: no error forward. Backward, dx is the sum of the cotangents of the windows that the
/// element won, bounded here by the sum over all windows that cover it.
struct MaxPool2dBounds: BoundModel {
  private let outputCount: Int
  private let gradient: ProductSums?

  init(_ problem: MaxPool2dProblem, _ given: Given<Double>) {
    outputCount = problem.outputShape.count
    gradient = given.upstream["y"].map { dy in
      scatter(dy, PoolingWindows(problem.window), problem.inputShape) { _, _ in 1 }
    }
  }

  func isExact(_ path: String) -> Bool { true }
  func spread(of path: String) -> ErrorSpread? { nil }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    case "outputs/y", "outputs/indices": .none(count: outputCount)
    // The value of `gradient` is not dx, so its statistical bound means nothing.
    case "gradients/x": gradient.map { ElementBounds(rigorous: $0.bounds(in: rounding).rigorous) }
    default: nil
    }
  }
}
