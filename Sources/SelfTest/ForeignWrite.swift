import Engines
import Problems
import Tensors

/// What no Swift code may do, and a foreign kernel does: a write to an input, whose storage is shared with the caller's.
enum ForeignWrite {
  static func change<Element>(_ tensor: Tensor<Element>, _ body: (UnsafeMutablePointer<Element>) -> Void) {
    tensor.elements.withUnsafeBufferPointer { elements in
      if let address = elements.baseAddress { body(UnsafeMutablePointer(mutating: address)) }
    }
  }
}

/// An engine behind which the signs of `x` are what they were: how a fingerprint that cannot see signs looks from outside.
struct SignsRestored: Engine {
  let base: any Engine
  var description: EngineDescription { base.description }

  func compute(_ exercise: Exercise) throws(EngineError) -> Answer {
    guard case .float64(let x)? = exercise.inputs["x"] else { return try base.compute(exercise) }
    let signs = x.elements.map(\.sign)
    let answer = try base.compute(exercise)
    ForeignWrite.change(x) { elements in
      for (i, sign) in signs.enumerated() where elements[i].sign != sign { elements[i].negate() }
    }
    return answer
  }

  func prepare(_ exercise: Exercise, for timing: TimingRequest) throws(EngineError) -> any PreparedOperation {
    try base.prepare(exercise, for: timing)
  }
}
