import Convolution
import Problems
import Tensors

/// SGD, Adam or AdamW for all parameters of a network, after `torch.optim`, vector by vector.
public final class NetworkOptimizer {
  /// What it remembers of one parameter.
  struct Memory {
    var step = 0
    /// SGD's momentum buffer; or Adam's means of gradients and of squares, and the largest of the latter with amsgrad.
    var buffers: [AlignedBuffer] = []
  }

  public let options: OptimizerOptions
  /// Parameters that stay as they are.
  public var frozen: Set<String> = []
  private(set) var memory: [String: Memory] = [:]
  private let updates: FloatUpdates

  /// - Parameters:
  ///   - options: the rule.
  ///   - threads: that share the work; they change no bit.
  ///   - instructionSet: by default that of `ASSAY_ISA`, or the widest there is.
  /// - Throws: ``ExecutionError``.
  public init(
    _ options: OptimizerOptions, threads: Int = 1, instructionSet: InstructionSet? = nil
  ) throws(ExecutionError) {
    self.options = options
    updates = try translating { () throws(ConvolutionError) in
      try FloatUpdates(options: ConvolutionOptions(threads: threads, choosing: instructionSet))
    }
  }

  /// Moves every parameter along its gradient.
  /// - Parameters:
  ///   - network: the parameters.
  ///   - learningRate: in place of the options'.
  /// - Throws: ``ExecutionError``.
  public func step(_ network: NetworkParameters, learningRate: Double? = nil) throws(ExecutionError) {
    let rate = learningRate ?? options.learningRate
    for (name, parameter) in network.parameters.sorted(by: { $0.key < $1.key }) where !frozen.contains(name) {
      var known = memory[name] ?? Memory()
      let isFirst = known.buffers.isEmpty
      try translating { () throws(ConvolutionError) in
        while known.buffers.count < bufferNames.count {
          known.buffers.append(try AlignedBuffer(zeros: parameter.shape.count, name: "optimiser state"))
        }
        known.step += 1
        let (rule, rate) = rule(rate, step: known.step, isFirst: isFirst)
        try updates.step(
          parameter.values.buffer, gradient: UnsafeBufferPointer(parameter.gradient.buffer), rule: rule, rate: rate,
          memory: known.buffers)
      }
      memory[name] = known
    }
    network.noteChange()
  }

  /// The names of what is remembered, PyTorch's.
  var bufferNames: [String] {
    switch options {
    case .sgd(let options): options.momentum == 0 ? [] : ["momentum_buffer"]
    case .adam(let options): ["exp_avg", "exp_avg_sq"] + (options.amsgrad ? ["max_exp_avg_sq"] : [])
    }
  }

  private func rule(_ rate: Double, step: Int, isFirst: Bool) -> (FloatUpdates.Rule, Float) {
    switch options {
    case .sgd(let options):
      return (
        .sgd(
          momentum: Float(options.momentum), share: Float(1 - options.dampening), decay: Float(options.weightDecay),
          nesterov: options.nesterov, isFirst: isFirst), Float(rate)
      )
    case .adam(let options):
      let corrections = [options.beta1, options.beta2].map { 1 - Double.pow($0, step) }
      let isDecoupled = options.decouplesWeightDecay
      return (
        .adam(
          share: Float(1 - options.beta1), beta: Float(options.beta2), secondShare: Float(1 - options.beta2),
          decay: isDecoupled ? 0 : Float(options.weightDecay),
          shrink: isDecoupled ? Float(1 - rate * options.weightDecay) : 1, root: Float(corrections[1].squareRoot()),
          eps: Float(options.eps)), Float(rate / corrections[0])
      )
    }
  }

  // MARK: Checkpoints

  /// What is remembered of one parameter, under PyTorch's names.
  public struct State: Sendable {
    public var step: Int
    public var tensors: [String: Tensor<Float>]

    public init(step: Int, tensors: [String: Tensor<Float>]) {
      self.step = step
      self.tensors = tensors
    }
  }

  /// - Parameter network: whose parameters it has moved.
  public func states(of network: NetworkParameters) -> [String: State] {
    memory.reduce(into: [:]) { states, entry in
      guard let shape = network.parameters[entry.key]?.shape else { return }
      let tensors = zip(bufferNames, entry.value.buffers).map { name, buffer in
        (name, Tensor<Float>(shape: shape, elements: Array(buffer.buffer)))
      }
      states[entry.key] = State(step: entry.value.step, tensors: Dictionary(uniqueKeysWithValues: tensors))
    }
  }

  /// Goes on from what another one remembered.
  /// - Throws: ``ExecutionError``, when a tensor is missing or of another size.
  public func restore(_ states: [String: State], for network: NetworkParameters) throws(ExecutionError) {
    for (name, state) in states {
      let parameter = try network.parameter(name)
      var known = Memory(step: state.step)
      for key in bufferNames {
        guard let tensor = state.tensors[key], tensor.count == parameter.shape.count else {
          throw .weight(
            name: "\(name)'s \(key)", expected: "a tensor of shape \(parameter.shape)",
            found: state.tensors[key].map { "\($0.shape)" } ?? "none")
        }
        let buffer = try translating { () throws(ConvolutionError) in
          try AlignedBuffer(zeros: tensor.count, name: key)
        }
        _ = buffer.buffer.update(fromContentsOf: tensor.elements)
        known.buffers.append(buffer)
      }
      memory[name] = known
    }
  }
}
