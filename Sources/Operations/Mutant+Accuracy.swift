import Problems
import Tensors

extension Mutant {
  /// Sums that are cut off where they should be rounded: each a little too small, none by much.
  static func cutOff(_ name: String, _ operation: String) -> Mutant {
    Mutant(name, .accuracy, [operation], in: [.float32]) {
      { (exercise, correct) throws(EngineError) in
        let answer = try correct(exercise)
        guard let wrong = try exercise.computed(CutOff.self) else { return answer }
        return answer.edited { path, tensor in wrong[path]?.converted(to: tensor.dtype) ?? tensor }
      }
    }
  }

  /// Products of operands that are split into so many terms of so many bits, of which those are left out that are smaller than a
  /// product with the last term.
  static func split(_ name: String, _ operation: String, bits: Int, terms: Int) -> Mutant {
    Mutant(name, .accuracy, [operation], in: [.float32]) {
      { (exercise, correct) throws(EngineError) in
        var answer = try correct(exercise)
        guard let y = try exercise.forward(bits: bits, terms: terms, correct) else { return answer }
        answer.outputs.edit("y") { $0 = y }
        return answer
      }
    }
  }
}

extension Exercise {
  /// The definition's results with sums kept in another way.
  /// - Returns: `nil` for a custom operation.
  package func computed<Keeping: SumKeeping>(_ keeping: Keeping.Type) throws(EngineError) -> Answer? {
    do throws(ProblemError) {
      guard let definition = try OperationRegistry.operation(of: self) else { return nil }
      return Answer(try definition.results(self, keeping))
    } catch { throw EngineError(error) }
  }

  /// The sum over i + j < terms of the forward pass of the i-th term of x and the j-th of the weight.
  package func forward(bits: Int, terms: Int, _ correct: Mutant.Compute) throws(EngineError) -> Tensor<Double>? {
    guard let x = inputs["x"]?.doubles, let weight = parameters["weight"]?.doubles else { return nil }
    let (xs, weights) = (x.split(bits, terms), weight.split(bits, terms))
    var total: Tensor<Double>?
    // The smallest first, as one does it who cares.
    for rank in stride(from: terms - 1, through: 0, by: -1) {
      for i in 0...rank {
        var part = self
        part.passes = [.forward]
        part.upstream = [:]
        part.wanted = ["outputs/y"]
        part.inputs.edit("x") { $0 = xs[i] }
        part.parameters.edit("weight") { $0 = weights[rank - i] }
        if rank > 0 || i > 0 { part.parameters.edit("bias") { $0 = $0.map { _ in 0 } } }
        guard let y = try correct(part).outputs["y"]?.doubles else { return nil }
        total =
          total.map { sum in
            Tensor(shape: y.shape, elements: zip(sum.elements, y.elements).map { Double(Float($0 + $1)) })
          } ?? y
      }
    }
    return total
  }
}

extension Operation {
  fileprivate func results<Keeping: SumKeeping>(
    _ exercise: Exercise, _: Keeping.Type
  ) throws(ProblemError) -> Found<KeptSum<Keeping>> {
    try compute(given(exercise, as: KeptSum<Keeping>.self))
  }
}

extension Tensor where Element == Double {
  /// Terms of so many bits whose sum is this tensor, but for what is left after the last.
  fileprivate func split(_ bits: Int, _ terms: Int) -> [Tensor] {
    var rest = self
    return (0..<terms).map { _ in
      let term = rest.rounded(toBits: bits)
      rest = Tensor(shape: shape, elements: zip(rest.elements, term.elements).map(-))
      return term
    }
  }
}
