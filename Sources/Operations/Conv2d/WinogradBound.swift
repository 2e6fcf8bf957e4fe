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
  /// All of them give the same bits.
  package var loops = OracleLoops.fastest

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
        weight: weight, taps: tapPlaces(areTurned: false),
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
        weight: weight, taps: tapPlaces(areTurned: true), outputs: Planes([], problem.inputChannels, problem.inputSize),
        before: Pair(last - before.height, last - before.width)))
  }

  /// For dw (K, C/G, r, r): dW = Gᵀ[Σ (A dy Aᵀ) ∘ (Bᵀ x B)]G, the sum over the tiles of all images.
  public func backwardWeights(input: [Double], dOutput: [Double]) -> Bounds {
    let model = BilinearBound(
      output: .init(matrices.weightTransform).transposed, filter: .init(matrices.outputTransform).transposed,
      input: .init(matrices.inputTransform), roundsConstants: !tile.isOurs, loops: loops)
    let x = Planes(input, problem.inputChannels, problem.inputSize)
    let dy = Planes(dOutput, problem.outputChannels, problem.outputSize)
    let before = problem.paddingBefore
    var bounds = Bounds(count: problem.weightShape.count)
    for shift in shifts {
      let tiles = Tiles(output: problem.outputSize, tile: tile.outputTile, shift: shift)
      let length = problem.batch * tiles.count
      let origins = (0..<length).map { ($0 / tiles.count, tiles.origin($0 % tiles.count)) }
      for group in 0..<problem.groups {
        let inputs = model.inputs(tiles: channelsPerGroup, length: length) { channel, place, elements, lane in
          let (image, origin) = origins[place]
          let corner = Pair(origin.height - before.height, origin.width - before.width)
          x.copy(image, group * channelsPerGroup + channel, corner, tile.inputTile, to: &elements, lane)
        }
        forEachEight(outputsPerGroup) { range in
          let first = group * outputsPerGroup + range.lowerBound
          let filters = model.filters(length: length) { place, elements in
            let (image, origin) = origins[place]
            for lane in 0..<range.count { dy.copy(image, first + lane, origin, tile.outputTile, to: &elements, lane) }
          }
          model.bounds(filters, inputs, lambda: lambda) { channel, statistical, rigorous in
            for lane in 0..<range.count {
              let element = ((first + lane) * channelsPerGroup + channel) * taps
              for i in 0..<taps { bounds.widen(element + i, statistical[i][lane], rigorous[i][lane]) }
            }
          }
        }
      }
    }
    return bounds
  }

  /// Ranges of a count, eight by eight.
  private func forEachEight(_ count: Int, _ body: (Range<Int>) -> Void) {
    for first in stride(from: 0, to: count, by: BilinearBound.Lane.scalarCount) {
      body(first..<min(first + BilinearBound.Lane.scalarCount, count))
    }
  }

  /// Where the grid of tiles may begin, ahead of the first output.
  private var shifts: [Pair] {
    guard !tile.isOurs else { return [0] }
    return (0..<tile.outputTile).flatMap { row in (0..<tile.outputTile).map { Pair(row, $0) } }
  }

  /// Where the taps between an output of a correlation and a channel of its operand's group are.
  private struct TapPlaces {
    /// Whether they are read from the last to the first, and the weights' outputs are the operand's channels.
    let areTurned: Bool
    let (channelsPerGroup, outputsPerGroup, count): (Int, Int, Int)

    /// From one to the next.
    var step: Int { areTurned ? -1 : 1 }

    func first(output: Int, channel: Int) -> Int {
      guard areTurned else { return (output * channelsPerGroup + channel) * count }
      // The weights of group g's outputs begin at its first output.
      let row = output / channelsPerGroup * outputsPerGroup + channel
      return (row * channelsPerGroup + output % channelsPerGroup + 1) * count - 1
    }
  }

  private func tapPlaces(areTurned: Bool) -> TapPlaces {
    TapPlaces(
      areTurned: areTurned, channelsPerGroup: channelsPerGroup, outputsPerGroup: outputsPerGroup, count: taps)
  }

  /// A stride-1 correlation: forward, or backward-data on turned weights.
  private struct Correlation {
    let operand: Planes
    let weight: [Double]
    let taps: TapPlaces
    /// Extents of the result; holds no elements.
    let outputs: Planes
    /// Padding above and left; may be negative.
    let before: Pair
  }

  private func correlation(_ correlation: Correlation) -> Bounds {
    let model = BilinearBound(
      output: .init(matrices.outputTransform), filter: .init(matrices.weightTransform),
      input: .init(matrices.inputTransform), roundsConstants: !tile.isOurs, loops: loops)
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
    let (weight, taps) = (correlation.weight, correlation.taps)
    let inputs = model.inputs(tiles: tiles.count, length: channels) { t, channel, elements, lane in
      let origin = tiles.origin(t)
      let corner = Pair(origin.height - correlation.before.height, origin.width - correlation.before.width)
      operand.copy(image, group * channels + channel, corner, tile.inputTile, to: &elements, lane)
    }
    forEachEight(count) { range in
      let first = group * count + range.lowerBound
      let filters = model.filters(length: channels) { channel, elements in
        for lane in 0..<range.count {
          var place = taps.first(output: first + lane, channel: channel)
          for tap in 0..<taps.count {
            elements[tap][lane] = weight[place]
            place += taps.step
          }
        }
      }
      model.bounds(filters, inputs, lambda: lambda) { t, statistical, rigorous in
        let origin = tiles.origin(t)
        for lane in 0..<range.count {
          let base = (image * outputs.channels + first + lane) * plane
          for i in max(0, -origin.height)..<min(extent, outputs.size.height - origin.height) {
            for j in max(0, -origin.width)..<min(extent, outputs.size.width - origin.width) {
              let index = base + (origin.height + i) * outputs.size.width + origin.width + j
              bounds.widen(index, statistical[i * extent + j][lane], rigorous[i * extent + j][lane])
            }
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

  /// Copies the `extent`×`extent` values from `corner` on to a lane; what lies outside the plane stays as it is.
  func copy(
    _ image: Int, _ channel: Int, _ corner: Pair, _ extent: Int, to tile: inout [BilinearBound.Lane], _ lane: Int
  ) {
    let base = (image * channels + channel) * size.height * size.width
    for i in max(0, -corner.height)..<max(max(0, -corner.height), min(extent, size.height - corner.height)) {
      for j in max(0, -corner.width)..<max(max(0, -corner.width), min(extent, size.width - corner.width)) {
        tile[i * extent + j][lane] = elements[base + (corner.height + i) * size.width + corner.width + j]
      }
    }
  }
}
