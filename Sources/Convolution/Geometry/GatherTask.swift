import KernelContracts

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
  static func direct(_ plan: GatherPlan, _ kernels: KernelTable, threads: Int) -> [GatherTask] {
    let rows = plan.phases.map { plan.source.batch * $0.geometry.rows }
    let largest = rows.max() ?? 0
    guard largest > 0 else { return [] }
    let cachedBytes = (Machine.current.l2Bytes ?? 1 << 20) / 4
    let chunk =
      zip(plan.phases, rows).map { phase, rows in
        max(1, min(rows, cachedBytes / rowBytes(plan, phase, kernels)))
      }.min() ?? 1
    // Enough tasks for every thread to end at about the same time, cut so that the least is read again: the weights pass once
    // for each chunk of rows, the input for each part of the output vectors.
    let wanted = threads == 1 ? 1 : threads * 6
    let whole = plan.phases.count * plan.groups
    let fewest = (largest + chunk - 1) / chunk
    let pairs = (plan.destinationVectors + 1) / 2
    func chunks(_ parts: Int) -> Int { min(largest, max(fewest, (wanted + whole * parts - 1) / (whole * parts))) }
    func cost(_ parts: Int) -> Int {
      // Too few tasks leave threads idle, which costs more than any reading.
      let idle = whole * parts * chunks(parts) < wanted ? 1 << 40 : 0
      return idle + chunks(parts) * plan.weightCount / plan.groups + parts * plan.source.count / plan.groups
    }
    let parts = (1...min(pairs, max(1, wanted))).min { cost($0) < cost($1) } ?? 1
    let chunkCount = chunks(parts)
    var tasks: [GatherTask] = []
    for group in 0..<plan.groups {
      for part in 0..<parts {
        let vectors = pairs * part / parts * 2..<min(pairs * (part + 1) / parts * 2, plan.destinationVectors)
        for index in 0..<chunkCount {
          for (phase, rows) in rows.enumerated() {
            let range = rows * index / chunkCount..<rows * (index + 1) / chunkCount
            guard !range.isEmpty else { continue }
            tasks.append(GatherTask(phase: phase, group: group, vectors: vectors, rows: range))
          }
        }
      }
    }
    return tasks
  }

  /// Bytes of the source that a row of a phase adds to what one panel of weights reads.
  private static func rowBytes(_ plan: GatherPlan, _ phase: GatherPlan.Phase, _ kernels: KernelTable) -> Int {
    let panels = GatherPlan.panels(phase.wholeSegments, atMost: kernels.panelSegments).count
    let blocks = (plan.sourceBlocks + panels - 1) / panels
    let rows = min(plan.sourceStep.height, Set(phase.geometry.taps.map(\.row)).count)
    return max(1, rows * plan.source.rowStride * blocks * 4)
  }

  /// Tasks of a panelled im2col: a panel's rows for all output vectors, or for fewer where threads would be idle (the
  /// panel is then copied more than once).
  static func panels(_ plan: GatherPlan, _ index: Int, rows: Int, threads: Int) -> [GatherTask] {
    let images = plan.source.batch * plan.phases[index].geometry.rows
    guard images > 0 else { return [] }
    let wanted = threads == 1 ? 1 : threads * 2
    var panels = (images + rows - 1) / rows
    if panels < wanted { panels = min(images, wanted) }
    let pairs = (plan.destinationVectors + 1) / 2
    let parts = max(1, min(pairs, wanted / (panels * plan.groups)))
    var tasks: [GatherTask] = []
    for panel in 0..<panels {
      for group in 0..<plan.groups {
        for part in 0..<parts {
          tasks.append(
            GatherTask(
              phase: index, group: group,
              vectors: pairs * part / parts * 2..<min(pairs * (part + 1) / parts * 2, plan.destinationVectors),
              rows: images * panel / panels..<images * (panel + 1) / panels))
        }
      }
    }
    return tasks
  }
}

/// The checked operands of a run.
struct GatherOperands: @unchecked Sendable {
  let input: UnsafePointer<Float>
  let output: UnsafeMutablePointer<Float>
  let residual: UnsafePointer<Float>?

  /// Whether the output is written over the residual, which has then to be read before any part of a sum is kept there.
  var replacesResidual: Bool { residual == UnsafePointer(output) }

  /// Nil when there is nothing to compute: no images.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)``.
  init?(
    _ plan: GatherPlan, _ epilogue: ConvolutionEpilogue, _ input: UnsafeBufferPointer<Float>,
    _ output: UnsafeMutableBufferPointer<Float>, _ residual: UnsafeBufferPointer<Float>?
  ) throws(ConvolutionError) {
    guard input.count == plan.source.count else {
      throw .bufferMismatch(name: "input", expected: plan.source.count, found: input.count)
    }
    guard output.count == plan.destination.count else {
      throw .bufferMismatch(name: "output", expected: plan.destination.count, found: output.count)
    }
    let expected = epilogue.addsResidual ? plan.destination.count : 0
    guard (residual?.count ?? 0) == expected else {
      throw .bufferMismatch(name: "residual", expected: expected, found: residual?.count ?? 0)
    }
    guard let target = output.baseAddress, output.count > 0 else { return nil }
    self.output = target
    // An input without pixels is all padding: with its halo it is empty only if there are no images.
    guard let from = input.baseAddress else { return nil }
    self.input = from
    self.residual = epilogue.addsResidual ? residual?.baseAddress : nil
  }
}
