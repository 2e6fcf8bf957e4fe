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

/// Every output's cotangent over its divisor, added to each input of its window.
func scatter(
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
