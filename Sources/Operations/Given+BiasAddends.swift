import Problems
import Tensors

extension Given {
  /// The elements of y that one number of the bias is added to: those of a channel, or of an output of a linear layer.
  /// - Parameter shape: y's, with the channels along axis 1.
  /// - Returns: by path; empty without a bias.
  func biasAddends(ofOutput shape: Shape) -> [String: ErrorSpread.Sharing] {
    operands["bias"] == nil ? [:] : ["outputs/y": .slices(of: shape, along: 1)]
  }
}
