import Problems
import Tensors

extension ConvTranspose2d {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { ConvTranspose2dBounds(self, given) }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

/// Bounds of a transposed convolution and its three gradients, each a tensor of sums of products (``ProductSums``) with its own K:
///
/// - y: C/G·R′·S′ terms and the bias. Of R taps only those lead to one row that differ by a multiple of the stride; R′ is the
///   most that lead to any, S′ the same for columns. With a 4×4 kernel of stride 2 they are 2 and 2.
/// - dx: K/G·R·S; dw: N·H·W; db: N·P·Q (sums, no products). The zeros beyond the border of dy count, though they round nothing.
struct ConvTranspose2dBounds: BoundModel {
  private let sums: [String: ProductSums]
  private let addends: [String: ErrorSpread.Sharing]

  init(_ layer: ConvTranspose2d, _ given: Given<Double>) {
    let problem = layer.problem
    let (x, weight) = (given["x"].elements, given["weight"].elements)
    let bias = given.operands["bias"]?.elements
    let taps = problem.kernelSize.height * problem.kernelSize.width
    let meeting = layer.rows.mostInputsOfAnOutput * layer.columns.mostInputsOfAnOutput
    var y = ProductSums(
      count: problem.outputShape.count,
      termCount: problem.inputChannels / problem.groups * meeting + (bias == nil ? 0 : 1))
    layer.forEachProduct { input, tap, output in
      if let output { y.add(x[input] * weight[tap], to: output) }
    }
    if let bias {
      for element in y.value.indices { y.add(bias[layer.channel(ofOutput: element)], to: element) }
    }
    var sums = ["outputs/y": y]
    if let dy = given.upstream["y"]?.elements {
      let planes = problem.batch * problem.outputSize.height * problem.outputSize.width
      var dx = ProductSums(count: x.count, termCount: problem.outputChannels / problem.groups * taps)
      var dWeight = ProductSums(
        count: weight.count, termCount: problem.batch * problem.inputSize.height * problem.inputSize.width)
      var dBias = ProductSums(count: problem.outputChannels, termCount: planes)
      layer.forEachProduct { input, tap, output in
        let cotangent = output.map { dy[$0] } ?? 0
        dx.add(weight[tap] * cotangent, to: input)
        dWeight.add(x[input] * cotangent, to: tap)
      }
      for element in dy.indices { dBias.add(dy[element], to: layer.channel(ofOutput: element)) }
      sums["gradients/x"] = dx
      sums["gradients/weight"] = dWeight
      sums["gradients/bias"] = dBias
    }
    self.sums = sums
    addends = given.biasAddends(ofOutput: problem.outputShape)
  }

  func isExact(_ path: String) -> Bool { true }
  func spread(of path: String) -> ErrorSpread? { sums[path]?.spread?.adding(addends[path]) }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? { sums[path]?.bounds(in: rounding) }
}

extension AxisReach {
  /// How many input positions reach the output that most of them reach.
  fileprivate var mostInputsOfAnOutput: Int {
    var counts: [Int: Int] = [:]
    for output in outputs.joined() { counts[output, default: 0] += 1 }
    return counts.values.max() ?? 0
  }
}
