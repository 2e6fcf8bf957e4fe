import Tensors

/// How the strategies keep an activation: `[batch][group][block][row][column][lane]`, a lane being one of `block`
/// consecutive channels of a group.
///
/// `block` is the kernels' vector width V, or the number of channels of a group where that is smaller (an image of three
/// channels is then NHWC). Lanes past a group's channels are padding: never read, written as zeros or anything else.
/// The halo surrounds every plane with rows and columns that hold zeros and that nobody writes after they are allocated;
/// a convolution reads its padding there. All offsets count floats.
public struct BlockedLayout: Hashable, Sendable {
  /// Rows and columns around a plane.
  public struct Halo: Hashable, Sendable {
    public var top: Int
    public var left: Int
    public var bottom: Int
    public var right: Int

    public init(top: Int, left: Int, bottom: Int, right: Int) {
      self.top = top
      self.left = left
      self.bottom = bottom
      self.right = right
    }

    public init(_ all: Int = 0) { self.init(top: all, left: all, bottom: all, right: all) }

    /// Whether every side is at least as wide as `other`'s.
    public func covers(_ other: Halo) -> Bool {
      top >= other.top && left >= other.left && bottom >= other.bottom && right >= other.right
    }

    /// The smallest halo that covers both.
    public func union(_ other: Halo) -> Halo {
      Halo(
        top: max(top, other.top), left: max(left, other.left), bottom: max(bottom, other.bottom),
        right: max(right, other.right))
    }
  }

  public let batch: Int
  public let channels: Int
  public let height: Int
  public let width: Int
  public let groups: Int
  public let block: Int
  public let halo: Halo
  /// Floats in the whole buffer, halos included.
  public let count: Int

  /// - Parameters:
  ///   - batch: N.
  ///   - channels: C, before they are blocked.
  ///   - height: H, without the halo.
  ///   - width: W, without the halo.
  ///   - groups: channels are blocked within each of so many equal parts; where the parts are multiples of the vector
  ///     width this changes nothing.
  ///   - vectorWidth: channels in a block, in floats; fewer where a group has fewer.
  ///   - halo: zeros around each plane.
  /// - Throws: ``ConvolutionError/outOfMemory(name:bytes:)`` when the size overflows.
  public init(
    batch: Int, channels: Int, height: Int, width: Int, groups: Int = 1, vectorWidth: Int, halo: Halo = Halo()
  ) throws(ConvolutionError) {
    precondition(batch >= 0 && channels >= 1 && height >= 0 && width >= 0 && groups >= 1 && channels % groups == 0)
    let block = min(vectorWidth, channels / groups)
    // Equal buffers have equal layouts: groups matter only where a block would straddle two of them.
    self.groups = (channels / groups) % block == 0 ? 1 : groups
    self.batch = batch
    self.channels = channels
    self.height = height
    self.width = width
    self.block = block
    self.halo = halo
    let perGroup = channels / self.groups
    var count = 1
    func multiply(_ factor: Int) throws(ConvolutionError) {
      let (next, overflow) = count.multipliedReportingOverflow(by: factor)
      guard !overflow, factor >= 0, next < Int.max / 2 else { throw .outOfMemory(name: "activation", bytes: nil) }
      count = next
    }
    for factor in [height + halo.top + halo.bottom, width + halo.left + halo.right, block] { try multiply(factor) }
    count = Self.planeStride(count, block: block)
    for factor in [batch, self.groups, (perGroup + block - 1) / block] { try multiply(factor) }
    self.count = count
  }

  /// The layout of an N×C×H×W activation that no grouped convolution reads.
  /// - Throws: ``ConvolutionError/outOfMemory(name:bytes:)`` when the size overflows.
  public init(_ shape: Shape, vectorWidth: Int, halo: Halo = Halo()) throws(ConvolutionError) {
    try self.init(
      batch: shape[0], channels: shape[1], height: shape[2], width: shape[3], vectorWidth: vectorWidth, halo: halo)
  }

