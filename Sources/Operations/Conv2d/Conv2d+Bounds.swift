import Problems
import Synchronization
import Tensors

extension Conv2d {
  /// The sums over magnitudes and squares term by term, or, where the values are known, by convolutions of their own: the same
  /// numbers but for roundings, in a fraction of the time.
  public func bounds(
    of given: Given<Double>, values: Found<Double>?, algorithms: Set<SumAlgorithm>
  ) -> (any BoundModel)? {
    if let values, algorithms.isSubset(of: [.terms]) { return QuickConv2dBounds(problem, given, values) }
    return Conv2dBounds(problem, given, algorithms: algorithms)
  }

  public var staysSingle: Set<String> { [] }

  public func evenDeviations(of given: Given<Double>, values: Found<Double>) -> Applicable<[String: Deviation]> {
    guard !problem.hasBias, let y = values.outputs["y"] else {
      return .none(because: "a bias is added, or y is not known")
    }
    return .some(EvenNoise.deviations(problem, given, y: y))
  }
}

/// Bounds of a convolution and its three gradients, each a tensor of sums of products (``ProductSums``) with its own K:
///
/// - y: C/G·R·S terms and the bias; dx: K/G·R·S; dw: N·P·Q; db: N·P·Q (sums, no products).
/// - For an engine that uses Winograd's algorithm, ``WinogradBound`` where that applies: an output then depends on its whole
///   tile. For one that multiplies matrices by Strassen's, ``StrassenBound`` of y = W·X, dW = dY·Xᵀ and dX = Wᵀ·dY, where X holds
///   a row for each weight and a column for each output position; each element of dx adds R·S of the last product up.
/// - Where an engine may use any of several algorithms, each element has the widest of their bounds. A tile with an
///   infinity or NaN has no bound of Winograd's: what a kernel answers there it computes by the definition, whose bound holds.
struct Conv2dBounds: BoundModel {
  private let direct: [String: ProductSums]
  private let winograd: [Winograd]
  private let strassen: [String: StrassenBound]
  private let strassenLevels: Int
  private let allowsDirect: Bool
  private let taps: Int
  /// The elements of each result that one transformed operand has a part in: those of a channel, of a filter.
  private let planes: [String: ErrorSpread.Sharing]
  private let addends: [String: ErrorSpread.Sharing]
  /// Results whose two operands both lean to one side. By Winograd's algorithm a transformed tile is then off alike for all filters,
  /// and a filter for all tiles, so that of the errors of these tensors on the whole nothing is known.
  private let oneSided: Set<String>

  /// The bounds of one tile size, in float32's u: each tensor's when it is first asked for, since nobody asks for the
  /// gradients of an engine that has none.
  private final class Winograd: Sendable {
    let tile: WinogradTile
    let isExactForward: Bool
    private let model: WinogradBound
    private let given: Given<Double>
    private let paths: Set<String>
    private let known = Mutex<[String: WinogradBound.Bounds]>([:])

    /// Nil where the tile does not apply to the problem.
    init?(_ problem: Conv2dProblem, _ given: Given<Double>, tile: WinogradTile) {
      guard let model = WinogradBound(problem: problem, tile: tile, lambda: ElementBounds.lambda),
        let weight = given.operands["weight"]?.elements
      else { return nil }
      self.tile = tile
      self.model = model
      self.given = given
      let gradients = given.upstream["y"] == nil ? [] : ["gradients/x", "gradients/weight"]
      paths = Set((["outputs/y"] + gradients).filter(given.wants))
      let x = given["x"].elements
      let unit = (commonUnit(x) ?? .nan) * (commonUnit(weight) ?? .nan)
      let largest = Double(problem.inputChannels / problem.groups) * greatest(x) * greatest(weight)
      isExactForward = tile.hasPointsOfF2 && largest <= 0x1p24 / 324 * unit
    }

    func holds(for path: String) -> Bool { paths.contains(path) }

    func bounds(of path: String) -> WinogradBound.Bounds? {
      guard holds(for: path) else { return nil }
      return known.withLock { known in
        if let bounds = known[path] { return bounds }
        let bounds = compute(path)
        known[path] = bounds
        return bounds
      }
    }

