import Engines
import Tensors

/// Reading one element past the end of a tensor: what no Swift code may do, and a kernel of pointers does.
enum Overread {
  /// The element behind the last one; 0 for integers.
  /// - Requires: a tensor in storage with room behind it, as every exercise has that is given for judging.
  static func element(behind tensor: AnyTensor) -> Double {
    switch tensor {
    case .float32(let tensor): tensor.elements.withUnsafeBufferPointer { Double($0.baseAddress?[tensor.count] ?? 0) }
    case .float64(let tensor): tensor.elements.withUnsafeBufferPointer { $0.baseAddress?[tensor.count] ?? 0 }
    case .int64: 0
    }
  }

  /// The correct answer, with the last element of each output computed as if a window reached one element too far.
  static func spoil(_ answer: inout Answer, _ exercise: Exercise) {
    guard let x = exercise.inputs["x"], x.shape.count > 0 else { return }
    let behind = element(behind: x)
    answer.outputs.edit("y") { y in if y.count > 0 { y.elements[y.count - 1] += behind } }
    for name in answer.gradients.keys {
      answer.gradients.edit(name) { gradient in
        if gradient.count > 0 { gradient.elements[gradient.count - 1] += behind }
      }
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
        case .int64: tensor
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
