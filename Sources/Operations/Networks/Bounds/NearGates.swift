import Problems
import Operations
import Tensors

/// Which gates rounding in float32 could decide otherwise: ReLUs whose input lies within λ spreads of 0, and windows of a max pool
/// whose second largest element lies within λ spreads of the largest.
///
/// A correct float32 kernel may take any of them the other way, and its gradients then differ by what flows through that gate.
final class NearGates {
  private let nominal: NominalRun
  /// Sums of squared deviations of the inputs of ReLUs and max pools, by layer.
  private var squares: [String: [Double]] = [:]

  init(_ nominal: NominalRun) { self.nominal = nominal }

  /// Takes in a disturbed run.
  func observe(_ records: [String: LayerRecord<Double>]) {
    for (name, record) in records {
      switch record.layer.operation {
      case .relu, .maxPool2d: break
      default: continue
      }
      guard let x = nominal.records[name]?.x.elements else { continue }
      var sums = squares[name] ?? [Double](repeating: 0, count: x.count)
      for i in x.indices {
        let deviation = record.x.elements[i] - x[i]
        sums[i] += deviation * deviation
      }
      squares[name] = sums
    }
  }

  /// The gates that the undisturbed run took, with every near one the other way; `nil` where none is near.
  func flipped(runs: Int) -> Gates? {
    guard var gates = nominal.gates[0] else { return nil }
    var flips = 0
    for (name, sums) in squares {
      guard let record = nominal.records[name] else { continue }
      // Few runs may both come close to the undisturbed one: half of each square is the layer's mean.
      let mean = sums.reduce(0, +) / Double(max(sums.count, 1))
      let reach = sums.map { ElementBounds.lambda * (($0 + mean) / Double(2 * runs)).squareRoot() }
      if case .maxPool2d(let problem) = record.layer.operation, var winners = gates.maxPool[name] {
        flips += flip(&winners, record.x, problem.window, reach)
        gates.maxPool[name] = winners
      } else if var open = gates.relu[name] {
        for i in open.indices where abs(record.x.elements[i]) <= reach[i] && reach[i] > 0 {
          open[i].toggle()
          flips += 1
        }
        gates.relu[name] = open
      }
    }
    return flips == 0 ? nil : gates
  }

  /// Gives near windows to their second largest element.
  private func flip(
    _ winners: inout Tensor<Int64>, _ x: Tensor<Double>, _ window: PoolingWindow, _ reach: [Double]
  ) -> Int {
    let width = x.shape[3]
    let plane = x.shape[2] * width
    let size = window.outputSize
    let windows = PoolingWindows(window)
    var flips = 0
    // No network dilates its max pool.
    guard window.dilation == 1 else { return 0 }
    for output in winners.elements.indices {
      let start = output / (size.height * size.width) * plane
      let (p, q) = (output / size.width % size.height, output % size.width)
      let winner = start + Int(winners.elements[output])
      var second: Int?
      for h in windows.rows[p] {
        for w in windows.columns[q] {
          let offset = start + h * width + w
          guard offset != winner else { continue }
          if second.map({ x.elements[offset] > x.elements[$0] }) ?? true { second = offset }
        }
      }
      guard let second, x.elements[winner] - x.elements[second] <= reach[winner] + reach[second],
        reach[winner] + reach[second] > 0
      else { continue }
      winners.elements[output] = Int64(second - start)
      flips += 1
    }
    return flips
  }
}
