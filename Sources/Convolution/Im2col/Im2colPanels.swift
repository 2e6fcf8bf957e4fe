import KernelContracts

/// How the patch matrix of one phase is cut: panels of rows × segments of the sum.
///
/// A panel is `[segment][pixel][lane]`. Its segments are the plan's, whose weights it shares; where a pixel has fewer
/// channels than a vector, they are laid end to end first (`isDense`), and only the last is short.
struct Im2colPanels {
  let isDense: Bool
  /// Segments of V channels, and those after them of `shortChannels`.
  let wholeSegments: Int
  let shortSegments: Int
  let shortChannels: Int
  /// Whole segments that are multiplied in one go; the short ones go with the last of them.
  let panels: [Range<Int>]
  /// Output rows in a panel.
  let rows: Int
  /// Offsets of a panel's segments and rows.
  let segmentStride: Int
  let segmentOffsets: [Int]
  let rowOffsets: [Int]
  /// Floats of the largest panel, and of the scratch row of the dense form.
  let panelCount: Int
  let scratchCount: Int

  init(_ plan: GatherPlan, _ phase: GatherPlan.Phase, _ kernels: KernelTable, materialised: Bool) {
    let lanes = plan.vectorWidth
    let terms = phase.vectorWeights / lanes
    isDense = plan.source.block < lanes
    wholeSegments = isDense ? terms / lanes : phase.wholeSegments
    shortChannels = isDense ? terms % lanes : phase.shortChannels
    shortSegments = isDense ? (shortChannels > 0 ? 1 : 0) : phase.segments.count - phase.wholeSegments
    scratchCount = isDense ? (terms + lanes - 1) / lanes * lanes : 0
    panels = GatherPlan.panels(wholeSegments, atMost: materialised ? .max : kernels.panelSegments)
    let deepest = (panels.map(\.count).max() ?? 0) + shortSegments
    let columns = phase.geometry.columns
    let images = plan.source.batch * phase.geometry.rows
    let cachedBytes = (Machine.current.l2Bytes ?? 1 << 20) / 4
    let rows =
      materialised ? phase.geometry.rows : max(1, min(images, cachedBytes / max(1, deepest * columns * lanes * 4)))
    self.rows = rows
    rowOffsets = (0..<max(rows, 1)).map { $0 * columns * lanes }
    let segmentStride = BlockedLayout.spreadOverCache(max(rows, 1) * columns * lanes)
    self.segmentStride = segmentStride
    segmentOffsets = (0..<max(deepest, 1)).map { $0 * segmentStride }
    panelCount = deepest * segmentStride
  }

  /// A panel's segments, the short ones with the last.
  func segments(_ panel: Int) -> Range<Int> {
    panels[panel].lowerBound..<panels[panel].upperBound + (panel == panels.count - 1 ? shortSegments : 0)
  }
}
