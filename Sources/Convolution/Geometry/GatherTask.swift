/// A piece of a gather that one thread does alone: rows of a phase × output vectors of a group, whole sums.
struct GatherTask {
  var phase: Int
  var group: Int
  /// Starts at an even vector; pairs are not cut.
  var vectors: Range<Int>
  /// Of all images' rows in sequence.
  var rows: Range<Int>

  /// Tasks of a direct convolution: as many rows as keep a panel's part of their input in a quarter of the L2 cache, for all
  /// output vectors, whose weights pass once for each panel. The phases of the same rows follow one another: they read and
  /// write the same lines.
  static func direct(_ plan: GatherPlan, threads: Int) -> [GatherTask] {
    let rows = plan.phases.map { plan.source.batch * $0.geometry.rows }
    let largest = rows.max() ?? 0
    guard largest > 0 else { return [] }
    let cachedBytes = (Machine.current.l2Bytes ?? 1 << 20) / 4
    let chunk =
      zip(plan.phases, rows).map { phase, rows in
        max(1, min(rows, cachedBytes / rowBytes(plan, phase)))
      }.min() ?? 1
    let pairs = (plan.destinationVectors + 1) / 2
    let cut = TaskCut(
      rows: largest, atMost: chunk, pairs: pairs, whole: plan.phases.count * plan.groups, threads: threads,
      weights: Double(plan.weightCount), input: Double(plan.source.count),
      work: Double(plan.weightCount) * Double(largest) * Double(plan.phases.map(\.geometry.columns).max() ?? 0))
    let (chunks, parts) = (cut.chunks, cut.parts)
    var tasks: [GatherTask] = []
    for group in 0..<plan.groups {
      for part in 0..<parts {
        let vectors = pairs * part / parts * 2..<min(pairs * (part + 1) / parts * 2, plan.destinationVectors)
        for index in 0..<chunks {
          for (phase, rows) in rows.enumerated() {
            let range = rows * index / chunks..<rows * (index + 1) / chunks
            guard !range.isEmpty else { continue }
            tasks.append(GatherTask(phase: phase, group: group, vectors: vectors, rows: range))
          }
        }
      }
    }
    return tasks
  }

  /// Bytes of the source that a row of a phase adds to what one panel of weights reads.
  private static func rowBytes(_ plan: GatherPlan, _ phase: GatherPlan.Phase) -> Int {
    let blocks = (plan.sourceBlocks + phase.panels.count - 1) / phase.panels.count
    let rows = min(plan.sourceStep.height, Set(phase.geometry.taps.map(\.row)).count)
    return max(1, rows * plan.source.rowStride * blocks * 4)
  }

  /// Tasks of a panelled im2col: a panel's rows for all output vectors, or for fewer where that reads less again.
  static func panels(_ plan: GatherPlan, _ index: Int, rows: Int, threads: Int) -> [GatherTask] {
    let images = plan.source.batch * plan.phases[index].geometry.rows
    guard images > 0 else { return [] }
    let pairs = (plan.destinationVectors + 1) / 2
    let pixels = Double(images) * Double(plan.phases[index].geometry.columns)
    let patch = Double(plan.groups * plan.phases[index].vectorWeights)
    let weights = patch * Double(plan.destinationVectors)
    let cut = TaskCut(
      rows: images, atMost: rows, pairs: pairs, whole: plan.groups, threads: threads, weights: weights,
      // Every part copies the patches of its own.
      input: 2 * patch * pixels / Double(plan.vectorWidth), work: weights * pixels)
    var tasks: [GatherTask] = []
    for panel in 0..<cut.chunks {
      for group in 0..<plan.groups {
        for part in 0..<cut.parts {
          tasks.append(
            GatherTask(
              phase: index, group: group,
              vectors: pairs * part / cut.parts * 2..<min(pairs * (part + 1) / cut.parts * 2, plan.destinationVectors),
              rows: images * panel / cut.chunks..<images * (panel + 1) / cut.chunks))
        }
      }
    }
    return tasks
  }
}
