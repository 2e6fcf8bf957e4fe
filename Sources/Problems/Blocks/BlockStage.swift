import Tensors

/// One stage of a composable residual block, as the golden format writes it.
public enum BlockStage: Hashable, Sendable {
  /// `conv k=3 out=64 stride=1 pad=1 groups=1`, without bias.
  case conv(out: Int, kernel: Int, stride: Int, padding: Int, groups: Int)
  /// `bn`
  case batchNorm
  /// `relu`
  case relu
  /// `upsample size=14x14 mode=nearest`
  case upsample(size: Pair, mode: Upsample2dProblem.Mode)

  /// - Throws: ``ProblemError`` that names the word at fault and what could stand there.
  public init(text: String) throws(ProblemError) {
    let words = text.split(separator: " ")
    var options: [Substring: Substring] = [:]
    for word in words.dropFirst() {
      let parts = word.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { throw Self.failure("name=value in '\(text)'", String(word)) }
      options[parts[0]] = parts[1]
    }
    switch words.first {
    case "conv":
      self = .conv(
        out: try Self.integer(&options, "out", default: nil, text),
        kernel: try Self.integer(&options, "k", default: nil, text),
        stride: try Self.integer(&options, "stride", default: 1, text),
        padding: try Self.integer(&options, "pad", default: 0, text),
        groups: try Self.integer(&options, "groups", default: 1, text))
    case "bn": self = .batchNorm
    case "relu": self = .relu
    case "upsample":
      let extents = (options.removeValue(forKey: "size") ?? "").split(separator: "x").map { Int($0) }
      guard extents.count == 2, let height = extents[0], let width = extents[1] else {
        throw Self.failure("size=HxW in an upsample stage", text)
      }
      let name = options.removeValue(forKey: "mode") ?? "nearest"
      guard let mode = Upsample2dProblem.Mode(rawValue: String(name)) else {
        throw Self.failure("mode nearest or bilinear", String(name))
      }
      self = .upsample(size: Pair(height, width), mode: mode)
    default: throw Self.failure("a stage conv, bn, relu or upsample", text)
    }
    if let unknown = options.keys.min() { throw Self.failure("a known option in '\(text)'", String(unknown)) }
  }

  private static func integer(
    _ options: inout [Substring: Substring], _ name: Substring, default value: Int?, _ text: String
  ) throws(ProblemError) -> Int {
    guard let found = options.removeValue(forKey: name) else {
      if let value { return value }
      throw failure("\(name)=… in a conv stage", text)
    }
    guard let integer = Int(found) else { throw failure("an integer for \(name)", String(found)) }
    return integer
  }

  private static func failure(_ expected: String, _ found: String) -> ProblemError {
    ProblemError(.invalidArgument, "stages", expected: expected, found: "'\(found)'")
  }

  public var text: String {
    switch self {
    case .conv(let out, let kernel, let stride, let padding, let groups):
      "conv k=\(kernel) out=\(out) stride=\(stride) pad=\(padding) groups=\(groups)"
    case .batchNorm: "bn"
    case .relu: "relu"
    case .upsample(let size, let mode): "upsample size=\(size.height)x\(size.width) mode=\(mode.rawValue)"
    }
  }
}

extension LayerChain {
  /// Appends stages, each named by its position.
  mutating func append(_ stages: [BlockStage]) throws(ProblemError) {
    for (position, stage) in stages.enumerated() {
      let name = "\(position)"
      switch stage {
      case .conv(let out, let kernel, let stride, let padding, let groups):
        try conv(name, out: out, kernel: kernel, stride: stride, padding: padding, groups: groups)
      case .batchNorm: try batchNorm(name)
      case .relu: relu(name)
      case .upsample(let size, let mode): try upsample(name, size: size, mode: mode)
      }
    }
  }
}
