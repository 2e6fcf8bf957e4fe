/// How the patch matrix of one phase is cut: panels of rows × chunks of the reduction.
///
/// A panel is `[vector of the reduction][pixel][lane]`. The reduction runs over (block, tap) vectors; where a pixel has
/// fewer channels than a vector, all taps' channels are laid end to end first (`isDense`).
struct Im2colPanels {
  /// Consecutive vectors of the reduction that are multiplied in one go.
  struct Chunk {
    var first: Int
    var count: Int
    /// Channels of its vectors, and of its last one.
    var channels: Int
    var lastChannels: Int
    /// Reduction terms before it.
    var termsBefore: Int
  }

  let isDense: Bool
  let chunks: [Chunk]
  /// Output rows in a panel.
  let rows: Int
  /// Offsets of a panel's rows, and the one tap at no distance.
  let rowOffsets: [Int]
  /// Floats of the largest panel, and of the scratch row of the dense form.
  let panelCount: Int
  let scratchCount: Int

  /// Panel bytes that leave room in an L2 cache for the weights streaming by.
  static let panelBytes = 640 << 10
  static let chunkTerms = 768

  init(_ plan: GatherPlan, _ phase: GatherPlan.Phase, materialised: Bool) {
    let lanes = plan.vectorWidth
    let terms = phase.vectorWeights / lanes
    isDense = plan.source.block < lanes
    let columns = phase.geometry.columns
    // The most vectors of the reduction in a chunk: a row of pixels has to fit whatever happens.
    let widest = max(1, Self.panelBytes / max(1, columns * lanes * 4))
    let limit = materialised ? Int.max : max(1, min(widest, Self.chunkTerms / lanes))
    var chunks: [Chunk] = []
    var before = 0
    func cut(vectors: Int, channels: Int, lastChannels: Int, from first: Int) {
      guard vectors > 0 else { return }
      let pieces = limit == .max ? 1 : (vectors + limit - 1) / limit
      for piece in 0..<pieces {
        let start = vectors * piece / pieces
        let end = vectors * (piece + 1) / pieces
        let last = end == vectors ? lastChannels : channels
        chunks.append(
          Chunk(
            first: first + start, count: end - start, channels: channels, lastChannels: last, termsBefore: before))
        before += (end - start - 1) * channels + last
      }
    }
    if isDense {
      let vectors = (terms + lanes - 1) / lanes
      cut(vectors: vectors, channels: lanes, lastChannels: terms - (vectors - 1) * lanes, from: 0)
      scratchCount = vectors * lanes
    } else {
      let taps = phase.taps.count
      let tail = plan.sourceChannels % lanes
      let full = plan.sourceChannels / lanes * taps
      cut(vectors: full, channels: lanes, lastChannels: lanes, from: 0)
      cut(vectors: tail == 0 ? 0 : taps, channels: tail, lastChannels: tail, from: full)
      scratchCount = 0
    }
    self.chunks = chunks
    let deepest = chunks.map(\.count).max() ?? 0
    let rowFloats = max(1, deepest * columns * lanes)
    let images = plan.source.batch * phase.geometry.rows
    rows = materialised ? phase.geometry.rows : max(1, min(images, Self.panelBytes / 4 / rowFloats))
    rowOffsets = (0..<max(rows, 1)).map { $0 * columns * lanes }
    let vectors = materialised ? chunks.map(\.count).reduce(0, +) : deepest
    panelCount = vectors * rows * columns * lanes
  }
}
