import Problems

extension [NetworkLayer] {
  /// What the parameters and buffers of all layers mean, by their full names.
  ///
  /// Each is what it is to its layer, but weights of many terms are scaled by their number.
  var roles: [String: OperandRole] {
    var roles: [String: OperandRole] = [:]
    for layer in self {
      let operands = layer.problem.operands
      for (name, role) in layer.problem.definition.roles where operands.inputs[name] == nil {
        let terms = operands.parameters[name]?.shape.dimensions.dropFirst() ?? []
        roles["\(layer.name).\(name)"] = terms.isEmpty ? role : .weight(fanIn: terms.reduce(1, *))
      }
    }
    return roles
  }
}
