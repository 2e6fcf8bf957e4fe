import Problems
import Tensors

/// The sums of products of a convolution and its gradients, by way of the columns matrix of each image and group.
struct Conv2dSums {
  private let problem: Conv2dProblem
  private let operation: Operation
  private let x: [Double]
  private let weight: [Double]
  private let dy: [Double]?
  private let positions: Int
  private let rows: Int
  private let channelsPerGroup: Int
  private let outputsPerGroup: Int

  init(_ problem: Conv2dProblem, _ operation: Operation) {
    self.problem = problem
    self.operation = operation
    x = operation.input().elements
    weight = operation.parameters["weight"]?.elements ?? []
    dy = operation.upstream["y"]?.elements
    positions = problem.outputSize.height * problem.outputSize.width
    channelsPerGroup = problem.inputChannels / problem.groups
    outputsPerGroup = problem.outputChannels / problem.groups
    rows = channelsPerGroup * problem.kernelSize.height * problem.kernelSize.width
  }

  private func wants(_ path: String) -> Bool { operation.wanted.contains(path) }

  func sums() -> [String: ProductSums] {
    var result: [String: ProductSums] = [:]
    let planes = problem.batch * positions
    if wants("outputs/y") {
      result["outputs/y"] = ProductSums(
        count: problem.outputShape.count, termCount: rows + (problem.hasBias ? 1 : 0))
    }
    if dy != nil {
      let taps = problem.kernelSize.height * problem.kernelSize.width
      if wants("gradients/x") {
        result["gradients/x"] = ProductSums(count: x.count, termCount: outputsPerGroup * taps)
      }
      if wants("gradients/weight") {
        result["gradients/weight"] = ProductSums(count: weight.count, termCount: planes)
      }
      if wants("gradients/bias") {
        result["gradients/bias"] = ProductSums(count: problem.outputChannels, termCount: planes)
      }
    }
    for image in 0..<problem.batch {
      for group in 0..<problem.groups { accumulate(image, group, into: &result) }
    }
    return result
  }

  private func accumulate(_ image: Int, _ group: Int, into result: inout [String: ProductSums]) {
    let outputs = outputRows(image, group)
    if result["outputs/y"] != nil || result["gradients/weight"] != nil {
      let columns = self.columns(image, group)
      if result["outputs/y"] != nil { addForward(columns, image, group, to: &result["outputs/y"]!) }
      if let outputs, result["gradients/weight"] != nil {
        addWeightGradient(columns, outputs, group, to: &result["gradients/weight"]!)
      }
    }
    guard let outputs else { return }
    if result["gradients/x"] != nil { addInputGradient(outputs, image, group, to: &result["gradients/x"]!) }
    if result["gradients/bias"] != nil {
      for k in 0..<outputsPerGroup {
        for position in 0..<positions {
          result["gradients/bias"]!.add(outputs[k, position], to: group * outputsPerGroup + k)
        }
      }
    }
  }

  /// Where each weight (c, r, s) of the group meets the input: calls `body(row, output position, input offset)`.
  private func forEachMeeting(_ image: Int, _ group: Int, _ body: (Int, Int, Int) -> Void) {
    let (height, width) = (problem.inputSize.height, problem.inputSize.width)
    let (before, output) = (problem.paddingBefore, problem.outputSize)
    var row = 0
    for c in 0..<channelsPerGroup {
      let plane = (image * problem.inputChannels + group * channelsPerGroup + c) * height * width
      for r in 0..<problem.kernelSize.height {
        for s in 0..<problem.kernelSize.width {
          for p in 0..<output.height {
            let h = p * problem.stride.height - before.height + r * problem.dilation.height
            guard h >= 0, h < height else { continue }
            for q in 0..<output.width {
              let w = q * problem.stride.width - before.width + s * problem.dilation.width
              guard w >= 0, w < width else { continue }
              body(row, p * output.width + q, plane + h * width + w)
            }
          }
          row += 1
        }
      }
    }
  }

  private func columns(_ image: Int, _ group: Int) -> ColumnMatrix {
    var columns = ColumnMatrix(rows: rows, columns: positions)
    forEachMeeting(image, group) { row, position, offset in columns[row, position] = x[offset] }
    return columns
  }

  private func outputRows(_ image: Int, _ group: Int) -> ColumnMatrix? {
    guard let dy else { return nil }
    var matrix = ColumnMatrix(rows: outputsPerGroup, columns: positions)
    for k in 0..<outputsPerGroup {
      let plane = (image * problem.outputChannels + group * outputsPerGroup + k) * positions
      for position in 0..<positions { matrix[k, position] = dy[plane + position] }
    }
    return matrix
  }

  private func addForward(_ columns: ColumnMatrix, _ image: Int, _ group: Int, to sums: inout ProductSums) {
    let bias = operation.parameters["bias"]?.elements
    var accumulator = ColumnAccumulator(width: columns.width)
    for k in 0..<outputsPerGroup {
      let channel = group * outputsPerGroup + k
      accumulator.clear()
      for row in 0..<rows { accumulator.add(columns, row: row, times: weight[channel * rows + row]) }
      let plane = (image * problem.outputChannels + channel) * positions
      for position in 0..<positions {
        sums.add(accumulator[position], to: plane + position)
        if let bias { sums.add(bias[channel], to: plane + position) }
      }
    }
  }

  private func addWeightGradient(
    _ columns: ColumnMatrix, _ outputs: ColumnMatrix, _ group: Int, to sums: inout ProductSums
  ) {
    for k in 0..<outputsPerGroup {
      let first = (group * outputsPerGroup + k) * rows
      for row in 0..<rows { sums.add(columns.products(row: row, with: outputs, row: k), to: first + row) }
    }
  }

  /// The columns of dx, each a sum over the outputs' channels, added up where they overlap.
  private func addInputGradient(_ outputs: ColumnMatrix, _ image: Int, _ group: Int, to sums: inout ProductSums) {
    var accumulator = ColumnAccumulator(width: outputs.width)
    var columns: [SIMD4<Double>] = Array(repeating: .zero, count: rows * positions)
    for row in 0..<rows {
      accumulator.clear()
      for k in 0..<outputsPerGroup {
        accumulator.add(outputs, row: k, times: weight[(group * outputsPerGroup + k) * rows + row])
      }
      for position in 0..<positions { columns[row * positions + position] = accumulator[position] }
    }
    forEachMeeting(image, group) { row, position, offset in
      sums.add(columns[row * positions + position], to: offset)
    }
  }
}
