import Problems
import Tensors

/// One layer as a forward pass met it: enough for its backward pass, and for judging it on its own.
public struct LayerRecord<Scalar: RealScalar>: Sendable {
  public let layer: NetworkLayer
  public let x: Tensor<Scalar>
  /// The second summand of an addition.
  public let other: Tensor<Scalar>?
  public let y: Tensor<Scalar>
  /// The winners of a max pool.
  public let indices: Tensor<Int64>?
}

/// What one layer's backward pass gives.
public struct LayerGradients<Scalar: RealScalar>: Sendable {
  public var dInput: Tensor<Scalar>
  /// Of the second summand of an addition.
  public var dOther: Tensor<Scalar>?
  /// By full `state_dict` name.
  public var parameters: [String: Tensor<Scalar>] = [:]
}

extension NetworkLayer {
  /// Computes the layer. Running statistics in `state` change in training.
  /// - Parameters:
  ///   - x: the layer's input.
  ///   - other: the second summand of an addition.
  ///   - state: parameters and running statistics, by the layer's name.
  ///   - gates: decide ReLUs and max pools in place of x, where they name the layer.
  ///   - threads: share convolutions; they change no bit.
  /// - Throws: ``ProblemError`` when a tensor is missing or has the wrong shape.
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, other: Tensor<Scalar>? = nil, state: inout NetworkState<Scalar>, gates: Gates? = nil,
    threads: Int = 1
  ) throws(ProblemError) -> LayerRecord<Scalar> {
    let y: Tensor<Scalar>
    var indices: Tensor<Int64>?
    switch operation {
    case .conv2d(let problem):
      let bias = problem.hasBias ? try state.parameter("\(name).bias") : nil
      y = try Conv2d(problem, threads: threads).forward(x, weight: try state.parameter("\(name).weight"), bias: bias)
    case .linear(let problem):
      let bias = problem.hasBias ? try state.parameter("\(name).bias") : nil
      y = try Linear(problem).forward(x, weight: try state.parameter("\(name).weight"), bias: bias)
    case .batchNorm2d(let problem):
      let weight = problem.hasWeight ? try state.parameter("\(name).weight") : nil
      let bias = problem.hasBias ? try state.parameter("\(name).bias") : nil
      let result = try BatchNorm2d(problem).forward(x, weight: weight, bias: bias, buffers: state.buffers[name])
      y = result.y
      state.buffers[name] = result.buffersAfter
    case .relu(let problem):
      if let open = gates?.relu[name] {
        guard open.count == x.count else {
          throw ProblemError(.shapeMismatch, "gates/\(name)", expected: "\(x.count) gates", found: "\(open.count)")
        }
        y = ReLU(problem).forward(x, gates: open)
      } else {
        y = try ReLU(problem).forward(x)
      }
    case .maxPool2d(let problem):
      if let winners = gates?.maxPool[name] {
        y = try MaxPool2d(problem).forward(x, indices: winners)
        indices = winners
      } else {
        let result = try MaxPool2d(problem).forward(x)
        (y, indices) = (result.y, result.indices)
      }
    case .add(let problem):
      guard let other else {
        throw ProblemError(.shapeMismatch, "\(name)/other", expected: "a tensor", found: "none")
      }
      y = try Add(problem).forward(x, other)
    case .avgPool2d(let problem): y = try AvgPool2d(problem).forward(x)
    case .adaptiveAvgPool2d(let problem): y = try AdaptiveAvgPool2d(problem).forward(x)
    case .upsample2d(let problem): y = try Upsample2d(problem).forward(x)
    case .flatten(let problem): y = try Flatten(problem).forward(x)
    }
    return LayerRecord(layer: self, x: x, other: other, y: y, indices: indices)
  }
}

extension LayerRecord {
  /// The gradients of Σ y·dOutput.
  /// - Parameters:
  ///   - dOutput: the cotangent of the layer's output.
  ///   - state: as the forward pass had it.
  ///   - gates: those of the forward pass, where it had any.
  ///   - threads: share convolutions; they change no bit.
  /// - Throws: `ProblemError` when a tensor is missing or has the wrong shape.
  public func backward(
    _ dOutput: Tensor<Scalar>, state: NetworkState<Scalar>, gates: Gates? = nil, threads: Int = 1
  ) throws(ProblemError) -> LayerGradients<Scalar> {
    let name = layer.name
    switch layer.operation {
    case .conv2d(let problem):
      let weight = try state.parameter("\(name).weight")
      let (dInput, dWeight, dBias) = try Conv2d(problem, threads: threads).backward(dOutput, x: x, weight: weight)
      return gradients(dInput, weight: dWeight, bias: dBias)
    case .linear(let problem):
      let weight = try state.parameter("\(name).weight")
      let (dInput, dWeight, dBias) = try Linear(problem).backward(dOutput, x: x, weight: weight)
      return gradients(dInput, weight: dWeight, bias: dBias)
    case .batchNorm2d(let problem):
      let weight = problem.hasWeight ? try state.parameter("\(name).weight") : nil
      let (dInput, dWeight, dBias) = try BatchNorm2d(problem).backward(
        dOutput, x: x, weight: weight, buffers: state.buffers[name])
      return gradients(dInput, weight: dWeight, bias: dBias)
    case .relu(let problem):
      if let open = gates?.relu[name] { return LayerGradients(dInput: ReLU(problem).forward(dOutput, gates: open)) }
      return LayerGradients(dInput: try ReLU(problem).backward(dOutput, x: x))
    case .maxPool2d(let problem):
      guard let indices else {
        throw ProblemError(.shapeMismatch, "\(name)/indices", expected: "a tensor", found: "none")
      }
      return LayerGradients(dInput: try MaxPool2d(problem).backward(dOutput, indices: indices))
    case .add(let problem):
      let (dInput, dOther) = try Add(problem).backward(dOutput)
      return LayerGradients(dInput: dInput, dOther: dOther)
    case .avgPool2d(let problem): return LayerGradients(dInput: try AvgPool2d(problem).backward(dOutput))
    case .adaptiveAvgPool2d(let problem):
      return LayerGradients(dInput: try AdaptiveAvgPool2d(problem).backward(dOutput))
    case .upsample2d(let problem): return LayerGradients(dInput: try Upsample2d(problem).backward(dOutput))
    case .flatten(let problem): return LayerGradients(dInput: try Flatten(problem).backward(dOutput))
    }
  }

  private func gradients(
    _ dInput: Tensor<Scalar>, weight: Tensor<Scalar>?, bias: Tensor<Scalar>?
  ) -> LayerGradients<Scalar> {
    var gradients = LayerGradients(dInput: dInput)
    gradients.parameters["\(layer.name).weight"] = weight
    gradients.parameters["\(layer.name).bias"] = bias
    return gradients
  }
}
