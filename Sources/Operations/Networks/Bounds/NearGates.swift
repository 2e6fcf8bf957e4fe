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
  func flipped() -> FlippedGates? {
    guard let taken = nominal.gates[0] else { return nil }
    var (gates, flips) = (taken, 0)
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
    return flips == 0 ? nil : FlippedGates(taken: taken, other: gates)
  }
}

/// Which of the near gates go the other way in each of a few runs: all of them in run 0, and about half of them in each of the
/// others, so that what two of them change cannot cancel in every run.
struct FlippedGates {
  let taken: Gates
  /// With every near one the other way.
  let other: Gates

  /// Gates number 0 to 6 differ, any two of them, in four of eight runs (rows of a Hadamard matrix); further ones in groups of seven
  /// whose runs are drawn.
  private static func isFlipped(_ number: Int, run: Int) -> Bool {
    let isEven = ((number % 7 + 1) & run).nonzeroBitCount.isMultiple(of: 2)
    let group = number / 7
    guard group > 0, run > 0 else { return isEven }
    return isEven != SplitMix64.mix(UInt64(group) << 32 | UInt64(run)).isMultiple(of: 2)
  }

  func gates(run: Int) -> Gates {
    var (gates, number) = (taken, 0)
    func isNext() -> Bool {
      number += 1
      return Self.isFlipped(number - 1, run: run)
    }
    for name in taken.layers {
      switch (taken[name], other[name]) {
      case (.open(var open), .open(let others)):
        for i in open.indices where open[i] != others[i] && isNext() { open[i] = others[i] }
        gates[name] = .open(open)
      case (.winners(var winners), .winners(let others)):
        for i in winners.elements.indices where winners.elements[i] != others.elements[i] && isNext() {
          winners.elements[i] = others.elements[i]
        }
        gates[name] = .winners(winners)
      default: break
      }
    }
    return gates
  }
}
