import RealModule
import Tensors

/// What is made of logits, N×classes: every exponential and sum in double precision, since there are few of them.
public enum Classification {
  /// exp(x) over its sum, row by row. The largest logit is taken off first, so that nothing overflows.
  public static func softmax(_ logits: Tensor<Float>) -> Tensor<Float> {
    var probabilities = logits
    forEachRow(logits) { row, largest, sum in
      for index in row {
        probabilities.elements[index] = Float(Double.exp(Double(logits.elements[index]) - largest) / sum)
      }
    }
    return probabilities
  }

  /// The mean over the rows of log Σ exp(x) − x[label].
  /// - Parameters:
  ///   - logits: N×classes.
  ///   - labels: N class numbers.
  /// - Throws: ``ExecutionError/operand(name:expected:found:)`` for another number of labels, or one that is no class.
  public static func crossEntropy(
    _ logits: Tensor<Float>, labels: Tensor<Int64>
  ) throws(ExecutionError) -> Double {
    try requireClasses(labels, logits)
    var losses = 0.0
    var index = 0
    forEachRow(logits) { row, largest, sum in
      losses += Double.log(sum) + largest - Double(logits.elements[row.lowerBound + Int(labels.elements[index])])
      index += 1
    }
    return losses / Double(logits.shape[0])
  }

  /// The gradient of that by the logits, (softmax(x) − 1 at the label)/N, times a factor.
  /// - Parameters:
  ///   - logits: N×classes.
  ///   - labels: N class numbers.
  ///   - factor: the gradient by the loss.
  /// - Throws: ``ExecutionError/operand(name:expected:found:)`` for another number of labels, or one that is no class.
  public static func crossEntropyGradient(
    _ logits: Tensor<Float>, labels: Tensor<Int64>, factor: Double = 1
  ) throws(ExecutionError) -> Tensor<Float> {
    try requireClasses(labels, logits)
    var gradient = logits
    var row = 0
    let scale = factor / Double(logits.shape[0])
    forEachRow(logits) { range, largest, sum in
      let label = range.lowerBound + Int(labels.elements[row])
      for index in range {
        let share = Double.exp(Double(logits.elements[index]) - largest) / sum
        gradient.elements[index] = Float((index == label ? share - 1 : share) * scale)
      }
      row += 1
    }
    return gradient
  }

  private static func requireClasses(_ labels: Tensor<Int64>, _ logits: Tensor<Float>) throws(ExecutionError) {
    let (rows, classes) = (logits.shape[0], logits.shape[1])
    guard labels.shape == [rows] else {
      throw .operand(name: "labels", expected: "shape \(Shape(rows))", found: "\(labels.shape)")
    }
    if let label = labels.elements.first(where: { !(0..<Int64(classes)).contains($0) }) {
      throw .operand(name: "labels", expected: "classes 0 to \(classes - 1)", found: "\(label)")
    }
  }

  /// A row's elements, its largest, and Σ exp(x − largest).
  private static func forEachRow(_ logits: Tensor<Float>, _ body: (Range<Int>, Double, Double) -> Void) {
    let classes = logits.shape[1]
    for row in 0..<logits.shape[0] {
      let range = row * classes..<(row + 1) * classes
      let largest = range.reduce(-Double.infinity) { max($0, Double(logits.elements[$1])) }
      body(range, largest, range.reduce(0) { $0 + Double.exp(Double(logits.elements[$1]) - largest) })
    }
  }
}
