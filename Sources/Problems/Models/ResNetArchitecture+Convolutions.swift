import Tensors

extension ResNetArchitecture {
  /// One convolution of a network.
  public struct Convolution: Hashable, Sendable {
    /// `layer2.0.conv2`.
    public let name: String
    /// `stem`, `layer1` … `layer4`.
    public let stage: String
    public let problem: Conv2dProblem
  }

  /// Equal convolutions of a network, and how often they occur.
  public struct DistinctConvolution: Hashable, Sendable {
    /// Where it first occurs.
    public let name: String
    public let stage: String
    public let problem: Conv2dProblem
    public let multiplicity: Int
  }

  /// Every convolution in the order of the network.
  /// - Throws: ``ProblemError`` when the image does not fit the network.
  public func convolutions(batch: Int, imageSize: Int) throws(ProblemError) -> [Convolution] {
    let shape = try ProblemText.shape([batch, 3, imageSize, imageSize])
    return try plan(inputShape: shape).layers.compactMap { layer in
      guard let problem = layer.problem as? Conv2dProblem else { return nil }
      let stage = layer.name.contains(".") ? String(layer.name.prefix { $0 != "." }) : "stem"
      return Convolution(name: layer.name, stage: stage, problem: problem)
    }
  }

  /// The same without repetitions, in the order in which they first occur.
  /// - Throws: ``ProblemError`` when the image does not fit the network.
  public func distinctConvolutions(batch: Int, imageSize: Int) throws(ProblemError) -> [DistinctConvolution] {
    let all = try convolutions(batch: batch, imageSize: imageSize)
    var multiplicities: [Conv2dProblem: Int] = [:]
    for convolution in all { multiplicities[convolution.problem, default: 0] += 1 }
    return all.compactMap { convolution in
      guard let multiplicity = multiplicities.removeValue(forKey: convolution.problem) else { return nil }
      return DistinctConvolution(
        name: convolution.name, stage: convolution.stage, problem: convolution.problem, multiplicity: multiplicity)
    }
  }
}
