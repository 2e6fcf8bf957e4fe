import Problems
import Tensors

/// Cross-entropy of logits against class indices or class probabilities.
///
///     indices         ℓ[n] = −(1−ε)·w[t]·log p[n,t] − ε/C · Σ c w[c]·log p[n,c],   t = target[n];  0 where t is ignored
///     probabilities   ℓ[n] = −Σ c ((1−ε)·target[n,c] + ε/C)·w[c]·log p[n,c]
///
/// with p the softmax of x, w the class weights (1 without any) and ε the label smoothing. `mean` divides the sum by
/// Σ w[target[n]] over the rows that are not ignored (NaN when all are), or by N for probabilities.
///
/// - Shapes: `x` (N, C); `target` (N) or (N, C); `weight` (C); the loss is a scalar, or (N) without reduction.
/// - Throws: `ProblemError` when a tensor does not have the problem's shape, or a target is neither a class nor
///   `ignoreIndex`; nothing is computed then.
/// - Source: `torch.nn.functional.cross_entropy`.
public struct CrossEntropy: Sendable {
  public let problem: CrossEntropyProblem
  public init(_ problem: CrossEntropyProblem) { self.problem = problem }

  public enum Target<Scalar: RealScalar>: Sendable {
    case indices(Tensor<Int64>)
    case probabilities(Tensor<Scalar>)
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func forward<Scalar: RealScalar>(
    _ x: Tensor<Scalar>, target: Target<Scalar>, weight: Tensor<Scalar>? = nil
  ) throws(ProblemError) -> Tensor<Scalar> {
    try require(x, target, weight)
    let logarithms = try logarithms(x)
    let classes = problem.classes
    let smoothing = Scalar(problem.labelSmoothing)
    var losses = Tensor<Scalar>(zeros: Shape(problem.batch))
    switch target {
    case .probabilities:
      let coefficients = coefficients(target, weight)
      for n in 0..<problem.batch {
        for c in 0..<classes {
          losses.elements[n] -= logarithms.elements[n * classes + c] * coefficients.elements[n * classes + c]
        }
      }
    case .indices(let indices):
      for n in 0..<problem.batch where Int(indices.elements[n]) != problem.ignoreIndex {
        let index = Int(indices.elements[n])
        var loss = -logarithms.elements[n * classes + index] * (weight?.elements[index] ?? 1)
        if problem.labelSmoothing > 0 {
          var sum: Scalar = 0
          for c in 0..<classes { sum -= logarithms.elements[n * classes + c] * (weight?.elements[c] ?? 1) }
          loss = (1 - smoothing) * loss + smoothing / Scalar(classes) * sum
        }
        losses.elements[n] = loss
      }
    }
    if problem.reduction == .none { return losses }
    let sum = losses.elements.reduce(0, +)
    return Tensor(shape: [], elements: [problem.reduction == .mean ? sum / divisor(target, weight) : sum])
  }

  /// The gradient of Σ loss·dLoss by x alone: with ℓ[n] = −Σ c a[n,c]·log p[n,c],
  ///
  ///     dInput[n,c] = dLoss[n] · (p[n,c]·Σ c′ a[n,c′] − a[n,c])
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  @specialized(where Scalar == Dual<Double>)
  public func backward<Scalar: RealScalar>(
    _ dLoss: Tensor<Scalar>, x: Tensor<Scalar>, target: Target<Scalar>, weight: Tensor<Scalar>? = nil
  ) throws(ProblemError) -> Tensor<Scalar> {
    try dLoss.require(problem.reduction == .none ? Shape(problem.batch) : [], as: "upstream/loss")
    try require(x, target, weight)
    let logarithms = try logarithms(x)
    let classes = problem.classes
    let coefficients = coefficients(target, weight)
    let divisor = problem.reduction == .mean ? divisor(target, weight) : 1
    var dInput = Tensor<Scalar>(zeros: problem.inputShape)
    for n in 0..<problem.batch {
      // An ignored row has no part in the loss, not even when the mean over no row at all is NaN.
      if case .indices(let indices) = target, Int(indices.elements[n]) == problem.ignoreIndex { continue }
      let gradient = dLoss.elements[problem.reduction == .none ? n : 0] / divisor
      var sum: Scalar = 0
      for c in 0..<classes { sum += coefficients.elements[n * classes + c] }
      for c in 0..<classes {
        let i = n * classes + c
        dInput.elements[i] = gradient * (.exp(logarithms.elements[i]) * sum - coefficients.elements[i])
      }
    }
    return dInput
  }

