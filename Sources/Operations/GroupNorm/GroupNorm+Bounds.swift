import Problems
import Tensors

extension GroupNorm {
  /// Kernels sum x·dy and dy by channel and take the mean from the sums.
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { NormalisationBounds(layout: layout, eps: problem.eps, given: given, expandsBackward: true) }

  public var staysSingle: Set<String> { ["weight", "bias"] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}
