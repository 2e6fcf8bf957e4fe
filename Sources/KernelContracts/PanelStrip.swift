/// Everything one call of the panel kernel needs: a register tile of output channels × panels of NCHW pixels, summed over some
/// input channels.
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
  public var panels: UnsafePointer<Float>
  public var panelStride: Int
  public var panelCount: Int
  /// 1 or 2: how many of a panel's vectors there are; the second of a single one is not read.
  public var vectors: Int
  /// Written at `target + m·targetStride + panel·2V + q`.
  public var target: UnsafeMutablePointer<Float>
  public var targetStride: Int
  /// The sum starts from what the target holds instead of zero.
  public var accumulate: Bool
  /// What is asked for while this is computed, because it will be read later: one cache line beside each input channel of panel p,
  /// at `fetch + c·fetchStride + p·16`. The addresses need not be valid.
  public var fetch: UnsafePointer<Float>
  public var fetchStride: Int

  public init(
    weights: UnsafePointer<Float>, rows: Int, depth: Int, panels: UnsafePointer<Float>, panelStride: Int,
    panelCount: Int, vectors: Int, target: UnsafeMutablePointer<Float>, targetStride: Int, accumulate: Bool,
    fetch: UnsafePointer<Float>, fetchStride: Int
  ) {
    self.weights = weights
    self.rows = rows
    self.depth = depth
    self.panels = panels
    self.panelStride = panelStride
    self.panelCount = panelCount
    self.vectors = vectors
    self.target = target
    self.targetStride = targetStride
    self.accumulate = accumulate
    self.fetch = fetch
    self.fetchStride = fetchStride
  }
}