    private func compute(_ path: String) -> WinogradBound.Bounds {
      let weight = given.operands["weight"]?.elements ?? []
      let dOutput = given.upstream["y"]?.elements ?? []
      return switch path {
      case "gradients/x": model.backwardData(dOutput: dOutput, weight: weight)
      case "gradients/weight": model.backwardWeights(input: given["x"].elements, dOutput: dOutput)
      default:
        model.forward(input: given["x"].elements, weight: weight, bias: given.operands["bias"]?.elements)
      }
    }
  }

  init(_ problem: Conv2dProblem, _ given: Given<Double>, algorithms: Set<SumAlgorithm>) {
    let geometry = Conv2dSums(problem, given)
    direct = geometry.sums()
    winograd = algorithms.winogradTiles.compactMap { Winograd(problem, given, tile: $0) }
    strassenLevels = algorithms.strassenLevels
    strassen = strassenLevels > 0 && problem.groups == 1 ? Self.strassen(geometry, given, levels: strassenLevels) : [:]
    // Winograd's engines fall back on a direct sum where Winograd does not apply.
    allowsDirect = winograd.isEmpty || algorithms.contains(.terms) || strassenLevels > 0
    taps = problem.kernelSize.height * problem.kernelSize.width
    planes = [
      "outputs/y": .slices(of: problem.outputShape, along: 1), "gradients/x": .slices(of: given["x"].shape, along: 1),
      "gradients/weight": .slices(of: given["weight"].shape, along: 0),
    ]
    addends = given.biasAddends(ofOutput: problem.outputShape)
    let (x, weight) = (given.operands["x"], given.operands["weight"])
    let factors = [
      "outputs/y": [x, weight], "gradients/x": [given.upstream["y"], weight],
      "gradients/weight": [x, given.upstream["y"]],
    ]
    oneSided = Set(factors.filter { $0.value.allSatisfy { leansToOneSide($0?.elements ?? []) } }.keys)
  }

  private static func strassen(
    _ geometry: Conv2dSums, _ given: Given<Double>, levels: Int
  ) -> [String: StrassenBound] {
    let weight = geometry.weightMatrix
    var bounds: [String: StrassenBound] = [:]
    let patches = given.wants("outputs/y") || given.wants("gradients/weight") ? geometry.patches : nil
    if let patches, given.wants("outputs/y") { bounds["outputs/y"] = StrassenBound(weight, patches, levels: levels) }
    guard let dOutput = geometry.outputGradients else { return bounds }
    if let patches, given.wants("gradients/weight") {
      bounds["gradients/weight"] = StrassenBound(dOutput.transposed, patches.transposed, levels: levels)
    }
    if given.wants("gradients/x") {
      bounds["gradients/x"] = StrassenBound(weight.transposed, dOutput, levels: levels)
    }
    return bounds
  }

  func isExact(_ path: String) -> Bool {
    // Gradients by Winograd's algorithm multiply by transforms whose entries are not all dyadic.
    winograd.allSatisfy { !$0.holds(for: path) || (path == "outputs/y" && $0.isExactForward) }
      && strassen[path]?.isExact != false
  }

  func spread(of path: String) -> ErrorSpread? {
    guard let direct = direct[path] else { return nil }
    // Whichever was used: the widest bound makes the errors of any other look smaller, and never larger. So does Strassen's, the
    // widest of any row's and column's.
    guard winograd.contains(where: { $0.holds(for: path) }) else { return direct.spread?.adding(addends[path]) }
    guard !oneSided.contains(path) else { return nil }
    var transformed = ErrorSpread.winograd(sharing: planes[path] ?? .none).adding(addends[path])
    transformed.leans = direct.spread?.leans ?? false
    return allowsDirect ? ErrorSpread.sums.adding(addends[path]).widest(with: transformed) : transformed
  }

  func widening(of path: String) -> String? {
    let names =
      winograd.filter { $0.holds(for: path) }.map { SumAlgorithm.winograd($0.tile).description }
      + (strassen[path] == nil ? [] : [SumAlgorithm.strassen(levels: strassenLevels).description])
    return names.isEmpty ? nil : names.joined(separator: ", ")
  }

