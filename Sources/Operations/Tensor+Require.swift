import Problems
import Tensors

extension Tensor {
  /// Throws `shape_mismatch` unless the tensor has the shape that the problem gives it.
  func require(_ expected: Shape, as subject: String) throws(ProblemError) {
    guard shape == expected else {
      throw ProblemError(.shapeMismatch, subject, expected: "shape \(expected)", found: "shape \(shape)")
    }
  }
}

extension Optional {
  /// The same for an optional parameter: present exactly when the problem has it.
  func require<Element>(
    _ expected: Shape, when present: Bool, as subject: String
  ) throws(ProblemError) where Wrapped == Tensor<Element> {
    switch (self, present) {
    case (nil, false): return
    case (.some(let tensor), true): try tensor.require(expected, as: subject)
    case (nil, true):
      throw ProblemError(.shapeMismatch, subject, expected: "shape \(expected)", found: "no tensor")
    case (.some(let tensor), false):
      throw ProblemError(.shapeMismatch, subject, expected: "no tensor", found: "shape \(tensor.shape)")
    }
  }
}
