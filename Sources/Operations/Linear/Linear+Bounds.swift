import Problems
import Tensors

extension Linear {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { LinearBounds(problem, given, strassenLevels: algorithms.strassenLevels) }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

/// Bounds of x·Wᵀ + b and its gradients (``ProductSums``). y: `in` terms and the bias; dx: `out`; dW, db: N. The widest with those
/// of Strassen's algorithm (``StrassenBound``) for an engine that may use it.
struct LinearBounds: BoundModel {
  private let sums: [String: ProductSums]
  private let addends: [String: ErrorSpread.Sharing]
  private let strassen: [String: StrassenBound]
  private let strassenLevels: Int

  /// - Parameter levels: of Strassen's algorithm; 0 for none.
  init(_ problem: LinearProblem, _ given: Given<Double>, strassenLevels levels: Int) {
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
    addends = given.biasAddends(ofOutput: Shape([batch, outputs]))
    strassenLevels = levels
    strassen =
      levels == 0
      ? [:]
      : Self.strassen(
        x: .init(rows: batch, columns: features, x), weight: .init(rows: outputs, columns: features, weight),
        dOutput: given.upstream["y"].map { .init(rows: batch, columns: outputs, $0.elements) }, levels: levels)
  }

  private static func strassen(
    x: StrassenBound.Matrix, weight: StrassenBound.Matrix, dOutput: StrassenBound.Matrix?, levels: Int
  ) -> [String: StrassenBound] {
    var bounds: [String: StrassenBound] = [:]
    bounds["outputs/y"] = StrassenBound(x, weight, levels: levels)
    guard let dOutput else { return bounds }
    bounds["gradients/x"] = StrassenBound(dOutput, weight.transposed, levels: levels)
    bounds["gradients/weight"] = StrassenBound(dOutput.transposed, x.transposed, levels: levels)
    return bounds
  }

  func isExact(_ path: String) -> Bool { strassen[path]?.isExact ?? true }

  func widening(of path: String) -> String? {
    strassen[path].map { _ in SumAlgorithm.strassen(levels: strassenLevels).description }
  }

  func spread(of path: String) -> ErrorSpread? {
    // Strassen's bound, the widest of any row's and column's, makes errors look smaller and never larger.
    sums[path]?.spread?.adding(addends[path])
  }

  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    guard let sums = sums[path] else { return nil }
    let direct = sums.bounds(in: rounding)
    return strassen[path]?.widened(direct, values: sums.value, in: rounding) ?? direct
  }
}
