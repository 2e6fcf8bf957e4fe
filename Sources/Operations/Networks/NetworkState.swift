import Problems
import Tensors

/// The values of a network: learnt parameters by their `state_dict` name, running statistics by their batch norm's name.
public struct NetworkState<Scalar: RealScalar>: Sendable {
  public var parameters: [String: Tensor<Scalar>]
  public var buffers: [String: BatchNorm2d.Buffers<Scalar>]

  public init(
    parameters: [String: Tensor<Scalar>] = [:], buffers: [String: BatchNorm2d.Buffers<Scalar>] = [:]
  ) {
    self.parameters = parameters
    self.buffers = buffers
  }

  /// Zeros for everything that a plan's layers have.
  public init(zerosOf plan: NetworkPlan) {
    self.init()
    for layer in plan.layers {
      switch layer.problem {
      case let problem as Conv2dProblem:
        parameters["\(layer.name).weight"] = Tensor(zeros: problem.weightShape)
        if problem.hasBias { parameters["\(layer.name).bias"] = Tensor(zeros: Shape(problem.outputChannels)) }
      case let problem as LinearProblem:
        parameters["\(layer.name).weight"] = Tensor(zeros: problem.weightShape)
        if problem.hasBias { parameters["\(layer.name).bias"] = Tensor(zeros: Shape(problem.outputFeatures)) }
      case let problem as BatchNorm2dProblem:
        let vector = Shape(problem.channels)
        if problem.hasWeight { parameters["\(layer.name).weight"] = Tensor(zeros: vector) }
        if problem.hasBias { parameters["\(layer.name).bias"] = Tensor(zeros: vector) }
        if problem.tracksRunningStatistics {
          buffers[layer.name] = BatchNorm2d.Buffers(
            runningMean: Tensor(zeros: vector), runningVariance: Tensor(zeros: vector),
            batchesTracked: problem.countsBatches ? 0 : nil)
        }
      default: break
      }
    }
  }

  /// A parameter.
  /// - Throws: ``ProblemError`` when there is none of that name.
  func parameter(_ name: String) throws(ProblemError) -> Tensor<Scalar> {
    guard let tensor = parameters[name] else {
      throw ProblemError(.shapeMismatch, "parameters/\(name)", expected: "a tensor", found: "none")
    }
    return tensor
  }

  /// The same values in another scalar type.
  public func map<Other: RealScalar>(_ transform: (Scalar) -> Other) -> NetworkState<Other> {
    NetworkState<Other>(
      parameters: parameters.mapValues { $0.map(transform) },
      buffers: buffers.mapValues {
        .init(
          runningMean: $0.runningMean.map(transform), runningVariance: $0.runningVariance.map(transform),
          batchesTracked: $0.batchesTracked)
      })
  }
}

extension NetworkState {
  /// The values of the layers that have any.
  /// - Throws: ``ProblemError`` when a parameter is missing.
  init(_ given: Given<Scalar>, layers: [NetworkLayer]) throws(ProblemError) {
    self.init()
    for layer in layers {
      for expected in layer.parameters { parameters[expected.name] = try given.operand(expected.name) }
      if let statistics = try BatchNorm2d.Buffers(given, prefix: "\(layer.name).") { buffers[layer.name] = statistics }
    }
  }

  /// The running statistics under their full names.
  func put(into found: inout Found<Scalar>, as given: Given<Scalar>) {
    for (name, statistics) in buffers { statistics.put(into: &found, as: given, prefix: "\(name).") }
  }

  /// Gives a layer its running statistics, where it has any.
  func give(_ given: inout Given<Scalar>, to layer: String) { buffers[layer]?.give(to: &given) }

  /// Takes what a layer leaves of them.
  mutating func take(_ found: Found<Scalar>, of layer: String) {
    guard !found.buffersAfter.isEmpty else { return }
    guard let after = BatchNorm2d.Buffers(after: found) else {
      preconditionFailure("\(layer): a network keeps no state but running statistics")
    }
    buffers[layer] = after
  }
}
