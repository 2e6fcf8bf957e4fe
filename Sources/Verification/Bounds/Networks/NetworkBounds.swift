import Foundation
import Problems
import Reference
import Tensors

/// Bounds of blocks and networks, end to end. A bound carried through the layers would say nothing, so it is measured: the spread
/// over float64 runs in which every layer's output, and every gradient on the way back, is disturbed as that layer's own
/// rounding in float32 may do (``LayerNoise``). Gates are free: a ReLU that rounding can flip shows up in the spread.
///
///     B = λ·sqrt(mean over runs of (y_run − y)²) + 2u·|y|
///
/// To first order in u the spread of another precision is that of float32 times the ratio of the units. Large networks get fewer
/// runs; an element's square is then averaged with its tensor's mean, since two runs alone may both come out close to y.
struct NetworkBounds: BoundModel {
  private let values: [String: [Double]]
  private let spreads: [String: [Double]]
  /// Running statistics' own rounding, in float32.
  private let own: [String: [Double]]
  private let exact: Bool

  private static let fullRunCount = 32

  /// Runs for a problem of so many multiply-accumulates: 32, fewer where they would take long.
  static func runCount(multiplyAccumulates: Int) -> Int {
    min(fullRunCount, max(2, 60_000_000 / max(multiplyAccumulates, 1)))
  }

  init?(_ plan: NetworkSubject.Plan, _ operation: Operation, multiplyAccumulates: Int) {
    let subject = NetworkSubject(plan, operation)
    let runs = Self.runCount(multiplyAccumulates: multiplyAccumulates)
    let nominal = NominalRun(evenly: runs < Self.fullRunCount)
    guard let values = try? subject.run(nominal.hooks) else { return nil }
    var squares = values.mapValues { [Double](repeating: 0, count: $0.count) }
    for run in 0..<runs {
      let source = NoiseSource(seed: SplitMix64.mix(UInt64(run) &+ 0x5EED))
      let hooks = NetworkSubject.Hooks(
        begin: { step, pass in nominal.noise[step]?.disturb(&pass, from: source) },
        parameter: { source.disturbed($0, roundings: 2) })
      guard let results = try? subject.run(hooks) else { return nil }
      for (path, result) in results {
        guard let value = values[path] else { continue }
        for i in result.indices { squares[path]?[i] += (result[i] - value[i]) * (result[i] - value[i]) }
      }
    }
    self.values = values
    spreads = squares.mapValues { squares in
      guard runs < Self.fullRunCount else { return squares.map { ($0 / Double(runs)).squareRoot() } }
      let mean = squares.reduce(0, +) / Double(max(squares.count, 1))
      return squares.map { (($0 + mean) / Double(2 * runs)).squareRoot() }
    }
    own =
      (nominal.noise[0]?.layers.values).map { layers in
        layers.reduce(into: [:]) { all, deviations in
          for (name, bounds) in deviations.buffers { all["buffers_after/\(name)"] = bounds }
        }
      } ?? [:]
    if case .training = plan { exact = false } else { exact = subject.layers.allSatisfy(Self.isExact) }
  }

  private static func isExact(_ layer: NetworkLayer) -> Bool {
    switch layer.operation {
    case .conv2d, .relu, .add, .maxPool2d, .flatten, .linear: true
    case .batchNorm2d(let problem): !problem.usesBatchStatistics
    case .upsample2d(let problem): problem.mode == .nearest
    case .avgPool2d, .adaptiveAvgPool2d: false
    }
  }

  func isExact(_ path: String) -> Bool { exact && path != "outputs/loss" }

  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    guard let values = values[path], let spreads = spreads[path] else { return nil }
    let scale = rounding.unit / Rounding.float32.unit
    let own = own[path]
    return ElementBounds(
      rigorous: values.indices.map { i in
        ElementBounds.lambda * scale * spreads[i] + 2 * rounding.unit * abs(values[i]) + scale * (own?[i] ?? 0)
      })
  }
}

/// The run without noise, which finds out how much of it each layer is due. Used by one task alone.
private final class NominalRun {
  /// By step.
  private(set) var noise: [Int: LayerNoise] = [:]
  private var cotangents: [String: Tensor<Double>] = [:]
  private let evenly: Bool

  init(evenly: Bool) { self.evenly = evenly }

  var hooks: NetworkSubject.Hooks {
    NetworkSubject.Hooks(
      begin: { _, pass in
        self.cotangents = [:]
        pass.transformGradients = { layer, dOutput, gradients in
          self.cotangents[layer.name] = dOutput
          return gradients
        }
      },
      end: { step, pass in
        self.noise[step] = LayerNoise(
          records: pass.records, cotangents: self.cotangents, state: pass.state, evenly: self.evenly)
      })
  }
}
