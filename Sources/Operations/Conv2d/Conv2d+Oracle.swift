import Problems
import Tensors

extension Oracle {
  /// Convolutions by blocked loops (`BlockedConv2d`); everything else by its definition.
  public static let blocked = Oracle(of: [Conv2d.name]) { (problem, given) throws(ProblemError) in
    guard let problem = problem as? Conv2dProblem else { return nil }
    return try BlockedConv2d(problem, threads: given.threads).compute(given)
  }
}

extension BlockedConv2d {
  /// What ``Conv2d`` gives for the same operands.
  /// - Throws: ``ProblemError`` when operands do not fit the problem.
  func compute(_ given: Given<Double>) throws(ProblemError) -> Found<Double> {
    let (x, weight) = (try given.operand("x"), try given.operand("weight"))
    let dOutput = try given.cotangent(shape: problem.outputShape)
    var found = Found(y: given.wantsOutputs ? try forward(x, weight: weight, bias: given.operands["bias"]) : nil)
    guard let dOutput else { return found }
    if given.wantsGradient("x") { found.gradients["x"] = try backwardInput(dOutput, weight: weight) }
    if given.wantsGradient("weight") { found.gradients["weight"] = try backwardWeight(dOutput, x: x) }
    if problem.hasBias, given.wantsGradient("bias") {
      found.gradients["bias"] = try Conv2d(problem).backwardBias(dOutput)
    }
    return found
  }
}
