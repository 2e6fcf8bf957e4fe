import Problems
import Tensors

/// Bounds of blocks, networks and training runs, end to end. A bound carried through the layers would say nothing, so it is measured:
/// the spread over float64 runs in which every layer's output, and every gradient on the way back, is disturbed as that layer's
/// own rounding in float32 may do (`LayerNoise`).
///
///     B = λ·sqrt(mean over runs of (y_run − y)²) + 2u·|y|
///
/// These runs have the gates of ReLUs and max pools frozen: their spread is linear, and scales with u. In float32 rounding may also flip
/// a gate whose input lies within λ spreads of its threshold. Further runs have these flipped, all of them and by halves, and there
/// each element has the wider of both (`NearGates`). At float64's u no gate is near enough, so that its bound stays narrow,
/// and gradients are held to it.
///
/// The noise of independent values is the layers' statistical bounds over λ, each element by itself (`LayerNoise`). Ties, constants and small
/// integers round alike wherever they meet, and their errors add up: the rigorous bound of a block comes from runs whose noise is the
/// layers' rigorous bounds over λ, for each element by itself and for each channel at once.
///
/// Large networks get fewer runs; an element's square is then averaged with its tensor's mean, since two runs alone may both
/// come out close to y.
public struct NetworkBounds: BoundModel {
  /// What the undisturbed run gave: the oracle's own results, until somebody has held them to what is expected.
  public private(set) var values: [String: [Double]]
  /// Of independent values; and of those that round alike.
  private let usual: Spread
  private let systematic: Spread?
  private let exact: Bool
  /// What the layers of a whole network met; `nil` for anything else.
  public let capturedLayers: CapturedLayers?

  /// What one kind of rounding does: bounds in float32, by path.
  private struct Spread {
    /// With the gates of the undisturbed run.
    var frozen: [String: [Double]]
    /// With flipped gates, where any is near enough.
    var widest: [String: [Double]] = [:]
  }

  private static let fullRunCount = 32
  /// Runs with flipped gates, and with systematic noise.
  private static let furtherRunCount = 8

  /// Runs for a problem of so many multiply-accumulates: 32, fewer where they would take long.
  static func runCount(multiplyAccumulates: Int) -> Int {
    min(fullRunCount, max(fewestRuns, 60_000_000 / max(multiplyAccumulates, 1)))
  }

  private static let fewestRuns = 2

  /// Whether work of this size has no more runs with frozen gates than two.
  public static func hasFewestRuns(multiplyAccumulates: Int) -> Bool {
    runCount(multiplyAccumulates: multiplyAccumulates) == fewestRuns
  }

  /// Whether the bounds of an operation depend on how sums are computed: of large networks they do not, whose noise is one figure a
  /// channel by the number of terms.
  public static func dependOnAlgorithms(_ operation: any Operation) -> Bool {
    guard let passing = operation as? any PassingOperation,
      runCount(multiplyAccumulates: operation.problem.multiplyAccumulates) < fullRunCount
    else { return true }
    // A convolution with a bias has no such figure.
    return passing.passedLayers.contains { ($0.problem as? Conv2dProblem)?.hasBias == true }
  }

