import Problems
import Tensors

extension Mutant {
  /// Kernels of a sum of products that are right on independent random values, as far as bounds see, and wrong on operands with
  /// zeros, wide ranges or large exponents (``Problems/OperandPattern``).
  /// - Parameters:
  ///   - operation: whose input is `x`, weight `weight` and output `y`.
  ///   - layer: what names call it.
  ///   - family: what kind of error they are.
  static func hiddenByRandomValues(of operation: String, called layer: String, _ family: Family) -> [Mutant] {
    skippingZeros(operation, layer, family) + flushing(operation, layer, family) + overflowing(operation, layer, family)
  }

  /// Kernels for sparse operands that go on one element too far behind a zero.
  private static func skippingZeros(_ operation: String, _ layer: String, _ family: Family) -> [Mutant] {
    [
      asking("zero weights of a \(layer) skipped with the next one", family, [operation]) {
        $0.parameters.edit("weight") { $0 = $0.withoutSuccessorsOfZeros }
      },
      asking("zero inputs of a \(layer) skipped with the next one", family, [operation]) {
        $0.inputs.edit("x") { $0 = $0.withoutSuccessorsOfZeros }
      },
      asking("zero cotangents of a \(layer) skipped with the next one", family, [operation]) {
        $0.upstream.edit("y") { $0 = $0.withoutSuccessorsOfZeros }
      },
    ]
  }

  /// Operands in block floating point: elements of a block share an exponent, under which 20 bits are kept.
  private static func flushing(_ operation: String, _ layer: String, _ family: Family) -> [Mutant] {
    [
      asking("weights of a \(layer) with one exponent", family, [operation]) {
        $0.parameters.edit("weight") { $0 = $0.flushed(blocks: 1) }
      },
      asking("cotangents of a \(layer) with one exponent", family, [operation]) {
        $0.upstream.edit("y") { $0 = $0.flushed(blocks: 1) }
      },
      stateless("inputs of a \(layer) with one exponent a sample", family, [operation]) {
        (exercise, correct) throws(EngineError) in
        var answer = try correct(exercise)
        var packed = exercise
        packed.passes = [.forward]
        packed.upstream = [:]
        packed.inputs.edit("x") { $0 = $0.flushed(blocks: $0.shape[0]) }
        answer.outputs["y"] = try correct(packed).outputs["y"]
        return answer
      },
    ]
  }

  /// Intermediate results that leave a type's range where the results do not.
  private static func overflowing(_ operation: String, _ layer: String, _ family: Family) -> [Mutant] {
    [
      stateless("cotangents of a \(layer) multiplied by a loss scale of 2²⁴", family, [operation]) {
        (exercise, correct) throws(EngineError) in
        var scaled = exercise
        scaled.upstream.edit("y") { $0 = $0.map { $0 * 0x1p24 } }
        var answer = try correct(scaled)
        for name in answer.gradients.keys { answer.gradients.edit(name) { $0 = $0.map { $0 * 0x1p-24 } } }
        return answer
      },
      answering("sums of a \(layer) kept in 64 bits as multiples of 2⁻²⁴", family, [operation]) { answer, _ in
        answer.outputs.edit("y") { $0 = $0.map { $0.isFinite ? min(max($0, -0x1p39), 0x1p39) : $0 } }
      },
    ]
  }
}

extension Tensor where Element == Double {
  /// Elements that follow an exact zero in memory are zero.
  fileprivate var withoutSuccessorsOfZeros: Tensor {
    var changed = self
    for i in elements.indices.dropFirst() where elements[i - 1] == 0 { changed.elements[i] = 0 }
    return changed
  }

  /// Elements below 2⁻²⁰ of the largest finite one of their block, of so many along the first axis, are zero.
  fileprivate func flushed(blocks: Int) -> Tensor {
    guard blocks > 0, count > 0 else { return self }
    var changed = self
    let length = count / blocks
    for start in Swift.stride(from: 0, to: count, by: length) {
      let block = start..<start + length
      let largest = elements[block].reduce(0) { $1.isFinite ? Swift.max($0, abs($1)) : $0 }
      for i in block where abs(elements[i]) < 0x1p-20 * largest { changed.elements[i] = 0 }
    }
    return changed
  }
}
