import Problems
import Tensors

/// The deviations of a convolution's rounding, spread evenly over a channel: what ``LayerNoise`` takes in large networks, where the
/// elementwise sums would cost as much as the network.
///
/// `u·√K·√max(Σt², y²)` with Σt² = ‖w‖²·mean(x²), as it is for an x that does not depend on w.
enum EvenNoise {
  /// - Returns: by path.
  static func deviations(_ problem: Conv2dProblem, _ given: Given<Double>, y: Tensor<Double>) -> [String: Deviation] {
    let unit = Rounding.float32.unit
    let (x, weight) = (given["x"], given["weight"])
    let taps = problem.kernelSize.height * problem.kernelSize.width
    let row = weight.count / problem.outputChannels
    let planes = problem.batch * problem.outputSize.height * problem.outputSize.width
    let meanX = meanSquare(x.elements[...])
    let weights = (0..<problem.outputChannels).map { sumOfSquares(weight.elements[$0 * row..<($0 + 1) * row]) }
    let outputs = channelMeanSquares(y)
    var result = [
      "outputs/y": perChannel(y.shape) { k in unit * (Double(row) * max(weights[k] * meanX, outputs[k])).squareRoot() }
    ]
    guard let dOutput = given.upstream["y"] else { return result }
    let perGroup = problem.outputChannels / problem.groups
    let channelsPerGroup = problem.inputChannels / problem.groups
    let meanGradient = meanSquare(dOutput.elements[...])
    result["gradients/x"] = perChannel(x.shape) { c in
      let group = c / channelsPerGroup
      let sum = (group * perGroup..<(group + 1) * perGroup).reduce(0.0) { sum, k in
        let first = k * row + c % channelsPerGroup * taps
        return sum + sumOfSquares(weight.elements[first..<first + taps])
      }
      return unit * (Double(perGroup * taps) * sum * meanGradient).squareRoot()
    }
    let gradients = channelMeanSquares(dOutput).map { $0 * Double(planes) }
    result["gradients/weight"] = Deviation(
      perChannel: gradients.map { unit * (Double(planes) * $0 * meanX).squareRoot() }, run: row)
    return result
  }

  private static func sumOfSquares(_ values: ArraySlice<Double>) -> Double { values.reduce(0) { $0 + $1 * $1 } }
  private static func meanSquare(_ values: ArraySlice<Double>) -> Double {
    values.isEmpty ? 0 : sumOfSquares(values) / Double(values.count)
  }

  private static func channelMeanSquares(_ tensor: Tensor<Double>) -> [Double] {
    let (images, channels) = (tensor.shape[0], tensor.shape[1])
    let plane = tensor.shape[2] * tensor.shape[3]
    return (0..<channels).map { channel in
      let sum = (0..<images).reduce(0.0) { sum, image in
        let first = (image * channels + channel) * plane
        return sum + sumOfSquares(tensor.elements[first..<first + plane])
      }
      return sum / Double(max(images * plane, 1))
    }
  }

  private static func perChannel(_ shape: Shape, _ deviation: (Int) -> Double) -> Deviation {
    Deviation(perChannel: (0..<shape[1]).map(deviation), run: shape[2] * shape[3])
  }
}
