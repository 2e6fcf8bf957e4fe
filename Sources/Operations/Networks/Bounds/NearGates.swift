import Problems
import Tensors

/// Which gates rounding in float32 could decide otherwise: ReLUs whose input lies within λ spreads of 0, and windows of a max pool
/// whose second largest element lies within λ spreads of the largest.
///
/// A correct float32 kernel may take any of them the other way, and its gradients then differ by what flows through that gate.
final class NearGates {
  private let nominal: NominalRun
  /// Disturbed runs that were observed.
  private var runs = 0
  /// Sums of squared deviations of the inputs of ReLUs and max pools, by layer.
  private var squares: [String: [Double]] = [:]

  init(_ nominal: NominalRun) { self.nominal = nominal }

  /// Takes in a disturbed run.
  func observe(_ records: [String: LayerRecord<Double>]) {
    runs += 1
    for (name, record) in records {
      guard record.layer.problem.definition.branches.value != nil, let x = nominal.records[name]?.x.elements else {
        continue
      }
      var sums = squares[name] ?? [Double](repeating: 0, count: x.count)
      for i in x.indices {
        let deviation = record.x.elements[i] - x[i]
        sums[i] += deviation * deviation
      }
      squares[name] = sums
    }
  }

  /// The gates that the undisturbed run took, with every near one the other way; `nil` where none is near.
  func flipped() -> Gates? {
    guard var gates = nominal.gates[0] else { return nil }
    var flips = 0
    for (name, sums) in squares {
      guard let record = nominal.records[name] else { continue }
      // Few runs may both come close to the undisturbed one: half of each square is the layer's mean.
      let mean = sums.reduce(0, +) / Double(max(sums.count, 1))
      let reach = sums.map { ElementBounds.lambda * (($0 + mean) / Double(2 * runs)).squareRoot() }
      guard let gate = gates[name], let branching = record.layer.problem.definition.branches.value else { continue }
      let other = branching.flipped(gate, at: record.x, reach: reach)
      gates[name] = other.gate
      flips += other.flips
    }
    return flips == 0 ? nil : gates
  }
}
