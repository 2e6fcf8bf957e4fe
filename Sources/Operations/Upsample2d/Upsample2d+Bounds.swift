import Foundation
import Problems
import Tensors

extension Upsample2d {
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? { Upsample2dBounds(problem, given) }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    .none(because: "its bounds cost no more than the layer")
  }
}

/// Nearest: a copy, and backward a sum of the cotangents that one input was copied to. Bilinear: four products, whose weights
/// come from a coordinate that is itself rounded: `src = scale·(i + ½) − ½` is off by at most `4u·(|src| + 1½)`, which moves the
/// result along the interpolant, continuous also where it crosses into the next cell. An axis that keeps its size is copied: its
/// weights are 1 and 0, exactly.
struct Upsample2dBounds: BoundModel {
  /// What one output row or column reads.
  private struct Source: Sendable {
    let first: Int
    let second: Int
    let secondWeight: Double
    /// |src| + 1½ in units of 4u; 0 where nothing is interpolated.
    let uncertainty: Double
    /// Inputs that the coordinate's error can reach.
    let reach: Range<Int>
  }

  private let problem: Upsample2dProblem
  private let x: [Double]
  private let dy: [Double]?
  private let rows: [Source]
  private let columns: [Source]
  private let isDyadic: Bool

  init(_ problem: Upsample2dProblem, _ given: Given<Double>) {
    self.problem = problem
    x = given["x"].elements
    dy = given.upstream["y"]?.elements
    // The layer's own map: a second one would have its own mistakes.
    let axes = UpsamplingAxis.both(of: problem)
    rows = Self.sources(axes.rows, problem.mode)
    columns = Self.sources(axes.columns, problem.mode)
    isDyadic =
      problem.mode == .nearest
      || [axes.rows, axes.columns].allSatisfy { $0.isKept || ($0.step * 256).rounded() == $0.step * 256 }
  }

  private static func sources(_ axis: UpsamplingAxis, _ mode: Upsample2dProblem.Mode) -> [Source] {
    axis.sources.map { source in
      let isExact = mode == .nearest || axis.isKept
      let reach =
        isExact ? source.index..<source.index + 1 : max(source.index - 1, 0)..<min(source.next + 2, axis.inputs)
      return Source(
        first: source.index, second: source.next, secondWeight: source.fraction,
        uncertainty: isExact ? 0 : source.coordinate + 1.5, reach: reach)
    }
  }

  func isExact(_ path: String) -> Bool { isDyadic }

  /// Sums of at most as many cotangents as an input is copied to, each of its own number: no calibration covers them.
  func spread(of path: String) -> ErrorSpread? { nil }

  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    switch path {
    case "outputs/y": problem.mode == .nearest ? .none(count: problem.outputShape.count) : forward(rounding)
    case "gradients/x": backward(rounding)
    default: nil
    }
  }

  private func forward(_ rounding: Rounding) -> ElementBounds {
    let (height, width) = (problem.inputShape[2], problem.inputShape[3])
    var bounds: [Double] = []
    bounds.reserveCapacity(problem.outputShape.count)
    for plane in 0..<problem.inputShape[0] * problem.inputShape[1] {
      func value(_ h: Int, _ w: Int) -> Double { abs(x[(plane * height + h) * width + w]) }
      for row in rows {
        for column in columns {
          let (a, b) = (row.secondWeight, column.secondWeight)
          let top = (1 - b) * value(row.first, column.first) + b * value(row.first, column.second)
          let bottom = (1 - b) * value(row.second, column.first) + b * value(row.second, column.second)
          var greatest = 0.0
          for h in row.reach { for w in column.reach { greatest = max(greatest, value(h, w)) } }
          let uncertainty = 4 * rounding.unit * (row.uncertainty + column.uncertainty)
          bounds.append(
            rounding.gamma(8) * ((1 - a) * top + a * bottom) + 2 * uncertainty * greatest + 8 * rounding.underflow)
        }
      }
    }
    return ElementBounds(rigorous: bounds)
  }

  private func backward(_ rounding: Rounding) -> ElementBounds? {
    guard let dy else { return nil }
    let (height, width) = (problem.inputShape[2], problem.inputShape[3])
    var sums = ProductSums(count: x.count, termCount: 1)
    var uncertain = [Double](repeating: 0, count: x.count)
    var terms = [Int](repeating: 0, count: x.count)
    var element = 0
    for plane in 0..<problem.inputShape[0] * problem.inputShape[1] {
      for row in rows {
        for column in columns {
          let gradient = dy[element]
          element += 1
          let uncertainty = 4 * rounding.unit * (row.uncertainty + column.uncertainty) * abs(gradient)
          for h in row.reach { for w in column.reach { uncertain[(plane * height + h) * width + w] += uncertainty } }
          let (a, b) = (row.secondWeight, column.secondWeight)
          for (h, rowWeight) in [(row.first, 1 - a), (row.second, a)] where rowWeight != 0 {
            for (w, columnWeight) in [(column.first, 1 - b), (column.second, b)] where columnWeight != 0 {
              let target = (plane * height + h) * width + w
              sums.add(gradient * rowWeight * columnWeight, to: target)
              terms[target] += 1
            }
          }
        }
      }
    }
    sums.termCount = terms.max() ?? 0
    var bounds = sums.bounds(in: rounding, extraRoundings: problem.mode == .nearest ? 0 : 6)
    for i in uncertain.indices { bounds.rigorous[i] += uncertain[i] }
    // A coordinate's error is the same for every output of its row: it does not average out.
    if problem.mode == .bilinear { bounds.statistical = nil }
    return bounds
  }
}
