import Problems
import Tensors

/// Bounds of blocks, networks and training runs, end to end. A bound carried through the layers would say nothing, so it is measured:
/// the spread over float64 runs in which every layer's output, and every gradient on the way back, is disturbed as that layer's
/// own rounding in float32 may do (`LayerNoise`).
///
///     B = λ·sqrt(mean over runs of (y_run − y)²) + 2u·|y|
///
/// These runs have the gates of ReLUs and max pools frozen: their spread is linear, and scales with u. In float32 rounding may also flip
/// a gate whose input lies within λ spreads of its threshold. One more run has all of these flipped, and there each
/// element has the wider of both (`NearGates`). At float64's u no gate is near enough, so that its bound stays narrow,
/// and gradients are held to it.
///
/// Large networks get fewer runs; an element's square is then averaged with its tensor's mean, since two runs alone may both
/// come out close to y.
public struct NetworkBounds: BoundModel {
  private let values: [String: [Double]]
  /// In float32, with frozen gates and with flipped ones.
  private let frozen: [String: [Double]]
  private let flipped: [String: [Double]]
  /// Running statistics' own rounding, in float32.
  private let own: [String: [Double]]
  private let exact: Bool
  /// What the layers of a whole network met; `nil` for anything else.
  public let capturedLayers: CapturedLayers?

  private static let fullRunCount = 32

  /// Runs for a problem of so many multiply-accumulates: 32, fewer where they would take long.
  static func runCount(multiplyAccumulates: Int) -> Int {
    min(fullRunCount, max(2, 60_000_000 / max(multiplyAccumulates, 1)))
  }

  init?(_ operation: some PassingOperation, _ given: Given<Double>) {
    let runs = Self.runCount(multiplyAccumulates: operation.problem.multiplyAccumulates)
    let nominal = NominalRun(evenly: runs < Self.fullRunCount, isSingle: operation.isSinglePass, storage: given.storage)
    func run(_ hooks: (Int) -> StepHooks<Double>) -> [String: [Double]]? {
      (try? operation.run(given, hooks: hooks))?.byPath.mapValues(\.elements)
    }
    guard let values = run(nominal.hooks) else { return nil }
    let gates = nominal.isSingle ? NearGates(nominal) : nil
    guard let frozen = Self.spread(values, run, nominal, gates, runs: runs) else { return nil }
    self.values = values
    self.frozen = frozen
    if let gates {
      flipped = gates.flipped(runs: runs).flatMap { Self.flipped(values, run, $0) } ?? [:]
    } else {
      // A training run: gates are free in every step.
      flipped = Self.spread(values, run, nominal, nil, runs: 1, freezes: false) ?? [:]
    }
    own =
      (nominal.noise[0]?.layers.values).map { layers in
        layers.reduce(into: [:]) { all, deviations in
          for (name, bounds) in deviations.buffers { all["buffers_after/\(name)"] = bounds }
        }
      } ?? [:]
    let isWhole = operation.layers.value?.isWholeNetwork == true
    capturedLayers = isWhole ? nominal.captured(operation.passedLayers) : nil
    exact = nominal.isSingle && !given.storage.isNarrow && nominal.noise[0]?.layers.values.allSatisfy(\.isExact) == true
  }

  /// A run with hooks: every result by its path, or `nil` where the operands do not fit.
  private typealias Run = (_ hooks: (Int) -> StepHooks<Double>) -> [String: [Double]]?

