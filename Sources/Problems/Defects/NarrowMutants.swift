import Tensors

/// Mistakes that people make in kernels of 16 bits whatever they compute: how results come into their type.
package enum NarrowMutants {
  package static let all: [Mutant] = [
    .storingInSixteenBits("truncated, not rounded") { value, format in
      let unit = format.spacing(at: value)
      return unit.isNaN ? value : (value / unit).rounded(.towardZero) * unit
    },
    .storingInSixteenBits("ties rounded away from zero") { value, format in
      let unit = format.spacing(at: value)
      return unit.isNaN ? value : (value / unit).rounded(.toNearestOrAwayFromZero) * unit
    },
    .storingInSixteenBits("rounded to one bit more first") { value, format in
      value.rounded(toBits: format.fractionBits + 2)
    },
    .storingInSixteenBits("bfloat16 where float16 is asked", in: [.float16]) { value, _ in
      FloatFormat.bfloat16.rounded(value)
    },
    .storingInSixteenBits("float16 where bfloat16 is asked", in: [.bfloat16]) { value, _ in
      FloatFormat.binary16.rounded(value)
    },
    overflowing("overflow to NaN") { _, _ in .nan },
    overflowing("the largest value where infinity is due") { infinity, format in
      infinity < 0 ? -format.greatest : format.greatest
    },
    .storingInSixteenBits("denormals flushed to zero") { value, format in
      abs(value) < format.leastNormal ? 0 : value
    },
    .answeringInSixteenBits("one element one unit in the last place off", []) { answer, exercise in
      guard let format = exercise.dtype.format else { return }
      for (name, tensor) in answer.outputs where tensor.dtype == exercise.dtype {
        answer.outputs.edit(name) { values in
          // The last of the tensor, away from zero.
          guard let last = values.elements.indices.last, values.elements[last].isFinite else { return }
          values.elements[last] +=
            values.elements[last] < 0
            ? -format.spacing(at: values.elements[last]) : format.spacing(at: values.elements[last])
        }
      }
    },
  ]

  /// What becomes of infinity where every operand is finite.
  private static func overflowing(
    _ name: String, _ change: @escaping @Sendable (_ infinity: Double, _ format: FloatFormat) -> Double
  ) -> Mutant {
    .ofSixteenBits(name, []) { (exercise, correct) throws(EngineError) in
      let answer = try correct(exercise)
      let operands = [exercise.inputs, exercise.parameters, exercise.buffers, exercise.upstream].joined()
      guard let format = exercise.dtype.format,
        operands.allSatisfy({ $0.value.doubles.elements.allSatisfy(\.isFinite) })
      else { return answer }
      return answer.edited { _, tensor in
        guard tensor.dtype.isNarrow else { return tensor }
        return tensor.edited { $0 = $0.map { $0.isInfinite ? change($0, format) : $0 } }
      }
    }
  }
}
