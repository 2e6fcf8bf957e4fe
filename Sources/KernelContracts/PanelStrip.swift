/// Everything one call of the panel kernel needs: a register tile of output channels × panels of NCHW pixels, summed over some
/// input channels, or over some channels' taps, which are called channels here.
///
///     y[m][p] (+)= Σ_c w[c][m] · x[c][p]
///
/// Pixels lie in the lanes, in panels of two vectors; a tile's weights stay in the first-level cache while panels pass. Strides
/// count floats.
///
/// - Requires: the ranges below lie inside their buffers; `target` aliases nothing. Nothing else is read or written; addresses
///   outside may be prefetched.
/// - Error: |y − ŷ| ≤ γ_n·Σ|w·x| with n = depth, one FMA a channel in order (the portable build rounds products too: γ_{n+1}). A
///   sum done in several calls has the same bits as one done in a single call.
/// - Work: 2·depth·rows·V·vectors·panelCount flop.
public struct PanelStrip {
  /// `w[c][m]` is at `weights + c·rows + m`.
  public var weights: UnsafePointer<Float>
  /// Output channels, from 1 to the table's `tilePixels`.
  public var rows: Int
  /// Input channels.
  public var depth: Int
  /// Pixel q of a panel is at `panels + panel·panelStride + c·2V + q`.
  public var panels: UnsafeMutablePointer<Float>
  /// Where the pixels of each channel are instead, behind `panels + panel·panelStride`; anywhere, and panels may share floats.
  /// `nil` where ``source`` is not.
  public var offsets: UnsafePointer<Int>?
  public var panelStride: Int
  public var panelCount: Int
  /// Where a panel's pixels are read instead, and copied to ``panels`` on the way, for the tiles that follow: at
  /// `source + c·sourceStride + panel·2V + q`. `nil` where they lie there already, and with one vector a panel.
  public var source: UnsafePointer<Float>?
  public var sourceStride: Int
  /// 1 or 2: how many of a panel's vectors there are; the second of a single one is not read.
  public var vectors: Int
  /// Written at `target + m·targetStride + panel·vectors·V + q`.
  public var target: UnsafeMutablePointer<Float>
  public var targetStride: Int
  /// The sum starts from what the target holds instead of zero.
  public var accumulate: Bool
  /// What is asked for while this is computed, because it will be read later; left as far as it has come.
  public var ahead: UnsafeMutablePointer<RowsAhead>

  @inlinable
  public init(
    weights: UnsafePointer<Float>, rows: Int, depth: Int, panels: UnsafeMutablePointer<Float>,
    offsets: UnsafePointer<Int>? = nil, panelStride: Int, panelCount: Int, source: UnsafePointer<Float>?,
    sourceStride: Int, vectors: Int, target: UnsafeMutablePointer<Float>, targetStride: Int, accumulate: Bool,
    ahead: UnsafeMutablePointer<RowsAhead>
  ) {
    self.weights = weights
    self.rows = rows
    self.depth = depth
    self.panels = panels
    self.offsets = offsets
    self.panelStride = panelStride
    self.panelCount = panelCount
    self.source = source
    self.sourceStride = sourceStride
    self.vectors = vectors
    self.target = target
    self.targetStride = targetStride
    self.accumulate = accumulate
    self.ahead = ahead
  }
}

/// Rows of memory that will be read later and are asked for meanwhile, a piece of 32 floats at a time, each row from its start to
/// its end before the next one: a page is looked up once, and memory gives neighbours faster. The addresses need not be valid.
public struct RowsAhead {
  /// The next piece.
  public var next: UnsafePointer<Float>
  /// Pieces of each row, and those left of this one.
  public var pieces: Int
  public var left: Int
  /// Floats from the end of a row's pieces to the next row's first.
  public var skip: Int
  /// Pieces left of all rows; none are asked for when it is zero.
  public var remaining: Int
  /// Channels that a panel is multiplied by from one piece to the next, at least one.
  public var interval: Int

  /// - Parameters:
  ///   - start: the first row's first float.
  ///   - rows: how many rows.
  ///   - stride: from one row to the next.
  ///   - floats: what is read of each.
  ///   - interval: channels from one piece to the next.
  @inlinable
  public init(_ start: UnsafePointer<Float>, rows: Int, stride: Int, floats: Int, interval: Int = 4) {
    next = start
    pieces = (floats + 31) / 32
    left = pieces
    skip = stride - 32 * pieces
    remaining = rows * pieces
    self.interval = interval
  }
}
