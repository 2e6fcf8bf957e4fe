import Foundation
import Problems

/// Per-output error bounds of a 3×3 convolution computed in float32 by Winograd's F(m×m, 3×3), forward and both gradients.
///
/// An output depends on its whole tile, also where its receptive field is zero, so the bounds follow tile by tile from the
/// transformed operands; `BilinearBound` has the formulas. Operands are row-major NCHW (KCRS for weights).
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
  }

  public let problem: Conv2dProblem
  public let matrices: WinogradMatrices
  /// λ, how many standard deviations the statistical bound allows.
  public let lambda: Double

  /// Nil where Winograd does not apply to the problem.
  public init?(problem: Conv2dProblem, matrices: WinogradMatrices, lambda: Double = 8) {
    guard problem.winogradObstacle == nil, matrices.kernelSize == 3 else { return nil }
    self.problem = problem
    self.matrices = matrices
    self.lambda = lambda
  }

  /// Nil where Winograd does not apply, or F(m×m, 3×3) is not one of the built-in tiles 2, 4 and 6.
  public init?(problem: Conv2dProblem, outputTile: Int, lambda: Double = 8) {
    guard let matrices = WinogradMatrices.chosen(outputTile: outputTile) else { return nil }
    self.init(problem: problem, matrices: matrices, lambda: lambda)
  }

  /// For y (N, K, P, Q).
  public func forward(input: [Double], weight: [Double], bias: [Double]? = nil) -> Bounds {
    var bounds = correlation(
      Correlation(
        operand: Planes(input, problem.inputChannels, problem.inputSize),
        filters: { k, c in Array(weight[(k * problem.inputChannels + c) * 9..<(k * problem.inputChannels + c + 1) * 9])
        },
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

  /// For dx (N, C, H, W): the correlation of dy with the weights turned by 180°, padded by 2 − padding.
  public func backwardData(dOutput: [Double], weight: [Double]) -> Bounds {
    let channels = problem.inputChannels
    return correlation(
      Correlation(
        operand: Planes(dOutput, problem.outputChannels, problem.outputSize),
        filters: { c, k in weight[(k * channels + c) * 9..<(k * channels + c + 1) * 9].reversed() },
        outputs: Planes([], channels, problem.inputSize),
        before: Pair(2 - problem.paddingBefore.height, 2 - problem.paddingBefore.width)))
  }

  /// For dw (K, C, 3, 3): dW = Gᵀ[Σ (A dy Aᵀ) ∘ (Bᵀ x B)]G, the sum over the tiles of all images.
  public func backwardWeights(input: [Double], dOutput: [Double]) -> Bounds {
    let model = BilinearBound(
      output: .init(matrices.weightTransform).transposed, filter: .init(matrices.outputTransform).transposed,
      input: .init(matrices.inputTransform))
    let x = Planes(input, problem.inputChannels, problem.inputSize)
    let dy = Planes(dOutput, problem.outputChannels, problem.outputSize)
    let tile = matrices.outputTile
    let tiles = Tiles(output: problem.outputSize, tile: tile)
    let length = problem.batch * tiles.count
    let origins = (0..<length).map { ($0 / tiles.count, tiles.origin($0 % tiles.count)) }
    let before = problem.paddingBefore
    let filters = (0..<dy.channels).map { k in
      model.transformedFilter(count: length) { dy.tile(origins[$0].0, k, origins[$0].1, tile) }
    }
    var bounds = Bounds(count: problem.weightShape.count)
    for c in 0..<x.channels {
      let inputs = model.transformedInput(count: length) {
        let (image, origin) = origins[$0]
        let corner = Pair(origin.height - before.height, origin.width - before.width)
        return x.tile(image, c, corner, matrices.inputTile)
      }
      for k in 0..<dy.channels {
        let sums = model.sums(filters[k], inputs)
        let (statistical, rigorous) = model.bounds(sums, length: length, lambda: lambda)
        let first = (k * x.channels + c) * 9
        bounds.statistical.replaceSubrange(first..<first + 9, with: statistical)
        bounds.rigorous.replaceSubrange(first..<first + 9, with: rigorous)
      }
    }
    return bounds
  }

  /// A stride-1 correlation: forward, or backward-data on turned weights.
  private struct Correlation {
    let operand: Planes
    /// The 3×3 taps between an output and an operand channel.
    let filters: (_ output: Int, _ operand: Int) -> [Double]
    /// Extents of the result; holds no elements.
    let outputs: Planes
    /// Padding above and left; may be negative.
    let before: Pair
  }

  private func correlation(_ correlation: Correlation) -> Bounds {
    let model = BilinearBound(
      output: .init(matrices.outputTransform), filter: .init(matrices.weightTransform),
      input: .init(matrices.inputTransform))
    let (operand, outputs) = (correlation.operand, correlation.outputs)
    let tile = matrices.outputTile
    let tiles = Tiles(output: outputs.size, tile: tile)
    let plane = outputs.size.height * outputs.size.width
    var bounds = Bounds(count: problem.batch * outputs.channels * plane)
    for image in 0..<problem.batch {
      let inputs = (0..<tiles.count).map { t in
        let origin = tiles.origin(t)
        let corner = Pair(origin.height - correlation.before.height, origin.width - correlation.before.width)
        return model.transformedInput(count: operand.channels) {
          operand.tile(image, $0, corner, matrices.inputTile)
        }
      }
      for k in 0..<outputs.channels {
        let filters = model.transformedFilter(count: operand.channels) { correlation.filters(k, $0) }
        let base = (image * outputs.channels + k) * plane
        for t in 0..<tiles.count {
          let sums = model.sums(filters, inputs[t])
          let (statistical, rigorous) = model.bounds(sums, length: operand.channels, lambda: lambda)
          let origin = tiles.origin(t)
          for i in 0..<min(tile, outputs.size.height - origin.height) {
            for j in 0..<min(tile, outputs.size.width - origin.width) {
              let index = base + (origin.height + i) * outputs.size.width + origin.width + j
              bounds.statistical[index] = statistical[i * tile + j]
              bounds.rigorous[index] = rigorous[i * tile + j]
            }
          }
        }
      }
    }
    return bounds
  }
}

/// Tiles of an output plane, row by row.
private struct Tiles {
  let across: Int
  let down: Int
  let tile: Int

  init(output: Pair, tile: Int) {
    across = (output.width + tile - 1) / tile
    down = (output.height + tile - 1) / tile
    self.tile = tile
  }

  var count: Int { across * down }
  func origin(_ index: Int) -> Pair { Pair(index / across * tile, index % across * tile) }
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
