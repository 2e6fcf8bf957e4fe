import Engines
import Tensors

extension CheckedFunction {
  /// An operation that the reference does not have: an engine's backward pass, held against finite differences of the
  /// engine's own forward pass, in double precision where it has that. What both passes get wrong alike is not seen.
  ///
  /// - Parameters:
  ///   - exercise: the operation in the precision that the backward pass is judged in.
  ///   - outputs: those that have cotangents.
  ///   - checked: the operands to differentiate with respect to.
  init(
    engine: any Engine, custom exercise: Exercise, operands: NamedTensors, outputs: Set<String>, checked: [String]
  ) {
    var finest = exercise
    finest.dtype = engine.description.dtypes.contains(.float64) ? .float64 : exercise.dtype
    let forward = finest
    self.init(
      name: exercise.name, at: operands, checking: checked,
      forward: { operands in
        let answer = try Self.ask(engine, forward.asking(for: operands, outputs: outputs))
        return answer.outputs.filter { outputs.contains($0.key) }.mapValues(\.doubles)
      },
      backward: Self.backward(of: engine, exercise: exercise, checked: checked))
    backwardUnitRoundoff = exercise.dtype.unitRoundoff
  }
}
