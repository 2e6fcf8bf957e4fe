/// A piece of a gather that one thread does alone: rows of a phase × output vectors of a group, whole sums.
struct GatherTask {
  var phase: Int
  var group: Int
  /// Starts at an even vector; pairs are not cut.
  var vectors: Range<Int>
  /// Of all images' rows in sequence.
  var rows: Range<Int>

  /// What should stay in a core's L2 cache beside the other operands' streams.
  static let cachedWeightBytes = 1 << 20
  static let cachedRowBytes = 192 << 10

  /// Tasks of a direct convolution: as many output vectors as keep their weights in the L2 cache, for as many rows as
  /// keep their input there; those of the same weights follow one another.
  static func direct(_ plan: GatherPlan, tilePixels: Int, threads: Int) -> [GatherTask] {
    var tasks: [GatherTask] = []
    for (index, phase) in plan.phases.enumerated() {
      let rows = plan.source.batch * phase.geometry.rows
      guard rows > 0 else { continue }
      let pairBytes = max(1, phase.vectorWeights * 2 * 4)
      var vectors = max(1, cachedWeightBytes / pairBytes) * 2
      vectors = min(vectors, (plan.destinationVectors + 1) / 2 * 2)
      let rowBytes = max(
        1, plan.sourceStep.height * plan.source.rowStride * plan.sourceBlocks * 4)
      var chunk = max(1, cachedRowBytes / rowBytes)
      // Enough tasks for every thread to end at about the same time.
      let wanted = threads == 1 ? 1 : threads * 6
      func count() -> Int {
        let columns = (plan.destinationVectors + vectors - 1) / vectors
        return plan.phases.count * plan.groups * columns * ((rows + chunk - 1) / chunk)
      }
      while count() < wanted, chunk > 2 { chunk = (chunk + 1) / 2 }
      while count() < wanted, vectors > 2 { vectors = max(2, vectors / 4 * 2) }
      // Short rows are computed in pairs.
      if phase.geometry.columns <= tilePixels + 1 { chunk += chunk & 1 }
      for group in 0..<plan.groups {
        for first in stride(from: 0, to: plan.destinationVectors, by: vectors) {
          for row in stride(from: 0, to: rows, by: chunk) {
            tasks.append(
              GatherTask(
                phase: index, group: group, vectors: first..<min(first + vectors, plan.destinationVectors),
                rows: row..<min(row + chunk, rows)))
          }
        }
      }
    }
    return tasks
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
