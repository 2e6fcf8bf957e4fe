import Problems
import Tensors

/// What an optimiser remembers of one parameter, under PyTorch's names.
public struct OptimizerState<Scalar: RealScalar>: Sendable {
  /// Steps taken so far.
  public var step: Int
  public var momentumBuffer: Tensor<Scalar>?
  public var expAvg: Tensor<Scalar>?
  public var expAvgSq: Tensor<Scalar>?
  public var maxExpAvgSq: Tensor<Scalar>?

  public init(step: Int = 0) { self.step = step }
}

/// One step of SGD, Adam or AdamW on one parameter.
///
/// - Source: `torch.optim`; Sutskever et al. 2013 (momentum, Nesterov), Kingma and Ba 2015 (Adam), Reddi et al. 2018
///   (amsgrad), Loshchilov and Hutter 2019 (AdamW).
public struct Optimizer: Sendable {
  public let options: OptimizerOptions
  public init(_ options: OptimizerOptions) { self.options = options }

  /// Moves `p` along its gradient and updates the state.
  /// - Parameters:
  ///   - p: the parameter; it is changed in place.
  ///   - gradient: of the same shape.
  ///   - state: what the optimiser remembers of this parameter.
  ///   - learningRate: in place of the options', as a schedule gives it.
  /// - Throws: `ProblemError` when the gradient or the state has another shape; nothing is changed then.
  public func step<Scalar: RealScalar>(
    _ p: inout Tensor<Scalar>, gradient: Tensor<Scalar>, state: inout OptimizerState<Scalar>,
    learningRate: Double? = nil
  ) throws(ProblemError) {
    try gradient.require(p.shape, as: "gradient")
    for tensor in [state.momentumBuffer, state.expAvg, state.expAvgSq, state.maxExpAvgSq] {
      try tensor?.require(p.shape, as: "optimiser state")
    }
    state.step += 1
    switch options {
    case .sgd(let options):
      sgd(options, learningRate ?? options.learningRate, &p, gradient, &state)
    case .adam(let options):
      adam(options, learningRate ?? options.learningRate, &p, gradient, &state)
    }
  }

  /// g ← g + decay·p;  b ← μ·b + (1 − dampening)·g, but b ← g in the first step;  p ← p − lr·b, or p − lr·(g + μ·b)
  /// with Nesterov.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func sgd<Scalar: RealScalar>(
    _ options: SGDOptions, _ learningRate: Double, _ p: inout Tensor<Scalar>, _ gradient: Tensor<Scalar>,
    _ state: inout OptimizerState<Scalar>
  ) {
    let (rate, momentum) = (Scalar(learningRate), Scalar(options.momentum))
    let (decay, share) = (Scalar(options.weightDecay), Scalar(1 - options.dampening))
    let isFirst = state.momentumBuffer == nil
    var buffer = options.momentum == 0 ? nil : state.momentumBuffer ?? gradient
    for i in 0..<p.count {
      var g = gradient.elements[i]
      if options.weightDecay != 0 { g += decay * p.elements[i] }
      if let previous = buffer?.elements[i] {
        let next = isFirst ? g : momentum * previous + share * g
        buffer?.elements[i] = next
        g = options.nesterov ? g + momentum * next : next
      }
      p.elements[i] -= rate * g
    }
    state.momentumBuffer = buffer
  }

  ///     m ← m + (1 − β₁)(g − m),   v ← β₂·v + (1 − β₂)·g²,   v̂ = v, or the largest v so far with amsgrad
  ///     p ← p − lr/(1 − β₁ᵗ) · m / (√v̂/√(1 − β₂ᵗ) + ε)
  ///
  /// Weight decay: g ← g + decay·p (Adam), or p ← p·(1 − lr·decay) before the step (AdamW).
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func adam<Scalar: RealScalar>(
    _ options: AdamOptions, _ learningRate: Double, _ p: inout Tensor<Scalar>, _ gradient: Tensor<Scalar>,
    _ state: inout OptimizerState<Scalar>
  ) {
    let (correction1, correction2) = (1 - power(options.beta1, state.step), 1 - power(options.beta2, state.step))
    let rate = Scalar(learningRate / correction1)
    let root = Scalar(correction2.squareRoot())
    let (share1, share2) = (Scalar(1 - options.beta1), Scalar(1 - options.beta2))
    let (beta2, eps) = (Scalar(options.beta2), Scalar(options.eps))
    let decay = Scalar(options.weightDecay)
    let shrink = Scalar(1 - learningRate * options.weightDecay)
    var m = state.expAvg ?? Tensor(zeros: p.shape)
    var v = state.expAvgSq ?? Tensor(zeros: p.shape)
    var largest = state.maxExpAvgSq ?? Tensor(zeros: options.amsgrad ? p.shape : [0])
    for i in 0..<p.count {
      var g = gradient.elements[i]
      if options.weightDecay != 0 {
        if options.decouplesWeightDecay { p.elements[i] *= shrink } else { g += decay * p.elements[i] }
      }
      m.elements[i] += share1 * (g - m.elements[i])
      v.elements[i] = beta2 * v.elements[i] + share2 * g * g
      var second = v.elements[i]
      if options.amsgrad {
        if second > largest.elements[i] || second.isNaN { largest.elements[i] = second }
        second = largest.elements[i]
      }
      p.elements[i] -= rate * (m.elements[i] / (second.squareRoot() / root + eps))
    }
    state.expAvg = m
    state.expAvgSq = v
    if options.amsgrad { state.maxExpAvgSq = largest }
  }

  /// base^exponent by squaring: at most 2·log₂(exponent) roundings.
  private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}
