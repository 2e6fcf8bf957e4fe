import Tensors

/// Layers one after the other, each taking the shape that the one before leaves.
struct LayerChain {
  private(set) var layers: [NetworkLayer] = []
  private(set) var shape: Shape
  let prefix: String
  let training: Bool
  /// Names of batch norms whose `num_batches_tracked` is not kept.
  var uncounted: Set<String> = []

  init(from shape: Shape, prefix: String, training: Bool) {
    self.shape = shape
    self.prefix = prefix
    self.training = training
  }

  mutating func append(_ name: String, _ problem: any OperationProblem) {
    let layer = NetworkLayer(name: prefix + name, problem)
    layers.append(layer)
    shape = layer.outputShape
  }

  /// A convolution without bias, as before a batch norm.
  mutating func conv(
    _ name: String, out: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) throws(ProblemError) {
    let problem = try Conv2dProblem(
      batch: shape[0], inputChannels: shape[1], inputSize: Pair(shape[2], shape[3]), outputChannels: out,
      kernelSize: Pair(kernel), stride: Pair(stride), padding: .explicit(Pair(padding)), dilation: Pair(dilation),
      groups: groups)
    append(name, problem)
  }

  mutating func batchNorm(_ name: String) throws(ProblemError) {
    let problem = try BatchNorm2dProblem(
      inputShape: shape, training: training, countsBatches: !uncounted.contains(prefix + name))
    append(name, problem)
  }

  mutating func relu(_ name: String) { append(name, ReLUProblem(inputShape: shape)) }

  mutating func upsample(_ name: String, size: Pair, mode: Upsample2dProblem.Mode) throws(ProblemError) {
    append(name, try Upsample2dProblem(inputShape: shape, mode: mode, target: .size(size)))
  }
}
