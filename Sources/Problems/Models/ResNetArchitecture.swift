import Tensors

/// A family member: which blocks, how many, how wide, and what stands before and after them.
///
/// - Source: He et al. 2015, tables 1 and 6; Xie et al. 2017 (ResNeXt); Zagoruyko and Komodakis 2016 (wide); names and
///   details after torchvision.
public struct ResNetArchitecture: Hashable, Sendable {
  public enum Block: String, Hashable, Sendable { case basic, bottleneck }

  public enum Stem: Hashable, Sendable {
    /// 7×7 with stride 2, then a 3×3 max pool with stride 2.
    case imageNet
    /// 3×3 with stride 1, no pool.
    case smallImage
  }

  public enum Pool: Hashable, Sendable {
    /// The mean over the whole plane, whatever its size.
    case global
    /// The mean over 4×4, which fixes the image to 32×32.
    case fourByFour
  }

  public var name: String
  public var block: Block
  /// Blocks of each stage.
  public var depths: [Int]
  /// Planes of each stage; a bottleneck puts out four times as many.
  public var widths: [Int]
  public var stem: Stem
  public var pool: Pool
  public var groups = 1
  public var baseWidth = 64
  public var classCount: Int
  /// Stages (from 0) whose stride becomes a dilation, as torchvision's `replace_stride_with_dilation`.
  public var dilatedStages: Set<Int> = []

  /// Height and width of an image where there is but one choice.
  public var imageSide: Int? { stem == .smallImage && pool == .fourByFour ? 32 : nil }

  /// Height and width of the images that it was made for.
  public var usualImageSide: Int { stem == .imageNet ? 224 : 32 }

  /// Layers with weights on the longest path, as the names count them.
  public var depth: Int { depths.reduce(0, +) * (block == .basic ? 2 : 3) + 2 }

  /// The same with the first stage `width` planes wide, and the others in proportion.
  /// - Requires: width ≥ 1.
  public func scaled(toWidth width: Int) -> ResNetArchitecture {
    var narrow = self
    narrow.widths = widths.map { max(1, $0 * width / widths[0]) }
    return narrow
  }
}

extension ResNetArchitecture {
  public static let resnet18 = imageNet("resnet18", .basic, [2, 2, 2, 2])
  public static let resnet34 = imageNet("resnet34", .basic, [3, 4, 6, 3])
  public static let resnet50 = imageNet("resnet50", .bottleneck, [3, 4, 6, 3])
  public static let resnet101 = imageNet("resnet101", .bottleneck, [3, 4, 23, 3])
  public static let resnet152 = imageNet("resnet152", .bottleneck, [3, 8, 36, 3])
  public static let resnext50 = imageNet("resnext50_32x4d", .bottleneck, [3, 4, 6, 3], groups: 32, baseWidth: 4)
  public static let resnext101 = imageNet("resnext101_32x8d", .bottleneck, [3, 4, 23, 3], groups: 32, baseWidth: 8)
  public static let wideResnet50 = imageNet("wide_resnet50_2", .bottleneck, [3, 4, 6, 3], baseWidth: 128)
  public static let wideResnet101 = imageNet("wide_resnet101_2", .bottleneck, [3, 4, 23, 3], baseWidth: 128)
  /// ResNet-18 for 32×32 images.
  public static let simpleResnet = ResNetArchitecture(
    name: "simple_resnet", block: .basic, depths: [2, 2, 2, 2], widths: [64, 128, 256, 512], stem: .smallImage,
    pool: .fourByFour, classCount: 10)

  /// The paper's network for CIFAR-10 with 6n + 2 layers.
  ///
  /// Its shortcuts are projections where shapes differ (the paper's option B; the paper itself pads with zeros there).
  /// - Throws: ``ProblemError`` unless depth = 6n + 2 with n ≥ 1.
  public static func cifar(depth: Int) throws(ProblemError) -> ResNetArchitecture {
    guard depth >= 8, (depth - 2) % 6 == 0, depth <= 20_000 else {
      throw ProblemError(
        .invalidArgument, "architecture", expected: "cifar_resnet with a depth of 6n + 2 (20, 32, 44, 56, 110, 1202)",
        found: "cifar_resnet\(depth)")
    }
    let blocks = (depth - 2) / 6
    return ResNetArchitecture(
      name: "cifar_resnet\(depth)", block: .basic, depths: [blocks, blocks, blocks], widths: [16, 32, 64],
      stem: .smallImage, pool: .global, classCount: 10)
  }

  /// Every architecture with a name of its own; the CIFAR family comes from ``cifar(depth:)``.
  public static let named: [ResNetArchitecture] = [
    resnet18, resnet34, resnet50, resnet101, resnet152, resnext50, resnext101, wideResnet50, wideResnet101,
    simpleResnet,
  ]

  /// The architecture of that name.
  /// - Throws: ``ProblemError`` that lists the names.
  public init(named name: String) throws(ProblemError) {
    if name.hasPrefix("cifar_resnet"), let depth = Int(name.dropFirst("cifar_resnet".count)) {
      self = try .cifar(depth: depth)
      return
    }
    guard let found = Self.named.first(where: { $0.name == name }) else {
      throw ProblemError(
        .invalidArgument, "architecture",
        expected: "one of \(Self.named.map(\.name).joined(separator: ", ")), cifar_resnet<6n+2>", found: "'\(name)'")
    }
    self = found
  }

  private static func imageNet(
    _ name: String, _ block: Block, _ depths: [Int], groups: Int = 1, baseWidth: Int = 64
  ) -> ResNetArchitecture {
    ResNetArchitecture(
      name: name, block: block, depths: depths, widths: [64, 128, 256, 512], stem: .imageNet, pool: .global,
      groups: groups, baseWidth: baseWidth, classCount: 1000)
  }
}