  func bounds(of path: String, in rounding: Rounding) -> ElementBounds? {
    let candidates = winograd.compactMap { $0.bounds(of: path) }
    var definition = direct[path]?.bounds(in: rounding)
    if let plain = definition, let values = direct[path]?.value, let strassen = strassen[path] {
      definition = strassen.widened(plain, values: values, adding: path == "gradients/x" ? taps : 1, in: rounding)
    }
    var widest = allowsDirect || candidates.isEmpty ? definition : nil
    let scale = rounding.unit / Rounding.float32.unit
    for candidate in candidates {
      let bounds = Self.scaled(candidate, by: scale, otherwise: definition)
      widest = widest.map { $0.widest(with: bounds) } ?? bounds
    }
    return widest
  }

  /// A candidate's bounds times a factor, and the definition's where these are not finite: in one pass, since the arrays are large.
  private static func scaled(
    _ candidate: WinogradBound.Bounds, by scale: Double, otherwise definition: ElementBounds?
  ) -> ElementBounds {
    var (statistical, rigorous) = (candidate.statistical, candidate.rigorous)
    for i in rigorous.indices {
      statistical[i] *= scale
      rigorous[i] *= scale
      guard let definition, !(statistical[i].isFinite && rigorous[i].isFinite) else { continue }
      rigorous[i] = definition.rigorous[i]
      statistical[i] = definition.statistical?[i] ?? definition.rigorous[i]
    }
    return ElementBounds(statistical: statistical, rigorous: rigorous)
  }
}

extension Set<SumAlgorithm> {
  /// In an order of their own.
  fileprivate var winogradTiles: [WinogradTile] {
    compactMap { if case .winograd(let tile) = $0 { tile } else { nil } }.sorted { $0.description < $1.description }
  }

  /// The most levels of any; 0 where Strassen's algorithm is none of them.
  var strassenLevels: Int {
    reduce(0) { if case .strassen(let levels) = $1 { Swift.max($0, levels) } else { $0 } }
  }
}

extension WinogradTile {
  /// Whether it is F(2, 3) with points 0 and ±1, whose transforms are sums, differences and halves: exact on few enough bits.
  fileprivate var hasPointsOfF2: Bool { kernelSize == 3 && Set(points) == [0, 1, -1] }
}

extension ElementBounds {
  /// Each element's wider bound.
  func widest(with other: ElementBounds) -> ElementBounds {
    func wider(_ first: [Double], _ second: [Double]) -> [Double] {
      zip(first, second).map { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    }
    return ElementBounds(
      statistical: statistical.flatMap { mine in other.statistical.map { wider(mine, $0) } },
      rigorous: wider(rigorous, other.rigorous))
  }
}

/// Whether the mean is more than an eighth of the root of the mean square: of numbers that are uniform in [0, 1) it is 0.87 of it, of
/// n that are drawn of either sign about 1/√n. The lean of Winograd's results shrinks with it: gradients of F(4×4)'s weights leaned
/// by 0.47 at 0.87 and by 0.24 at 0.48, where 0.13 is allowed.
private func leansToOneSide(_ values: [Double]) -> Bool {
  let sum = values.reduce(0, +)
  return sum * sum > Double(values.count) * values.reduce(0) { $0 + $1 * $1 } / 64
}

private func greatest(_ values: [Double]) -> Double { values.reduce(0) { max($0, abs($1)) } }

/// The largest power of two that every value is a multiple of; `nil` when a value is not finite, 1 when all are zero.
func commonUnit(_ values: [Double]) -> Double? {
  var unit = Double.infinity
  for value in values where value != 0 {
    guard value.isFinite else { return nil }
    let trailing = value.significandBitPattern.trailingZeroBitCount
    let lowest = value.isNormal ? min(trailing, 52) : trailing
    let exponent = value.isNormal ? Int(value.exponent) - 52 + lowest : -1074 + lowest
    unit = min(unit, Double(sign: .plus, exponent: exponent, significand: 1))
  }
  return unit.isFinite ? unit : 1
}