  /// - Parameters:
  ///   - operation: a block, a network or a training run.
  ///   - given: its operands.
  ///   - algorithms: those of its convolutions.
  init?(_ operation: some PassingOperation, _ given: Given<Double>, _ algorithms: Set<SumAlgorithm>) {
    let runs = Self.runCount(multiplyAccumulates: operation.problem.multiplyAccumulates)
    let nominal = NominalRun(
      evenly: runs < Self.fullRunCount, isSingle: operation.isSinglePass, storage: given.storage, algorithms: algorithms
    )
    func run(_ hooks: (Int) -> StepHooks<Double>) -> [String: [Double]]? {
      let results = try? operation.run(given) { step in
        let hooks = hooks(step)
        return StepHooks(
          begin: { pass in
            pass.oracle = given.oracle
            hooks.begin(&pass)
          }, end: hooks.end, parameter: hooks.parameter)
      }
      return results?.byPath.mapValues(\.elements)
    }
    guard let values = run(nominal.hooks) else { return nil }
    func spread(_ kind: LayerNoise.Kind, runs: Int) -> Spread? {
      let gates = nominal.isSingle ? NearGates(nominal) : nil
      guard var frozen = Self.squares(values, run, nominal, kind, .frozen, runs: runs, observed: gates) else {
        return nil
      }
      Self.takeRoots(of: &frozen, runs: runs, steadied: nominal.evenly)
      var flipped: [String: [Double]] = [:]
      if let gates {
        if let other = gates.flipped() {
          let runs = min(runs, Self.furtherRunCount)
          // What flows through an opened gate is disturbed, too.
          flipped = Self.squares(values, run, nominal, kind, .others(other), runs: runs) ?? [:]
          Self.takeRoots(of: &flipped, runs: runs, steadied: true)
        }
      } else {
        // A training run: gates are free in every step.
        flipped = Self.squares(values, run, nominal, kind, .free, runs: 1) ?? [:]
        Self.takeRoots(of: &flipped, runs: 1, steadied: nominal.evenly)
      }
      var own: [String: [Double]] = [:]
      for (_, deviations) in nominal.noise(kind, 0)?.layers ?? [:] {
        for (name, bounds) in deviations.buffers { own["buffers_after/\(name)"] = bounds }
      }
      for path in Array(flipped.keys) {
        // What is not a number is no bound.
        Self.widen(&flipped[path, default: []], to: frozen[path] ?? [])
      }
      for (path, values) in values {
        Self.makeBounds(&frozen[path, default: []], values, own[path])
        if flipped[path] != nil { Self.makeBounds(&flipped[path, default: []], values, own[path]) }
      }
      return Spread(frozen: frozen, widest: flipped)
    }
    guard let usual = spread(.usual, runs: runs) else { return nil }
    self.values = values
    self.usual = usual
    // Of many elements, none of which has a deviation of its own, the usual noise is all that is known.
    systematic = nominal.evenly ? nil : spread(.systematic, runs: min(runs, Self.furtherRunCount))
    let isWhole = operation.layers.value?.isWholeNetwork == true
    capturedLayers = isWhole ? nominal.captured(operation.passedLayers) : nil
    let layersAreExact = nominal.noise(.usual, 0)?.layers.values.allSatisfy(\.isExact) == true
    exact = nominal.isSingle && !given.storage.isNarrow && layersAreExact
  }

  /// A run with hooks: every result by its path, or `nil` where the operands do not fit.
  private typealias Run = (_ hooks: (Int) -> StepHooks<Double>) -> [String: [Double]]?

  /// The branches that a disturbed run takes.
  private enum Branches {
    /// Those of the undisturbed run.
    case frozen
    /// Other ones, in every run different ones.
    case others(FlippedGates)
    /// Its own.
    case free
  }

  /// Sums over the runs of squared deviations from the undisturbed run's values.
  private static func squares(
    _ values: [String: [Double]], _ run: Run, _ nominal: NominalRun, _ kind: LayerNoise.Kind,
    _ branches: Branches, runs: Int, observed: NearGates? = nil
  ) -> [String: [Double]]? {
    let sums = SquaredDeviations(from: values)
    for number in 0..<runs {
      let source = NoiseSource(seed: SplitMix64.mix(UInt64(number) &+ 0x5EED))
      let results = run { step in
        let taken: Gates? =
          switch branches {
          case .frozen: nominal.gates[step]
          case .others(let flipped): flipped.gates(run: number)
          case .free: nil
          }
        return StepHooks(
          begin: { pass in
            // Also of a pass that goes no way back.
            if observed != nil { pass.keepsRecords = true }
            nominal.noise(kind, step)?.disturb(&pass, from: source)
            if nominal.isSingle { sums.takeParameterGradients(of: &pass) }
            if let taken { pass.gates = taken }
          }, end: { pass in observed?.observe(pass.records) },
          parameter: { source.disturbed($0, roundings: 2) })
      }
      guard let results else { return nil }
      for (path, result) in results { sums.add(result, at: path) }
    }
    return sums.squares
  }

  /// Sums of squares become deviations: roots of the means, or of the averages of each with its tensor's.
  private static func takeRoots(of squares: inout [String: [Double]], runs: Int, steadied: Bool) {
    for path in Array(squares.keys) { takeRoots(of: &squares[path, default: []], runs: runs, steadied: steadied) }
  }

  private static func takeRoots(of squares: inout [Double], runs: Int, steadied: Bool) {
    let mean = steadied ? squares.reduce(0, +) / Double(max(squares.count, 1)) : 0
    let count = Double(steadied ? 2 * runs : runs)
    for i in squares.indices { squares[i] = ((squares[i] + mean) / count).squareRoot() }
  }

  private static func widen(_ deviations: inout [Double], to others: [Double]) {
    for i in others.indices where !(deviations[i] > others[i]) { deviations[i] = others[i] }
  }

  /// Deviations become bounds.
  private static func makeBounds(_ deviations: inout [Double], _ values: [Double], _ own: [Double]?) {
    let unit = Rounding.float32.unit
    for i in deviations.indices {
      deviations[i] = ElementBounds.lambda * deviations[i] + 2 * unit * abs(values[i]) + (own?[i] ?? 0)
    }
  }

  /// Lets go of the oracle's own results, which are as large as the network.
  public mutating func forgetValues() { values = [:] }

