import Problems
import Tensors

extension AvgPool2d {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { AveragePoolingBounds(problem, given) }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

/// A mean of each window: a sum of the window's elements over a divisor that is one integer (exact when a power of two).
/// One more rounding for the division, or two where it is a multiplication by the rounded reciprocal.
struct AveragePoolingBounds: BoundModel {
  private let output: ProductSums
  private let gradient: ProductSums?
  private let divisorsArePowersOfTwo: Bool

  init(_ problem: AvgPool2dProblem, _ given: Given<Double>) {
    let window = problem.window
    self.init(given, problem.inputShape, PoolingWindows(window)) { p, q in
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

  init(_ problem: AdaptiveAvgPool2dProblem, _ given: Given<Double>) {
    func ranges(_ input: Int, _ output: Int) -> [Range<Int>] {
      (0..<output).map { $0 * input / output..<(($0 + 1) * input + output - 1) / output }
    }
    let windows = PoolingWindows(
      rows: ranges(problem.inputShape[2], problem.outputSize.height),
      columns: ranges(problem.inputShape[3], problem.outputSize.width))
    self.init(given, problem.inputShape, windows) { p, q in windows.rows[p].count * windows.columns[q].count }
  }

  private init(
    _ given: Given<Double>, _ shape: Shape, _ windows: PoolingWindows, divisor: (_ p: Int, _ q: Int) -> Int
  ) {
    let x = given["x"].elements
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
    gradient = given.upstream["y"].map { scatter($0, windows, shape, divisor: divisor) }
  }

  func isExact(_ path: String) -> Bool { divisorsArePowersOfTwo }

  /// A sum and two roundings more, of which that of a divisor's reciprocal is the same for all windows, and up to u: it has up to
  /// 1/(K + 2) of the bound's variance, and is a drift.
  func spread(of path: String) -> ErrorSpread? {
    guard let sums = path == "outputs/y" ? output : gradient, let spread = sums.spread else { return nil }
    let reciprocal = 1 / Double(sums.termCount + 2)
    let share = spread.meanSquare + reciprocal
    return ErrorSpread(meanSquare: share, scatter: 9, drift: (reciprocal / share).squareRoot())
  }

  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    case "outputs/y": output.bounds(in: rounding, extraRoundings: 2)
    case "gradients/x": gradient?.bounds(in: rounding, extraRoundings: 2)
    default: nil
    }
  }
}
