import Tensors

extension Mutant {
  /// A defect of kernels of 16 bits, in front of a correct one that computes in float32 and rounds each result once; asked in
  /// float32 that one answers what it has before this rounding.
  public static func ofSixteenBits(
    _ name: String, _ operations: [String], in dtypes: [DType] = DType.narrow, _ defect: @escaping Defect
  ) -> Mutant {
    Mutant(name, .sixteenBits, operations, in: dtypes) { defect }
  }

  /// What is answered is changed; it stays in its type.
  public static func answeringInSixteenBits(
    _ name: String, _ operations: [String], in dtypes: [DType] = DType.narrow,
    _ change: @escaping @Sendable (inout Answer, Exercise) -> Void
  ) -> Mutant {
    ofSixteenBits(name, operations, in: dtypes) { (exercise, correct) throws(EngineError) in
      var answer = try correct(exercise)
      change(&answer, exercise)
      return answer
    }
  }

  /// Results are brought into the type in another way than by rounding once to the nearest, ties to even.
  public static func storingInSixteenBits(
    _ name: String, _ operations: [String] = [], in dtypes: [DType] = DType.narrow,
    _ store: @escaping @Sendable (_ value: Double, _ format: FloatFormat) -> Double
  ) -> Mutant {
    ofSixteenBits(name, operations, in: dtypes) { (exercise, correct) throws(EngineError) in
      guard let format = exercise.dtype.format else { return try correct(exercise) }
      return try correct(exercise.converted(to: .float32)).edited { path, tensor in
        exercise.wantedType(of: path).isNarrow ? tensor.edited { $0 = $0.map { store($0, format) } } : tensor
      }.stored(as: exercise)
    }
  }
}

extension Answer {
  /// Each tensor changed with sight of its path.
  public func edited(_ change: (_ path: String, _ tensor: AnyTensor) -> AnyTensor) -> Answer {
    var changed = self
    for (name, tensor) in outputs { changed.outputs[name] = change("outputs/\(name)", tensor) }
    for (name, tensor) in gradients { changed.gradients[name] = change("gradients/\(name)", tensor) }
    for (name, tensor) in buffersAfter { changed.buffersAfter[name] = change("buffers_after/\(name)", tensor) }
    return changed
  }

  /// Each result rounded once to the type that the exercise wants it in.
  public func stored(as exercise: Exercise) -> Answer {
    edited { path, tensor in tensor.converted(to: exercise.wantedType(of: path)) }
  }
}
