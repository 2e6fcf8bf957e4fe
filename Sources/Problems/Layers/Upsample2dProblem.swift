import Tensors

/// Enlarging (or shrinking) an image by nearest neighbour or bilinear interpolation, as `torch.nn.Upsample`.
public struct Upsample2dProblem: OperationProblem {
  public enum Mode: String, Hashable, Sendable, CaseIterable { case nearest, bilinear }
  /// Exactly one of the two is given; a scale factor also enters the coordinate map, so they are not interchangeable.
  public enum Target: Hashable, Sendable {
    case size(Pair)
    case scaleFactor(height: Double, width: Double)
  }

  public static let operation = "upsample2d"
  public static let attributeTokens: [AttributeToken] = [
    .string("mode", "mode", omitting: .string("nearest")), .real("scale", "scale_factor"), .pair("size", "size"),
    .flag("aligned", "align_corners"),
  ]
  public let inputShape: Shape
  public let mode: Mode
  public let target: Target
  public let alignCorners: Bool

  /// - Throws: ``ProblemError`` for an empty image, an output without extent, or `alignCorners` with nearest.
  public init(inputShape: Shape, mode: Mode = .nearest, target: Target, alignCorners: Bool = false) throws(ProblemError)
  {
    self.inputShape = inputShape
    self.mode = mode
    self.target = target
    self.alignCorners = alignCorners
    guard inputShape.rank == 4, inputShape[1] >= 1, inputShape[2] >= 1, inputShape[3] >= 1 else {
      throw ProblemError(
        .shapeMismatch, "inputs/x", expected: "rank 4, with only the batch possibly empty", found: "shape \(inputShape)"
      )
    }
    if alignCorners, mode == .nearest {
      throw ProblemError(
        .invalidArgument, "align_corners", expected: "mode bilinear with align_corners", found: "mode nearest")
    }
    switch target {
    case .size(let pair): try pair.require(atLeast: 1, "size")
    case .scaleFactor(let height, let width):
      for factor in [height, width] where !(factor > 0 && factor <= 65_536) {
        throw ProblemError(.invalidArgument, "scale_factor", expected: "above 0 and at most 65536", found: "\(factor)")
      }
      guard outputSize.height >= 1, outputSize.width >= 1 else {
        throw ProblemError(
          .invalidArgument, "scale_factor", expected: "an output of at least 1×1",
          found: "\(outputSize.height)×\(outputSize.width)")
      }
    }
    guard Shape(validating: [inputShape[0], inputShape[1], outputSize.height, outputSize.width]) != nil else {
      throw ProblemError(.invalidArgument, "size", expected: "an addressable output", found: "\(outputSize)")
    }
  }

  public init(attributes: Attributes, operands: Operands) throws(ProblemError) {
    let target: Target
    switch (attributes["size"], attributes["scale_factor"]) {
    case (.some, nil): target = .size(try attributes.pair("size", default: nil))
    case (nil, .some):
      let factors = try attributes.realPair("scale_factor", default: nil)
      target = .scaleFactor(height: factors.0, width: factors.1)
    default:
      throw ProblemError(
        .invalidArgument, "size", expected: "one of size and scale_factor",
        found: attributes["size"] == nil ? "neither" : "both")
    }
    try self.init(
      inputShape: operands.input(rank: 4), mode: attributes.choice("mode", default: .nearest), target: target,
      alignCorners: attributes.boolean("align_corners", default: false))
  }
  public static func operands(from text: inout ProblemText) throws(ProblemError) -> Operands {
    try MaxPool2dProblem.operands(from: &text)
  }

  /// ⌊extent · factor⌋ with a scale factor.
  public var outputSize: Pair {
    // A factor is at most 65536, and an extent at most 2^48: beyond 2^63 the shape is refused, whatever it is exactly.
    func scaled(_ extent: Int, _ factor: Double) -> Int {
      Int(exactly: (Double(extent) * factor).rounded(.down)) ?? .max
    }
    return switch target {
    case .size(let pair): pair
    case .scaleFactor(let height, let width): Pair(scaled(inputShape[2], height), scaled(inputShape[3], width))
    }
  }
  public var outputShape: Shape { Shape(inputShape[0], inputShape[1], outputSize.height, outputSize.width) }

  public var attributes: Attributes {
    var attributes = Attributes(["mode": .string(mode.rawValue), "align_corners": .boolean(alignCorners)])
    switch target {
    case .size(let pair): attributes["size"] = .pair(pair)
    case .scaleFactor(let height, let width):
      attributes["scale_factor"] = height == width ? .real(height) : .reals([height, width])
    }
    return attributes
  }
  public var operands: Operands { Operands(inputs: ["x": TensorType(inputShape)]) }
  public var shapeTokens: [String] { ProblemText.tokens(for: inputShape) }
  public var outputs: [String: TensorType] { ["y": TensorType(outputShape)] }
  /// Four neighbours of each output.
  public var work: SaturatingCount { 4 * outputShape.elements }
  /// Where each row and column comes from.
  public var scratchElements: SaturatingCount {
    3 * (SaturatingCount(outputSize.height) + SaturatingCount(outputSize.width))
  }
}
