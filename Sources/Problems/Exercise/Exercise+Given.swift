import Tensors

extension Exercise {
  /// What a definition is given, in double precision, as an exercise: with a backward pass where there are cotangents.
  /// - Parameters:
  ///   - problem: whose operands they are.
  ///   - given: the operands.
  ///   - name: the exercise's.
  public init(_ problem: any OperationProblem, _ given: Given<Double>, named name: String) {
    let types = problem.operands
    func group(_ types: [String: TensorType]) -> [String: AnyTensor] {
      types.reduce(into: [:]) { group, operand in
        group[operand.key] =
          given.operands[operand.key].map { .float64($0) } ?? given.integers[operand.key].map { .int64($0) }
      }
    }
    self.init(
      name: name, operation: type(of: problem).operation, attributes: problem.attributes, inputs: group(types.inputs),
      parameters: group(types.parameters), buffers: group(types.buffers),
      upstream: given.upstream.mapValues { .float64($0) }, dtype: .float64,
      passes: given.upstream.isEmpty ? [.forward] : [.forward, .backward])
  }
}
