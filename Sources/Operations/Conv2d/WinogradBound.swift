import Foundation
import Problems

/// Per-output error bounds of a convolution computed in float32 by Winograd's F(m×m, r×r), forward and both gradients.
///
/// An output depends on its whole tile, also where its receptive field is zero, so the bounds follow tile by tile from the
/// transformed operands; `BilinearBound` has the formulas. Where an engine's grid of tiles begins is known of the built-in
/// ones alone; elsewhere each element has the largest of its bounds over the m² places that it can have in a tile. Operands
/// are row-major NCHW (KCRS for weights).
public struct WinogradBound: Sendable {
  /// One value an output element.
  public struct Bounds: Sendable {
    /// Holds for random operands with margin λ.
    public var statistical: [Double]
    /// Holds always.
    public var rigorous: [Double]

    init(count: Int) {
      statistical = Array(repeating: 0, count: count)
      rigorous = statistical
    }

    /// Takes the wider of what is known of an element and of these. NaN stays.
    fileprivate mutating func widen(_ element: Int, _ statistical: Double, _ rigorous: Double) {
      func wider(_ known: Double, _ found: Double) -> Double { found.isNaN || found > known ? found : known }
      self.statistical[element] = wider(self.statistical[element], statistical)
      self.rigorous[element] = wider(self.rigorous[element], rigorous)
    }
  }

  public let problem: Conv2dProblem
  public let tile: WinogradTile
  /// λ, how many standard deviations the statistical bound allows.
  public let lambda: Double

  private let matrices: ToomCook<Double>
  private let channelsPerGroup: Int
  private let outputsPerGroup: Int
  private let taps: Int

  /// Nil where Winograd does not apply to the problem.
  public init?(problem: Conv2dProblem, tile: WinogradTile, lambda: Double = 8) {
    guard tile.applies(to: problem) else { return nil }
    self.problem = problem
    self.tile = tile
    self.lambda = lambda
    matrices = tile.matrices
    channelsPerGroup = problem.inputChannels / problem.groups
    outputsPerGroup = problem.outputChannels / problem.groups
    taps = tile.kernelSize * tile.kernelSize
  }

  /// Nil where Winograd does not apply, or F(m×m, 3×3) is not one of the built-in tiles 2, 4 and 6.
  public init?(problem: Conv2dProblem, outputTile: Int, lambda: Double = 8) {
    guard let tile = try? WinogradTile(outputTile: outputTile, preset: .assay) else { return nil }
    self.init(problem: problem, tile: tile, lambda: lambda)
  }

  /// For y (N, K, P, Q).
  public func forward(input: [Double], weight: [Double], bias: [Double]? = nil) -> Bounds {
    var bounds = correlation(
      Correlation(
        operand: Planes(input, problem.inputChannels, problem.inputSize),
        filters: { k, c in taps(of: weight, k, c) },
        outputs: Planes([], problem.outputChannels, problem.outputSize), before: problem.paddingBefore))
    guard let bias else { return bounds }
    // One more rounding, of y + b. Both bounds have room for |y|'s part (the rigorous one in its count of roundings).
    let plane = problem.outputSize.height * problem.outputSize.width
    for i in bounds.statistical.indices {
      let addition = BilinearBound.unitRoundoff * abs(bias[i / plane % problem.outputChannels])
      bounds.statistical[i] += addition
      bounds.rigorous[i] += addition + BilinearBound.unitRoundoff * bounds.rigorous[i]
    }
    return bounds
  }

  /// For dx (N, C, H, W): the correlation of dy with the weights turned by 180°, padded by r − 1 − padding.
  public func backwardData(dOutput: [Double], weight: [Double]) -> Bounds {
    let (before, last) = (problem.paddingBefore, tile.kernelSize - 1)
    return correlation(
      Correlation(
        operand: Planes(dOutput, problem.outputChannels, problem.outputSize),
        // The weights of group g's outputs begin at its first output.
        filters: { c, k in
          taps(of: weight, c / channelsPerGroup * outputsPerGroup + k, c % channelsPerGroup).reversed()
        },
        outputs: Planes([], problem.inputChannels, problem.inputSize),
        before: Pair(last - before.height, last - before.width)))
  }

  private func taps(of weight: [Double], _ output: Int, _ channel: Int) -> [Double] {
    let first = (output * channelsPerGroup + channel) * taps
    return Array(weight[first..<first + taps])
  }

  /// For dw (K, C/G, r, r): dW = Gᵀ[Σ (A dy Aᵀ) ∘ (Bᵀ x B)]G, the sum over the tiles of all images.
  public func backwardWeights(input: [Double], dOutput: [Double]) -> Bounds {
    let model = BilinearBound(
      output: .init(matrices.weightTransform).transposed, filter: .init(matrices.outputTransform).transposed,
      input: .init(matrices.inputTransform), roundsConstants: !tile.isOurs)
    let x = Planes(input, problem.inputChannels, problem.inputSize)
    let dy = Planes(dOutput, problem.outputChannels, problem.outputSize)
    let before = problem.paddingBefore
    var bounds = Bounds(count: problem.weightShape.count)
    for shift in shifts {
      let tiles = Tiles(output: problem.outputSize, tile: tile.outputTile, shift: shift)
      let length = problem.batch * tiles.count
      let origins = (0..<length).map { ($0 / tiles.count, tiles.origin($0 % tiles.count)) }
      let filters = (0..<dy.channels).map { k in
        model.transformedFilter(count: length) { dy.tile(origins[$0].0, k, origins[$0].1, tile.outputTile) }
      }
      for channel in 0..<x.channels {
        let inputs = model.transformedInput(count: length) {
          let (image, origin) = origins[$0]
          let corner = Pair(origin.height - before.height, origin.width - before.width)
          return x.tile(image, channel, corner, tile.inputTile)
        }
        let (group, c) = channel.quotientAndRemainder(dividingBy: channelsPerGroup)
        for k in group * outputsPerGroup..<(group + 1) * outputsPerGroup {
          let sums = model.sums(filters[k], inputs)
          let (statistical, rigorous) = model.bounds(sums, length: length, lambda: lambda)
          let first = (k * channelsPerGroup + c) * taps
          for i in 0..<taps { bounds.widen(first + i, statistical[i], rigorous[i]) }
        }
      }
    }
    return bounds
  }

