import Problems
import Tensors

extension Linear {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { LinearBounds(problem, given) }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

/// Bounds of x·Wᵀ + b and its gradients (``ProductSums``). y: `in` terms and the bias; dx: `out`; dW, db: N.
struct LinearBounds: BoundModel {
  private let sums: [String: ProductSums]

  init(_ problem: LinearProblem, _ given: Given<Double>) {
    let (batch, features, outputs) = (problem.batch, problem.inputFeatures, problem.outputFeatures)
    let x = given["x"].elements
    let weight = given.operands["weight"]?.elements ?? []
    let bias = given.operands["bias"]?.elements
    var y = ProductSums(count: batch * outputs, termCount: features + (bias == nil ? 0 : 1))
    for n in 0..<batch {
      for k in 0..<outputs {
        for c in 0..<features { y.add(x[n * features + c] * weight[k * features + c], to: n * outputs + k) }
        if let bias { y.add(bias[k], to: n * outputs + k) }
      }
    }
    var result = ["outputs/y": y]
    if let dy = given.upstream["y"]?.elements {
      var dx = ProductSums(count: x.count, termCount: outputs)
      var dWeight = ProductSums(count: weight.count, termCount: batch)
      var dBias = ProductSums(count: outputs, termCount: batch)
      for n in 0..<batch {
        for k in 0..<outputs {
          let gradient = dy[n * outputs + k]
          dBias.add(gradient, to: k)
          for c in 0..<features {
            dx.add(gradient * weight[k * features + c], to: n * features + c)
            dWeight.add(gradient * x[n * features + c], to: k * features + c)
          }
        }
      }
      result["gradients/x"] = dx
      result["gradients/weight"] = dWeight
      result["gradients/bias"] = dBias
    }
    sums = result
  }

  func isExact(_ path: String) -> Bool { true }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? { sums[path]?.bounds(in: rounding) }
}
