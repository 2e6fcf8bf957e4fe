import Problems
import RealModule
import Tensors

/// How a network's values begin, as torchvision's ResNets do.
///
/// - Convolutions: Kaiming normal over the fan out, σ² = 2/(K·R·S).
/// - Batch norms: weight 1, bias 0, running mean 0, running variance 1, no batch counted.
/// - Linear: PyTorch's default, weight and bias uniform in ±1/√in.
/// - Source: He et al. 2015, "Delving deep into rectifiers"; `torchvision.models.resnet`.
public struct Initialization: Sendable {
  public let seed: UInt64
  /// The last batch norm of each block's branch starts with weight 0, so that blocks start as their shortcut.
  public let zeroInitResidual: Bool

  public init(seed: UInt64, zeroInitResidual: Bool = false) {
    self.seed = seed
    self.zeroInitResidual = zeroInitResidual
  }

  /// The values of every layer; the same for the same seed and plan.
  public func state<Scalar: RealScalar>(
    of plan: NetworkPlan, as: Scalar.Type = Scalar.self
  ) -> NetworkState<Scalar> {
    var random = SplitMix64(seed: seed)
    var state = NetworkState<Scalar>(zerosOf: plan)
    let last = zeroInitResidual ? Set(plan.stages.joined().compactMap { $0.branch.last?.name }) : []
    for layer in plan.layers {
      switch layer.problem {
      case let problem as Conv2dProblem:
        state.parameters["\(layer.name).weight"] = kaimingNormal(problem.weightShape, &random)
        if problem.hasBias {
          let fanIn = problem.weightShape.dimensions.dropFirst().reduce(1, *)
          state.parameters["\(layer.name).bias"] = uniform([problem.outputChannels], fanIn: fanIn, &random)
        }
      case let problem as LinearProblem:
        let fanIn = problem.inputFeatures
        state.parameters["\(layer.name).weight"] = uniform(problem.weightShape, fanIn: fanIn, &random)
        if problem.hasBias {
          state.parameters["\(layer.name).bias"] = uniform([problem.outputFeatures], fanIn: fanIn, &random)
        }
      case let problem as BatchNorm2dProblem:
        let ones = Tensor(shape: Shape(problem.channels), repeating: 1 as Scalar)
        if problem.hasWeight, !last.contains(layer.name) { state.parameters["\(layer.name).weight"] = ones }
        state.buffers[layer.name]?.runningVariance = ones
      default: break
      }
    }
    return state
  }

  /// Normal with mean 0 and variance 2/(K·R·S) for a weight (K, C/G, R, S).
  private func kaimingNormal<Scalar: RealScalar>(_ shape: Shape, _ random: inout SplitMix64) -> Tensor<Scalar> {
    let deviation = (2 / Double(shape[0] * shape[2] * shape[3])).squareRoot()
    var elements: [Scalar] = []
    elements.reserveCapacity(shape.count)
    while elements.count < shape.count {
      // Box and Muller 1958: two uniforms give two independent normals. 1 − u is never 0.
      let radius = deviation * (-2 * Double.log(1 - random.nextUniform())).squareRoot()
      let angle = 2 * Double.pi * random.nextUniform()
      elements.append(Scalar(radius * .cos(angle)))
      if elements.count < shape.count { elements.append(Scalar(radius * .sin(angle))) }
    }
    return Tensor(shape: shape, elements: elements)
  }

  /// Uniform in ±1/√fanIn.
  private func uniform<Scalar: RealScalar>(
    _ shape: Shape, fanIn: Int, _ random: inout SplitMix64
  ) -> Tensor<Scalar> {
    let bound = 1 / Double(fanIn).squareRoot()
    return Tensor(
      shape: shape, elements: (0..<shape.count).map { _ in Scalar(bound * (2 * random.nextUniform() - 1)) })
  }
}
