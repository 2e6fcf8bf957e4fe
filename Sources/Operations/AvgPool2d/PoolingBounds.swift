import Problems
import Tensors

/// The windows of a pooling over one plane.
struct PoolingWindows {
  /// Input rows and columns of an output row or column, padding left out.
  let rows: [Range<Int>]
  let columns: [Range<Int>]

  init(rows: [Range<Int>], columns: [Range<Int>]) {
    self.rows = rows
    self.columns = columns
  }

  /// Windows as far as they cover input; a dilated one by its hull.
  init(_ window: PoolingWindow) {
    func ranges(_ count: Int, _ input: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int) -> [Range<
      Int
    >] {
      (0..<count).map { index in
        let start = index * stride - padding
        let end = min(start + dilation * (kernel - 1) + 1, input)
        let first = min(max(start, 0), input)
        return first..<max(first, end)
      }
    }
    let (size, shape) = (window.outputSize, window.inputShape)
    rows = ranges(
      size.height, shape[2], window.kernelSize.height, window.stride.height, window.padding.height,
      window.dilation.height)
    columns = ranges(
      size.width, shape[3], window.kernelSize.width, window.stride.width, window.padding.width, window.dilation.width)
  }

  /// How many windows cover one input element at most.
  var greatestOverlap: Int {
    func greatest(_ ranges: [Range<Int>]) -> Int {
      let extent = ranges.map(\.upperBound).max() ?? 0
      return (0..<extent).map { position in ranges.count { $0.contains(position) } }.max() ?? 0
    }
    return greatest(rows) * greatest(columns)
  }
}

/// A maximum is one of the inputs: no error forward. Backward, dx is the sum of the cotangents of the windows that the
/// element won, bounded here by the sum over all windows that cover it.
struct MaxPool2dBounds: BoundModel {
  private let outputCount: Int
  private let gradient: ProductSums?

  init(_ problem: MaxPool2dProblem, _ operation: Operation) {
    outputCount = problem.outputShape.count
    gradient = operation.upstream["y"].map { dy in
      scatter(dy, PoolingWindows(problem.window), problem.inputShape) { _, _ in 1 }
    }
  }

  func isExact(_ path: String) -> Bool { true }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    case "outputs/y", "outputs/indices": .none(count: outputCount)
    // The value of `gradient` is not dx, so its statistical bound means nothing.
    case "gradients/x": gradient.map { ElementBounds(rigorous: $0.bounds(in: rounding).rigorous) }
    default: nil
    }
  }
}

/// A mean of each window: a sum of the window's elements over a divisor that is one integer (exact when a power of two).
/// One more rounding for the division, or two where it is a multiplication by the rounded reciprocal.
struct AveragePoolingBounds: BoundModel {
  private let output: ProductSums
  private let gradient: ProductSums?
  private let divisorsArePowersOfTwo: Bool

  init(_ problem: AvgPool2dProblem, _ operation: Operation) {
    let window = problem.window
    self.init(operation, problem.inputShape, PoolingWindows(window)) { p, q in
      if let divisor = problem.divisorOverride { return divisor }
      func extent(_ index: Int, _ input: Int, _ kernel: Int, _ stride: Int, _ padding: Int) -> Int {
        let start = index * stride - padding
        // Padding counts as far as it lies within the padded input; what hangs over beyond it never does.
        let end = min(start + kernel, input + padding)
        return problem.countIncludePad ? end - start : min(end, input) - max(start, 0)
      }
      return extent(p, problem.inputShape[2], window.kernelSize.height, window.stride.height, window.padding.height)
        * extent(q, problem.inputShape[3], window.kernelSize.width, window.stride.width, window.padding.width)
    }
  }

  init(_ problem: AdaptiveAvgPool2dProblem, _ operation: Operation) {
    func ranges(_ input: Int, _ output: Int) -> [Range<Int>] {
      (0..<output).map { $0 * input / output..<(($0 + 1) * input + output - 1) / output }
    }
    let windows = PoolingWindows(
      rows: ranges(problem.inputShape[2], problem.outputSize.height),
      columns: ranges(problem.inputShape[3], problem.outputSize.width))
    self.init(operation, problem.inputShape, windows) { p, q in windows.rows[p].count * windows.columns[q].count }
  }

  private init(
    _ operation: Operation, _ shape: Shape, _ windows: PoolingWindows, divisor: (_ p: Int, _ q: Int) -> Int
  ) {
    let x = operation.input().elements
    let planes = shape[0] * shape[1]
    let (height, width) = (shape[2], shape[3])
    let largest = (windows.rows.map(\.count).max() ?? 0) * (windows.columns.map(\.count).max() ?? 0)
    var output = ProductSums(count: planes * windows.rows.count * windows.columns.count, termCount: largest)
    var powers = true
    var element = 0
    for plane in 0..<planes {
      for (p, rows) in windows.rows.enumerated() {
        for (q, columns) in windows.columns.enumerated() {
          let divisor = divisor(p, q)
          powers = powers && divisor != 0 && divisor.magnitude.nonzeroBitCount == 1
          for h in rows {
            for w in columns { output.add(x[(plane * height + h) * width + w] / Double(divisor), to: element) }
          }
          element += 1
        }
      }
    }
    self.output = output
    divisorsArePowersOfTwo = powers
    gradient = operation.upstream["y"].map { scatter($0, windows, shape, divisor: divisor) }
  }

  func isExact(_ path: String) -> Bool { divisorsArePowersOfTwo }
  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    case "outputs/y": output.bounds(in: rounding, extraRoundings: 2)
    case "gradients/x": gradient?.bounds(in: rounding, extraRoundings: 2)
    default: nil
    }
  }
}

/// Every output's cotangent over its divisor, added to each input of its window.
private func scatter(
  _ dy: Tensor<Double>, _ windows: PoolingWindows, _ shape: Shape, divisor: (_ p: Int, _ q: Int) -> Int
) -> ProductSums {
  var sums = ProductSums(count: shape.count, termCount: windows.greatestOverlap)
  var element = 0
  for plane in 0..<shape[0] * shape[1] {
    for (p, rows) in windows.rows.enumerated() {
      for (q, columns) in windows.columns.enumerated() {
        let term = dy.elements[element] / Double(divisor(p, q))
        element += 1
        for h in rows { for w in columns { sums.add(term, to: (plane * shape[2] + h) * shape[3] + w) } }
      }
    }
  }
  return sums
}
