import KernelContracts

/// NCHW ↔ channel-blocked, planned once for a layout.
public struct LayoutConversion: Sendable {
  public let layout: BlockedLayout
  private let kernels: KernelTable
  private let pool: ThreadPool

  /// - Throws: ``ConvolutionError`` when the instruction set or the threads are not available.
  public init(_ layout: BlockedLayout, options: ConvolutionOptions) throws(ConvolutionError) {
    self.layout = layout
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
  }

  /// Writes the interior of a blocked buffer; its halo stays as it is.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  public func pack(
    _ dense: UnsafeBufferPointer<Float>, into blocked: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    try check(dense.count, blocked.count)
    guard let dense = dense.baseAddress, let blocked = blocked.baseAddress else { return }
    forEachPiece { piece, channels in
      fetch(dense + piece.dense, channels, piece)
      kernels.interleave(
        dense + piece.dense, plane, blocked + piece.blocked, layout.block, channels, piece.pixels)
    }
  }

  /// Reads the interior of a blocked buffer.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  public func unpack(
    _ blocked: UnsafeBufferPointer<Float>, into dense: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    try check(dense.count, blocked.count)
    guard let dense = dense.baseAddress, let blocked = blocked.baseAddress else { return }
    forEachPiece { piece, channels in
      fetch(dense + piece.dense, channels, piece)
      kernels.deinterleave(
        blocked + piece.blocked, layout.block, dense + piece.dense, plane, channels, piece.pixels)
    }
  }

  private func check(_ dense: Int, _ blocked: Int) throws(ConvolutionError) {
    guard dense == layout.denseCount else {
      throw .bufferMismatch(name: "NCHW buffer", expected: layout.denseCount, found: dense)
    }
    guard blocked == layout.count else {
      throw .bufferMismatch(name: "blocked buffer", expected: layout.count, found: blocked)
    }
  }

  private var plane: Int { layout.height * layout.width }

  /// Pixels that follow one another in both forms: the offsets of the first, and how many there are, and further on to the end of
  /// the plane.
  private struct Piece {
    var dense: Int
    var blocked: Int
    var pixels: Int
    var left: Int
  }

  /// Without a halo beside them all rows are one.
  private var run: Int { layout.rowStride == layout.width * layout.block ? plane : layout.width }

  /// The most pixels of a piece, and how far ahead of those that are moved others are asked for: planes are too far apart for the CPU to foresee the
  /// next one's, and a plane's are too few at a time for it to see a sequence in them.
  private static let fetched = 64

  /// Asks for as many pixels of NCHW as a piece has, so much further on.
  private func fetch(_ dense: UnsafePointer<Float>, _ channels: Int, _ piece: Piece) {
    let count = min(piece.pixels, piece.left - Self.fetched)
    if count > 0 { kernels.fetchRows(dense + Self.fetched, plane, channels, count) }
  }

  /// In one task an image and block of channels.
  private func forEachPiece(_ body: (Piece, _ channels: Int) -> Void) {
    let run = run
    forEachBlock { dense, blocked, channels in
      for first in stride(from: 0, to: plane, by: run) {
        let row = blocked + first / layout.width * layout.rowStride
        for pixel in stride(from: 0, to: run, by: Self.fetched) {
          body(
            Piece(
              dense: dense + first + pixel, blocked: row + pixel * layout.block,
              pixels: min(Self.fetched, run - pixel), left: plane - first - pixel), channels)
        }
      }
    }
  }

  /// One task an image and block of channels: the offsets of its first pixel in both forms, and its channels.
  private func forEachBlock(_ body: (_ dense: Int, _ blocked: Int, _ channels: Int) -> Void) {
    let blocks = layout.groups * layout.blocksPerGroup
    let plane = plane
    pool.run(tasks: layout.batch * blocks) { task, _ in
      let image = task / blocks
      let group = task % blocks / layout.blocksPerGroup
      let first = task % layout.blocksPerGroup * layout.block
      let channel = group * layout.channelsPerGroup + first
      body(
        (image * layout.channels + channel) * plane, layout.offset(image: image, channel: channel),
        min(layout.block, layout.channelsPerGroup - first))
    }
  }
}
