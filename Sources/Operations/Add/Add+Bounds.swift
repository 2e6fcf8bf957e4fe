import Problems
import Tensors

extension Add {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { AddBounds(given) }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

/// x + other: one rounding forward, none backward.
struct AddBounds: BoundModel {
  private let sums: [Double]

  init(_ given: Given<Double>) {
    sums = zip(given["x"].elements, given["other"].elements).map(+)
  }

  func isExact(_ path: String) -> Bool { true }
  func spread(of path: String) -> ErrorSpread? { nil }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    // Addition is exact where it underflows, so there is no absolute part.
    case "outputs/y": ElementBounds(rigorous: sums.map { rounding.unit * abs($0) })
    case "gradients/x", "gradients/other": .none(count: sums.count)
    default: nil
    }
  }
}
