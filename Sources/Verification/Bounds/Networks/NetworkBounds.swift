import Foundation
import Problems
import Reference
import Tensors

/// Bounds of blocks, networks and training runs, end to end. A bound carried through the layers would say nothing, so it is measured:
/// the spread over float64 runs in which every layer's output, and every gradient on the way back, is disturbed as that layer's
/// own rounding in float32 may do (``LayerNoise``).
///
///     B = λ·sqrt(mean over runs of (y_run − y)²) + 2u·|y|
///
/// Runs with the gates of ReLUs and max pools frozen give the linear spread, which scales with u. In float32 rounding may also
/// flip a gate, which runs with free gates show: there each element has the wider of both. At float64's u no gate is near
/// enough, so that its bound stays narrow, and gradients are held to it.
///
/// Large networks get fewer runs; an element's square is then averaged with its tensor's mean, since two runs alone may both
/// come out close to y.
struct NetworkBounds: BoundModel {
  private let values: [String: [Double]]
  /// In float32, with frozen gates and with free ones.
  private let frozen: [String: [Double]]
  private let free: [String: [Double]]
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
    guard let frozen = Self.spread(values, subject, nominal, runs: runs, frozen: true),
      let free = Self.spread(values, subject, nominal, runs: max(1, runs / 2), frozen: false)
    else { return nil }
    self.values = values
    self.frozen = frozen
    self.free = free
    own =
      (nominal.noise[0]?.layers.values).map { layers in
        layers.reduce(into: [:]) { all, deviations in
          for (name, bounds) in deviations.buffers { all["buffers_after/\(name)"] = bounds }
        }
      } ?? [:]
    if case .training = plan { exact = false } else { exact = subject.layers.allSatisfy(Self.isExact) }
  }

  private static func spread(
    _ values: [String: [Double]], _ subject: NetworkSubject, _ nominal: NominalRun, runs: Int, frozen: Bool
  ) -> [String: [Double]]? {
    var squares = values.mapValues { [Double](repeating: 0, count: $0.count) }
    for run in 0..<runs {
      let source = NoiseSource(seed: SplitMix64.mix(UInt64(run) &+ (frozen ? 0x5EED : 0xF4EE)))
      let hooks = NetworkSubject.Hooks(
        begin: { step, pass in
          nominal.noise[step]?.disturb(&pass, from: source)
          if frozen { pass.gates = nominal.gates[step] }
        },
        parameter: { source.disturbed($0, roundings: 2) })
      guard let results = try? subject.run(hooks) else { return nil }
      for (path, result) in results {
        guard let value = values[path] else { continue }
        for i in result.indices { squares[path]?[i] += (result[i] - value[i]) * (result[i] - value[i]) }
      }
    }
    return squares.mapValues { squares in
      guard nominal.evenly else { return squares.map { ($0 / Double(runs)).squareRoot() } }
      let mean = squares.reduce(0, +) / Double(max(squares.count, 1))
      return squares.map { (($0 + mean) / Double(2 * runs)).squareRoot() }
    }
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
    guard let values = values[path], let frozen = frozen[path], let free = free[path] else { return nil }
    let scale = rounding.unit / Rounding.float32.unit
    let own = own[path]
    let spread = rounding == .float32 ? zip(frozen, free).map { $0.isNaN ? $0 : max($0, $1) } : frozen
    return ElementBounds(
      rigorous: values.indices.map { i in
        ElementBounds.lambda * scale * spread[i] + 2 * rounding.unit * abs(values[i]) + scale * (own?[i] ?? 0)
      })
  }
}

/// The run without noise, which finds out how much of it each layer is due. Used by one task alone.
private final class NominalRun {
  /// By step.
  private(set) var noise: [Int: LayerNoise] = [:]
  private(set) var gates: [Int: Gates] = [:]
  private var cotangents: [String: Tensor<Double>] = [:]
  let evenly: Bool

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
        self.gates[step] = pass.takenGates
        self.noise[step] = LayerNoise(
          records: pass.records, cotangents: self.cotangents, state: pass.state, evenly: self.evenly)
      })
  }
}