  /// Where the grid of tiles may begin, ahead of the first output.
  private var shifts: [Pair] {
    guard !tile.isOurs else { return [0] }
    return (0..<tile.outputTile).flatMap { row in (0..<tile.outputTile).map { Pair(row, $0) } }
  }

  /// A stride-1 correlation: forward, or backward-data on turned weights.
  private struct Correlation {
    let operand: Planes
    /// The taps between an output and an operand channel of its group.
    let filters: (_ output: Int, _ channel: Int) -> [Double]
    /// Extents of the result; holds no elements.
    let outputs: Planes
    /// Padding above and left; may be negative.
    let before: Pair
  }

  private func correlation(_ correlation: Correlation) -> Bounds {
    let model = BilinearBound(
      output: .init(matrices.outputTransform), filter: .init(matrices.weightTransform),
      input: .init(matrices.inputTransform), roundsConstants: !tile.isOurs)
    let outputs = correlation.outputs
    var bounds = Bounds(count: problem.batch * outputs.channels * outputs.size.height * outputs.size.width)
    for shift in shifts {
      let tiles = Tiles(output: outputs.size, tile: tile.outputTile, shift: shift)
      for image in 0..<problem.batch {
        for group in 0..<problem.groups { widen(&bounds, correlation, model, tiles, image, group) }
      }
    }
    return bounds
  }

  /// One image and group in one grid of tiles.
  private func widen(
    _ bounds: inout Bounds, _ correlation: Correlation, _ model: BilinearBound, _ tiles: Tiles, _ image: Int,
    _ group: Int
  ) {
    let (operand, outputs, extent) = (correlation.operand, correlation.outputs, tile.outputTile)
    let (channels, count) = (operand.channels / problem.groups, outputs.channels / problem.groups)
    let plane = outputs.size.height * outputs.size.width
    let inputs = (0..<tiles.count).map { t in
      let origin = tiles.origin(t)
      let corner = Pair(origin.height - correlation.before.height, origin.width - correlation.before.width)
      return model.transformedInput(count: channels) {
        operand.tile(image, group * channels + $0, corner, tile.inputTile)
      }
    }
    for k in group * count..<(group + 1) * count {
      let filters = model.transformedFilter(count: channels) { correlation.filters(k, $0) }
      let base = (image * outputs.channels + k) * plane
      for t in 0..<tiles.count {
        let sums = model.sums(filters, inputs[t])
        let (statistical, rigorous) = model.bounds(sums, length: channels, lambda: lambda)
        let origin = tiles.origin(t)
        for i in max(0, -origin.height)..<min(extent, outputs.size.height - origin.height) {
          for j in max(0, -origin.width)..<min(extent, outputs.size.width - origin.width) {
            let index = base + (origin.height + i) * outputs.size.width + origin.width + j
            bounds.widen(index, statistical[i * extent + j], rigorous[i * extent + j])
          }
        }
      }
    }
  }
}

/// Tiles of an output plane, row by row.
private struct Tiles {
  let across: Int
  let down: Int
  let tile: Int
  /// How far the first tile begins ahead of the first output; below `tile`.
  let shift: Pair

  init(output: Pair, tile: Int, shift: Pair) {
    across = (output.width + shift.width + tile - 1) / tile
    down = (output.height + shift.height + tile - 1) / tile
    self.tile = tile
    self.shift = shift
  }

  var count: Int { across * down }
  func origin(_ index: Int) -> Pair {
    Pair(index / across * tile - shift.height, index % across * tile - shift.width)
  }
}

/// NCHW values, zero outside their planes.
private struct Planes {
  let elements: [Double]
  let channels: Int
  let size: Pair

  init(_ elements: [Double], _ channels: Int, _ size: Pair) {
    self.elements = elements
    self.channels = channels
    self.size = size
  }

  /// The `extent`×`extent` values from `corner` on.
  func tile(_ image: Int, _ channel: Int, _ corner: Pair, _ extent: Int) -> [Double] {
    let base = (image * channels + channel) * size.height * size.width
    var values = [Double](repeating: 0, count: extent * extent)
    for i in max(0, -corner.height)..<max(max(0, -corner.height), min(extent, size.height - corner.height)) {
      for j in max(0, -corner.width)..<max(max(0, -corner.width), min(extent, size.width - corner.width)) {
        values[i * extent + j] = elements[base + (corner.height + i) * size.width + corner.width + j]
      }
    }
    return values
  }
}