  /// Plain NCHW: blocks of one channel, and nothing between or round the planes.
  /// - Throws: ``ConvolutionError/outOfMemory(name:bytes:)`` when the size overflows.
  public init(dense shape: Shape) throws(ConvolutionError) {
    try self.init(
      batch: shape[0], channels: shape[1], height: shape[2], width: shape[3], vectorWidth: 1)
  }

  /// Whether a buffer is the NCHW tensor itself.
  public var isDense: Bool { block == 1 && halo == Halo() }

  /// Planes of single channels are not spread, so that they can be plain NCHW.
  private static func planeStride(_ floats: Int, block: Int) -> Int { block == 1 ? floats : spreadOverCache(floats) }

  /// The stride of planes of so many floats: a few cache lines more for those of 8 KiB and above, so that the same pixel of
  /// successive planes falls on sets of the first-level cache (64 of them, whose lines are 16 floats) 4 apart, and a row of
  /// pixels of all of them on every set equally often.
  static func spreadOverCache(_ floats: Int) -> Int {
    guard floats >= 2048 else { return floats }
    let lines = (floats + 15) / 16
    return (lines + (12 - lines % 8) % 8) * 16
  }

  /// Elements of the NCHW form.
  public var denseCount: Int { batch * channels * height * width }
  public var channelsPerGroup: Int { channels / groups }
  public var blocksPerGroup: Int { (channelsPerGroup + block - 1) / block }
  public var rowStride: Int { (width + halo.left + halo.right) * block }
  public var planeStride: Int { Self.planeStride((height + halo.top + halo.bottom) * rowStride, block: block) }
  public var imageStride: Int { groups * blocksPerGroup * planeStride }
  /// From a plane's start to its first pixel inside the halo.
  public var origin: Int { halo.top * rowStride + halo.left * block }

  /// The first pixel of a block of channels: `channel` is the first channel of a block.
  public func offset(image: Int, channel: Int) -> Int {
    let group = channel / channelsPerGroup
    let within = (channel % channelsPerGroup) / block
    return image * imageStride + (group * blocksPerGroup + within) * planeStride + origin
  }

  /// The first pixel of the block at this position among all of an image's.
  func offset(image: Int, block: Int) -> Int { image * imageStride + block * planeStride + origin }

  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` unless a buffer has the layout's size.
  func check(_ found: Int, _ name: String) throws(ConvolutionError) {
    guard found == count else { throw .bufferMismatch(name: name, expected: count, found: found) }
  }

  /// - Throws: ``ConvolutionError/layoutMismatch(name:expected:found:)`` unless this is another's layout but for the halo.
  func requireBlocks(of other: BlockedLayout, _ name: String) throws(ConvolutionError) {
    guard
      (batch, channels, height, width, groups, block)
        == (other.batch, other.channels, other.height, other.width, other.groups, other.block)
    else { throw .layoutMismatch(name: name, expected: "the blocks of \(other)", found: "\(self)") }
  }

  /// Where each channel's number is among the lanes of all blocks, block after block: `blocks·block` of them, some of which may
  /// be no channel's.
  func lane(of channel: Int) -> Int {
    let (group, within) = channel.quotientAndRemainder(dividingBy: channelsPerGroup)
    return (group * blocksPerGroup + within / block) * block + within % block
  }

  /// Lanes of all blocks of an image.
  var laneCount: Int { groups * blocksPerGroup * block }

  /// The same layout with another halo.
  /// - Throws: ``ConvolutionError/outOfMemory(name:bytes:)`` when the size overflows.
  public func with(halo: Halo) throws(ConvolutionError) -> BlockedLayout {
    try BlockedLayout(
      batch: batch, channels: channels, height: height, width: width, groups: groups, vectorWidth: block, halo: halo)
  }
}

extension BlockedLayout: CustomStringConvertible {
  public var description: String {
    let groupText = groups == 1 ? "" : " in \(groups) groups"
    let haloText = halo == Halo() ? "" : " halo \(halo.top),\(halo.left),\(halo.bottom),\(halo.right)"
    return "n\(batch)c\(channels)h\(height)w\(width)\(groupText) blocks of \(block)\(haloText)"
  }
}
