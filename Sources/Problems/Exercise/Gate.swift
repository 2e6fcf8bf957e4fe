import Tensors

/// Which branch an operation takes at each element. With the gates of one pass another pass is a smooth function of its operands,
/// so that derivatives can be compared although other roundings would decide a few elements differently.
public enum Gate: Sendable, Equatable {
  /// By element of the input: whether it passes.
  case open([Bool])
  /// By element of the output: the position of the input element that it takes.
  case winners(Tensor<Int64>)
}
