import Problems

/// What a kernel of pointers may do with any operation's operands: read on behind their last element.
enum MemoryMutants {
  static let all: [Mutant] = [
    .answering("input read one element past its end", .memory, []) { answer, exercise in
      Overread.spoil(&answer.outputs, with: exercise.inputs)
    },
    .answering("cotangent read one element past its end", .memory, []) { answer, exercise in
      Overread.spoil(&answer.gradients, with: exercise.upstream)
    },
  ]
}
