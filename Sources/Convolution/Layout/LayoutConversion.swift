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

  /// Pixels that follow one another in both forms, and that no two threads share: a row, or, without a halo beside the rows, a piece.
  private var run: Int { layout.rowStride == layout.width * layout.block ? Self.fetched : layout.width }

  /// The most pixels of a piece, and how far ahead of those that are moved others are asked for: planes are too far apart for the CPU to foresee the
  /// next one's, and a plane's are too few at a time for it to see a sequence in them.
  private static let fetched = 64

  /// Of an image that is worth a thread of its own.
  private static let fewestPixels = 4_096

  /// Asks for as many pixels of NCHW as a piece has, so much further on.
  private func fetch(_ dense: UnsafePointer<Float>, _ channels: Int, _ piece: Piece) {
    let count = min(piece.pixels, piece.left - Self.fetched)
    if count > 0 { kernels.fetchRows(dense + Self.fetched, plane, channels, count) }
  }

  /// In one task an image and block of channels, or a part of its pixels where there are fewer of these than threads.
  private func forEachPiece(_ body: (Piece, _ channels: Int) -> Void) {
    let (run, plane) = (run, plane)
    let blocks = layout.groups * layout.blocksPerGroup
    let runs = run > 0 ? (plane + run - 1) / run : 0
    let places = max(1, layout.batch * blocks)
    let parts = max(1, min(runs, plane / Self.fewestPixels, (pool.threads + places - 1) / places))
    pool.run(tasks: layout.batch * blocks * parts) { task, _ in
      let (place, part) = task.quotientAndRemainder(dividingBy: parts)
      let (image, block) = place.quotientAndRemainder(dividingBy: blocks)
      let inGroup = block % layout.blocksPerGroup * layout.block
      let channel = block / layout.blocksPerGroup * layout.channelsPerGroup + inGroup
      let dense = (image * layout.channels + channel) * plane
      let blocked = layout.offset(image: image, channel: channel)
      let channels = min(layout.block, layout.channelsPerGroup - inGroup)
      for number in part * runs / parts..<(part + 1) * runs / parts {
        let first = number * run
        let (row, column) = first.quotientAndRemainder(dividingBy: layout.width)
        let target = blocked + row * layout.rowStride + column * layout.block
        let count = min(run, plane - first)
        for pixel in stride(from: 0, to: count, by: Self.fetched) {
          body(
            Piece(
              dense: dense + first + pixel, blocked: target + pixel * layout.block,
              pixels: min(Self.fetched, count - pixel), left: plane - first - pixel), channels)
        }
      }
    }
  }
}