  private func logarithms<Scalar: RealScalar>(_ x: Tensor<Scalar>) throws(ProblemError) -> Tensor<Scalar> {
    try LogSoftmax(LogSoftmaxProblem(inputShape: problem.inputShape)).forward(x)
  }

  /// The a[n,c] of ℓ[n] = −Σ c a[n,c]·log p[n,c].
  private func coefficients<Scalar: RealScalar>(_ target: Target<Scalar>, _ weight: Tensor<Scalar>?) -> Tensor<Scalar> {
    let classes = problem.classes
    let smoothing = Scalar(problem.labelSmoothing)
    let share = smoothing / Scalar(classes)
    var coefficients = Tensor<Scalar>(zeros: problem.inputShape)
    for n in 0..<problem.batch {
      for c in 0..<classes {
        let wanted: Scalar
        switch target {
        case .probabilities(let probabilities): wanted = probabilities.elements[n * classes + c]
        case .indices(let indices):
          if Int(indices.elements[n]) == problem.ignoreIndex { continue }
          wanted = Int(indices.elements[n]) == c ? 1 : 0
        }
        coefficients.elements[n * classes + c] = ((1 - smoothing) * wanted + share) * (weight?.elements[c] ?? 1)
      }
    }
    return coefficients
  }

  /// What the mean divides by.
  private func divisor<Scalar: RealScalar>(_ target: Target<Scalar>, _ weight: Tensor<Scalar>?) -> Scalar {
    guard case .indices(let indices) = target else { return Scalar(problem.batch) }
    var sum: Scalar = 0
    for index in indices.elements where Int(index) != problem.ignoreIndex { sum += weight?.elements[Int(index)] ?? 1 }
    return sum
  }

  private func require<Scalar>(
    _ x: Tensor<Scalar>, _ target: Target<Scalar>, _ weight: Tensor<Scalar>?
  ) throws(ProblemError) {
    try x.require(problem.inputShape, as: "inputs/x")
    try weight.require(Shape(problem.classes), when: problem.hasClassWeights, as: "parameters/weight")
    switch target {
    case .probabilities(let probabilities): try probabilities.require(problem.inputShape, as: "inputs/target")
    case .indices(let indices):
      try indices.require(Shape(problem.batch), as: "inputs/target")
      for (row, index) in indices.elements.enumerated() where Int(index) != problem.ignoreIndex {
        guard index >= 0, index < problem.classes else {
          throw ProblemError(
            .indexOutOfRange, "inputs/target[\(row)]",
            expected: "a class from 0 to \(problem.classes - 1), or \(problem.ignoreIndex) to ignore the row",
            found: "\(index)")
        }
      }
    }
  }
}

extension CrossEntropy: Operation {
  public func compute<Scalar: RealScalar>(_ given: Given<Scalar>) throws(ProblemError) -> Found<Scalar> {
    let (x, weight) = (try given.operand("x"), given.operands["weight"])
    let target: Target<Scalar> =
      problem.hasProbabilityTargets
      ? .probabilities(try given.operand("target")) : .indices(try given.integers("target"))
    let dLoss = try given.cotangent("loss", shape: problem.lossShape)
    var found = Found<Scalar>()
    if given.wantsOutputs { found.outputs["loss"] = try forward(x, target: target, weight: weight) }
    if let dLoss { found.gradients["x"] = try backward(dLoss, x: x, target: target, weight: weight) }
    return found
  }

  public var differentiableOperands: Applicable<[String]> { .some(["x"]) }
  public var branches: Applicable<any Branching> { .none(because: "it is smooth") }
  public var layers: Applicable<any LayeredOperation> { .none(because: "it is not a layer of a network") }
}