  /// Root mean square deviations of the runs.
  private static func spread(
    _ values: [String: [Double]], _ run: Run, _ nominal: NominalRun, _ gates: NearGates?, runs: Int,
    freezes: Bool = true
  ) -> [String: [Double]]? {
    var squares = values.mapValues { [Double](repeating: 0, count: $0.count) }
    for number in 0..<runs {
      let source = NoiseSource(seed: SplitMix64.mix(UInt64(number) &+ 0x5EED))
      let results = run { step in
        StepHooks(
          begin: { pass in
            // Also of a pass that goes no way back.
            if gates != nil { pass.keepsRecords = true }
            nominal.noise[step]?.disturb(&pass, from: source)
            if freezes { pass.gates = nominal.gates[step] }
          }, end: { pass in gates?.observe(pass.records) },
          parameter: { source.disturbed($0, roundings: 2) })
      }
      guard let results else { return nil }
      for (path, result) in results {
        guard let value = values[path] else { continue }
        for i in result.indices { squares[path]?[i] += (result[i] - value[i]) * (result[i] - value[i]) }
      }
    }
    return squares.mapValues { squares in
      nominal.evenly ? steadied(squares, runs: runs) : squares.map { ($0 / Double(runs)).squareRoot() }
    }
  }

  /// What a run with other gates differs by.
  private static func flipped(
    _ values: [String: [Double]], _ run: Run, _ gates: Gates
  ) -> [String: [Double]]? {
    guard let results = run({ _ in StepHooks(begin: { pass in pass.gates = gates }) }) else { return nil }
    // Flips may cancel in an element by chance.
    return results.reduce(into: [:]) { all, result in
      guard let value = values[result.key] else { return }
      all[result.key] = steadied(zip(result.value, value).map { ($0 - $1) * ($0 - $1) }, runs: 1)
    }
  }

  /// Roots of the squares' averages with their mean.
  private static func steadied(_ squares: [Double], runs: Int) -> [Double] {
    let mean = squares.reduce(0, +) / Double(max(squares.count, 1))
    return squares.map { (($0 + mean) / Double(2 * runs)).squareRoot() }
  }

  public func isExact(_ path: String) -> Bool { exact && path != "outputs/loss" }

  /// The bound is a spread measured on the network itself, and its elements share the roundings of whole layers.
  public func spread(of path: String) -> ErrorSpread? { nil }

  public func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    guard let values = values[path], let frozen = frozen[path] else { return nil }
    let scale = rounding.unit / Rounding.float32.unit
    let own = own[path]
    var spread = frozen
    if rounding == .float32, let flipped = flipped[path] {
      for i in spread.indices where !(spread[i] >= flipped[i]) { spread[i] = flipped[i] }
    }
    return ElementBounds(
      rigorous: values.indices.map { i in
        ElementBounds.lambda * scale * spread[i] + 2 * rounding.unit * abs(values[i]) + scale * (own?[i] ?? 0)
      })
  }
}

/// The run without noise, which finds out how much of it each layer is due. Used by one task alone.
final class NominalRun {
  /// By step.
  private(set) var noise: [Int: LayerNoise] = [:]
  private(set) var gates: [Int: Gates] = [:]
  /// Of the only step.
  private(set) var records: [String: LayerRecord<Double>] = [:]
  let isSingle: Bool
  private var cotangents: [String: Tensor<Double>] = [:]
  private var start = NetworkState<Double>()
  let evenly: Bool

  /// What results are kept in between layers.
  let storage: DType

  init(evenly: Bool, isSingle: Bool, storage: DType) {
    self.storage = storage
    self.evenly = evenly
    self.isSingle = isSingle
  }

  func hooks(_ step: Int) -> StepHooks<Double> {
    StepHooks(
      begin: { pass in
        // Its layers' noise is found from what they met, whether or not there is a way back.
        pass.keepsRecords = true
        self.cotangents = [:]
        if self.isSingle { self.start = pass.state }
        pass.transformGradients = { layer, dOutput, gradients in
          self.cotangents[layer.name] = dOutput
          return gradients
        }
      },
      end: { pass in
        self.gates[step] = pass.takenGates
        if self.isSingle { self.records = pass.records }
        self.noise[step] = LayerNoise(
          records: pass.records, cotangents: self.cotangents, state: pass.state, evenly: self.evenly,
          storage: self.storage)
      })
  }

  /// What the layers of the only step met, in order.
  func captured(_ layers: [NetworkLayer]) -> CapturedLayers {
    CapturedLayers(layers: layers.compactMap { records[$0.name] }, cotangents: cotangents, state: start)
  }
}
