/// What an operand means to its operation, and so which random values are worth trying.
public enum OperandRole: Hashable, Sendable {
  /// Any numbers: an input, a bias, a weight of few terms.
  case values
  /// A weight of a network, scaled so that activations neither die out nor grow.
  /// - Parameter fanIn: the terms of one of the sums that it takes part in.
  case weight(fanIn: Int)
  /// What a normalised value is multiplied by: any number, near 1 where derivatives are taken.
  case gain
  /// A factor that is never negative: a class weight.
  case positive
  /// A running mean, or another first moment.
  case mean
  /// A running variance, or another second moment: never negative.
  case variance
  /// Rows of so many numbers that sum to 1.
  case probabilities(classes: Int)
  /// Numbers below `count`, and here and there the one that is ignored.
  case indices(count: Int, ignored: Int?)
  /// How many batches there were.
  case counter
}
