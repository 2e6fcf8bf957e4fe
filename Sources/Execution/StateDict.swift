import Problems
import Tensors

/// A network's tensors by their `state_dict` name, as the steps of a plan need them.
struct StateDict {
  let tensors: [String: AnyTensor]

  /// - Throws: ``ExecutionError/weight(name:expected:found:)`` unless there is a floating tensor of that shape.
  func tensor(_ name: String, _ shape: Shape) throws(ExecutionError) -> Tensor<Float> {
    guard let found = tensors[name] else {
      throw .weight(name: name, expected: "a tensor of shape \(shape)", found: "none")
    }
    guard found.shape == shape, let values = found.floating(as: Float.self) else {
      throw .weight(name: name, expected: "numbers of shape \(shape)", found: "\(found.dtype.rawValue) \(found.shape)")
    }
    return values
  }

  /// K×(C/groups)×R×S; a classifier's matrix is that of 1×1 filters.
  func weights(of convolution: FusedPlan.Convolution) throws(ExecutionError) -> Tensor<Float> {
    let name = "\(convolution.layer).weight"
    let shape = convolution.problem.weightShape
    guard let found = tensors[name], found.shape.rank == 2, shape[2] == 1, shape[3] == 1 else {
      return try tensor(name, shape)
    }
    return try tensor(name, Shape(shape[0], shape[1]))
  }

  /// What is done to each sum: batch norm in evaluation, y = w·(x − mean)/√(variance + eps) + b, as one factor and one term,
  /// which are found in double precision; else the bias.
  func affine(
    of convolution: FusedPlan.Convolution
  ) throws(ExecutionError) -> (scale: [Float]?, shift: [Float]?) {
    let shape = Shape(convolution.problem.outputChannels)
    let bias = convolution.hasBias ? try tensor("\(convolution.layer).bias", shape).elements : nil
    guard let norm = convolution.norm else { return (nil, bias) }
    guard !norm.problem.usesBatchStatistics else {
      throw .unsupported(layer: norm.layer, reason: "expected running statistics to normalise by")
    }
    let mean = try tensor("\(norm.layer).running_mean", shape).elements
    let variance = try tensor("\(norm.layer).running_var", shape).elements
    let weight = norm.problem.hasWeight ? try tensor("\(norm.layer).weight", shape).elements : nil
    let offset = norm.problem.hasBias ? try tensor("\(norm.layer).bias", shape).elements : nil
    var scale: [Float] = []
    var shift: [Float] = []
    for channel in 0..<shape.count {
      let factor = Double(weight?[channel] ?? 1) / (Double(variance[channel]) + norm.problem.eps).squareRoot()
      let centre = Double(mean[channel]) - Double(bias?[channel] ?? 0)
      scale.append(Float(factor))
      shift.append(Float(Double(offset?[channel] ?? 0) - centre * factor))
    }
    return (scale, shift)
  }
}