  public func isExact(_ path: String) -> Bool { exact && path != "outputs/loss" }

  /// The bound is a spread measured on the network itself, and its elements share the roundings of whole layers.
  public func spread(of path: String) -> ErrorSpread? { nil }

  public func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    guard let statistical = bounds(of: path, in: rounding, usual) else { return nil }
    guard let rigorous = systematic.flatMap({ bounds(of: path, in: rounding, $0) }) else {
      return ElementBounds(rigorous: statistical)
    }
    return ElementBounds(statistical: statistical, rigorous: zip(statistical, rigorous).map(max))
  }

  private func bounds(of path: String, in rounding: Rounding, _ spread: Spread) -> [Double]? {
    guard rounding != .float32 else { return spread.widest[path] ?? spread.frozen[path] }
    // A power of two: all three parts scale with u.
    let scale = rounding.unit / Rounding.float32.unit
    return spread.frozen[path].map { bounds in bounds.map { scale * $0 } }
  }
}

/// Sums of squared deviations from the undisturbed run, by path. A class because the hooks of a pass add to it; never shared between
/// tasks.
private final class SquaredDeviations {
  private(set) var squares: [String: [Double]]
  private let values: [String: [Double]]

  init(from values: [String: [Double]]) {
    self.values = values
    squares = values.mapValues { [Double](repeating: 0, count: $0.count) }
  }

  /// Adds a run's result; nothing for one that was taken before.
  func add(_ result: [Double], at path: String) {
    guard let value = values[path], result.count == value.count else { return }
    Self.add(result, minus: value, to: &squares[path, default: []])
  }

  private static func add(_ result: [Double], minus value: [Double], to squares: inout [Double]) {
    for i in result.indices {
      let deviation = result[i] - value[i]
      squares[i] += deviation * deviation
    }
  }

  /// Takes the gradients by parameters as soon as a layer's backward pass gives them: all of them at once would be as large as the
  /// network.
  func takeParameterGradients(of pass: inout NetworkPass<Double>) {
    guard let disturbed = pass.transformGradients else { return }
    pass.transformGradients = { layer, dOutput, gradients in
      var found = disturbed(layer, dOutput, gradients)
      for parameter in layer.parameters {
        let name = String(parameter.name.dropFirst(layer.name.utf8.count + 1))
        guard let gradient = found.byName[name] else { continue }
        self.add(gradient.elements, at: "gradients/\(parameter.name)")
        found.byName[name] = Tensor(zeros: [0])
      }
      return found
    }
  }
}

/// The run without noise, which finds out how much of it each layer is due. Used by one task alone.
final class NominalRun {
  /// By step.
  private var usual: [Int: LayerNoise] = [:]
  private var systematic: [Int: LayerNoise] = [:]
  private(set) var gates: [Int: Gates] = [:]
  /// Of the only step.
  private(set) var records: [String: LayerRecord<Double>] = [:]
  let isSingle: Bool
  private var cotangents: [String: Tensor<Double>] = [:]
  private var start = NetworkState<Double>()
  let evenly: Bool

  /// What results are kept in between layers.
  let storage: DType

  /// Of convolutions.
  private let algorithms: Set<SumAlgorithm>

  init(evenly: Bool, isSingle: Bool, storage: DType, algorithms: Set<SumAlgorithm>) {
    self.storage = storage
    self.algorithms = algorithms
    self.evenly = evenly
    self.isSingle = isSingle
  }

  func noise(_ kind: LayerNoise.Kind, _ step: Int) -> LayerNoise? { kind == .usual ? usual[step] : systematic[step] }

  func hooks(_ step: Int) -> StepHooks<Double> {
    StepHooks(
      begin: { pass in
        // Its layers' noise is found from what they met, whether or not there is a way back.
        pass.keepsRecords = true
        self.cotangents = [:]
        if self.isSingle { self.start = NetworkState(buffers: pass.state.buffers) }
        pass.transformGradients = { layer, dOutput, gradients in
          self.cotangents[layer.name] = dOutput
          return gradients
        }
      },
      end: { pass in
        self.gates[step] = pass.takenGates
        if self.isSingle { self.records = pass.records }
        func noise(_ kind: LayerNoise.Kind) -> LayerNoise {
          LayerNoise(
            records: pass.records, cotangents: self.cotangents, state: pass.state, kind: kind, evenly: self.evenly,
            storage: self.storage, algorithms: self.algorithms)
        }
        self.usual[step] = noise(.usual)
        if !self.evenly { self.systematic[step] = noise(.systematic) }
      })
  }

  /// What the layers of the only step met, in order.
  func captured(_ layers: [NetworkLayer]) -> CapturedLayers {
    CapturedLayers(layers: layers.compactMap { records[$0.name] }, cotangents: cotangents, state: start)
  }
}
