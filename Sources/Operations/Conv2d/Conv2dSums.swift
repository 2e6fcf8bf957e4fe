import Problems
import Tensors

/// The sums of products of a convolution and its gradients, by way of the columns matrix of each image and group.
struct Conv2dSums {
  private let problem: Conv2dProblem
  private let given: Given<Double>
  private let x: [Double]
  private let weight: [Double]
  private let dy: [Double]?
  private let output: Pair
  private let before: Pair
  private let positions: Int
  private let rows: Int
  private let channelsPerGroup: Int
  private let outputsPerGroup: Int

  init(_ problem: Conv2dProblem, _ given: Given<Double>) {
    self.problem = problem
    self.given = given
    x = given["x"].elements
    weight = given.operands["weight"]?.elements ?? []
    dy = given.upstream["y"]?.elements
    output = problem.outputSize
    before = problem.paddingBefore
    positions = output.height * output.width
    channelsPerGroup = problem.inputChannels / problem.groups
    outputsPerGroup = problem.outputChannels / problem.groups
    rows = channelsPerGroup * problem.kernelSize.height * problem.kernelSize.width
  }

  private func wants(_ path: String) -> Bool { given.wants(path) }

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

  /// Where the weight (c, r, s) of a row of columns meets the input: calls `body(output position, input offset)`.
  @inline(__always)
  private func forEachMeeting(_ row: Int, _ image: Int, _ group: Int, _ body: (Int, Int) -> Void) {
    let (height, width) = (problem.inputSize.height, problem.inputSize.width)
    let (kernelHeight, kernelWidth) = (problem.kernelSize.height, problem.kernelSize.width)
    let c = row / (kernelHeight * kernelWidth)
    let (r, s) = (row / kernelWidth % kernelHeight, row % kernelWidth)
    let plane = (image * problem.inputChannels + group * channelsPerGroup + c) * height * width
    let (top, left) = (r * problem.dilation.height - before.height, s * problem.dilation.width - before.width)
    for p in 0..<output.height {
      let h = p * problem.stride.height + top
      guard h >= 0, h < height else { continue }
      for q in 0..<output.width {
        let w = q * problem.stride.width + left
        guard w >= 0, w < width else { continue }
        body(p * output.width + q, plane + h * width + w)
      }
    }
  }

  private func columns(_ image: Int, _ group: Int) -> ColumnMatrix {
    var columns = ColumnMatrix(rows: rows, columns: positions)
    for row in 0..<rows {
      forEachMeeting(row, image, group) { position, offset in columns[row, position] = x[offset] }
    }
    return columns
  }

  /// W: a row for each output channel. Of one group.
  var weightMatrix: StrassenBound.Matrix {
    StrassenBound.Matrix(rows: problem.outputChannels, columns: rows, weight)
  }

  /// A row for each output position of every image, a column for each weight of an output channel. Of one group.
  var patches: StrassenBound.Matrix {
    var matrix = StrassenBound.Matrix(
      rows: problem.batch * positions, columns: rows, Array(repeating: 0, count: problem.batch * positions * rows))
    for image in 0..<problem.batch {
      for row in 0..<rows {
        forEachMeeting(row, image, 0) { position, offset in
          matrix.elements[(image * positions + position) * rows + row] = x[offset]
        }
      }
    }
    return matrix
  }

  /// dYᵀ: a row for each output position of every image, a column for each output channel.
  var outputGradients: StrassenBound.Matrix? {
    guard let dy else { return nil }
    let channels = problem.outputChannels
    var matrix = StrassenBound.Matrix(rows: problem.batch * positions, columns: channels, dy)
    for image in 0..<problem.batch {
      for k in 0..<channels {
        for position in 0..<positions {
          matrix.elements[(image * positions + position) * channels + k] =
            dy[(image * channels + k) * positions + position]
        }
      }
    }
    return matrix
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
    let bias = given.operands["bias"]?.elements
    var accumulator = ColumnAccumulator(width: columns.width, .fastest)
    for k in 0..<outputsPerGroup {
      let channel = group * outputsPerGroup + k
      accumulator.take(columns, times: weight, first: channel * rows, step: 1)
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
      let products = columns.products(with: outputs, row: k, .fastest)
      for row in 0..<rows { sums.add(products[row], to: first + row) }
    }
  }

  /// The columns of dx, each a sum over the outputs' channels, added up where they overlap.
  private func addInputGradient(_ outputs: ColumnMatrix, _ image: Int, _ group: Int, to sums: inout ProductSums) {
    var accumulator = ColumnAccumulator(width: outputs.width, .fastest)
    for row in 0..<rows {
      accumulator.take(outputs, times: weight, first: group * outputsPerGroup * rows + row, step: rows)
      forEachMeeting(row, image, group) { position, offset in sums.add(accumulator[position], to: offset) }
    }
  }
}
