import Engines
import Problems
import Tensors

/// Reading one element past the end of a tensor: what no Swift code may do, and a kernel of pointers does.
enum Overread {
  /// The element behind the last one; 0 for integers and types of 16 bits.
  /// - Requires: a tensor in storage with room behind it, as every exercise has that is given for judging.
  static func element(behind tensor: AnyTensor) -> Double {
    switch tensor {
    case .float32(let tensor): tensor.elements.withUnsafeBufferPointer { Double($0.baseAddress?[tensor.count] ?? 0) }
    case .float64(let tensor): tensor.elements.withUnsafeBufferPointer { $0.baseAddress?[tensor.count] ?? 0 }
    case .packed, .int64: 0
    }
  }

  /// Correct results, with the last element of each computed as if one element too many of every operand went into it.
  static func spoil(_ results: inout [String: AnyTensor], with operands: [String: AnyTensor]) {
    let behind = operands.values.filter { $0.shape.count > 0 }.map(element).reduce(0, +)
    for name in results.keys {
      results.edit(name) { result in if result.count > 0 { result.elements[result.count - 1] += behind } }
    }
  }
}

/// An engine that is given its operands with zeros behind them.
struct ZeroBanded: Engine {
  let base: any Engine
  var description: EngineDescription { base.description }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    func banded(_ tensors: [String: AnyTensor]) -> [String: AnyTensor] {
      tensors.mapValues { tensor in
        switch tensor {
        case .float32(let tensor): .float32(GuardBand.guarded(tensor, by: 0))
        case .float64(let tensor): .float64(GuardBand.guarded(tensor, by: 0))
        case .packed, .int64: tensor
        }
      }
    }
    var changed = exercise
    changed.inputs = banded(exercise.inputs)
    changed.parameters = banded(exercise.parameters)
    changed.upstream = banded(exercise.upstream)
    return try base.compute(changed)
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    try base.prepare(exercise, for: timing)
  }
}
