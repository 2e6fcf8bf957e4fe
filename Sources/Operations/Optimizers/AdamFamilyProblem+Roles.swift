import Problems

extension AdamFamilyProblem {
  /// The moments are means of gradients and of their squares.
  var roles: [String: OperandRole] {
    let roles: [String: OperandRole] = [
      "gradients": .values, "p": .values, "exp_avg": .mean, "exp_avg_sq": .variance, "max_exp_avg_sq": .variance,
    ]
    return roles.filter { operands.all[$0.key] != nil }
  }
}
