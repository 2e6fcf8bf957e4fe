import KernelContracts
import Problems
import Synchronization

/// A prepared im2col convolution.
///
/// `@unchecked Sendable`: `running` keeps runs and `setWeights` apart, and in a run each worker has its own workspace
/// (each task its own rows of the shared matrix, in the materialised form).
final class Im2colConvolution: PreparedConvolution, @unchecked Sendable {
  let plan: GatherPlan
  let epilogue: ConvolutionEpilogue
  let isMaterialised: Bool
  let kernels: KernelTable
  let pool: ThreadPool
  let panels: [Im2colPanels]
  private(set) var weights: PackedWeights
  let workspace: AlignedBuffer
  let workspaceStride: Int
  /// Does the phases whose filter has one tap or none and meets every pixel: they are matrix multiplications as they are.
  private let withoutCopy: [GatherTask]
  private let tasks: [GatherTask]
  /// Does everything straight from the input, for an output that replaces its residual.
  private let direct: [GatherTask]
  private let running = Mutex<Void>(())

  var problem: Conv2dProblem { plan.problem }
  var pass: ConvolutionPass { plan.pass }
  var strategyName: String { isMaterialised ? "im2col-materialised" : "im2col" }
  var inputLayout: BlockedLayout { plan.source }
  var outputLayout: BlockedLayout { plan.destination }
  var weightBytes: Int { weights.storage.bytes }
  var workspaceBytes: Int { workspaceStride == 0 ? 0 : workspace.bytes }

  init(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, weights values: UnsafeBufferPointer<Float>,
    epilogue: ConvolutionEpilogue, options: ConvolutionOptions, materialised: Bool
  ) throws(ConvolutionError) {
    let name = materialised ? "im2col-materialised" : "im2col"
    guard pass != .backwardWeights else {
      throw .unsupported(strategy: name, reason: "backward-weights is prepared by prepareWeightGradient")
    }
    isMaterialised = materialised
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    let plan = try GatherPlan(problem, pass, kernels, options: options)
    self.plan = plan
    self.epilogue = epilogue
    let panels = plan.phases.map { [kernels] in Im2colPanels(plan, $0, kernels, materialised: materialised) }
    self.panels = panels
    let direct = GatherTask.direct(plan, threads: options.threads)
    self.direct = direct
    withoutCopy = direct.filter { plan.isMatrix(plan.phases[$0.phase]) }
    tasks = plan.phases.indices.flatMap { index -> [GatherTask] in
      plan.isMatrix(plan.phases[index])
        ? []
        : materialised
          ? direct.filter { $0.phase == index }
          : GatherTask.panels(plan, index, rows: panels[index].rows, threads: options.threads)
    }
    let largest = tasks.map { panels[$0.phase].panelCount + panels[$0.phase].scratchCount }.max() ?? 0
    // Whole cache lines, so that no two workers share one.
    workspaceStride = (largest + 15) / 16 * 16
    let scratch = panels.map(\.scratchCount).max() ?? 0
    workspace = try AlignedBuffer(
      zeros: materialised ? workspaceStride + options.threads * scratch : options.threads * workspaceStride,
      name: "im2col workspace")
    weights = try PackedWeights(plan, epilogue)
    try weights.pack(values, plan, kernels, pool)
  }

  func setWeights(_ values: UnsafeBufferPointer<Float>) throws(ConvolutionError) {
    try running.withLock { _ throws(ConvolutionError) in try weights.pack(values, plan, kernels, pool) }
  }

  func run(
    input: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>,
    residual: UnsafeBufferPointer<Float>?
  ) throws(ConvolutionError) {
    guard let operands = try ConvolutionOperands(plan.source, plan.destination, epilogue, input, output, residual)
    else { return }
    running.withLock { _ in
      if weights.mustSkipHalo { return plan.runPlain(operands, weights, epilogue, pool) }
      let operands = operands.begun(epilogue)
      if operands.replacesResidual && panels.contains(where: { $0.panels.count > 1 }) {
        return pool.run(tasks: direct.count) { index, _ in
          plan.run(direct[index], operands, weights, epilogue, kernels)
        }
      }
      pool.run(tasks: withoutCopy.count) { index, _ in
        plan.run(withoutCopy[index], operands, weights, epilogue, kernels)
      }
      if isMaterialised { return runMaterialised(operands) }
      pool.run(tasks: tasks.count) { index, worker in
        let task = tasks[index]
        let panels = panels[task.phase]
        let panel = workspace.pointer + worker * workspaceStride
        for index in panels.panels.indices {
          fill(panel, panel + panels.panelCount, task, firstRow: task.rows.lowerBound, panels.segments(index), operands)
          multiply(panel, task, index, firstRow: task.rows.lowerBound, operands)
        }
      }
    }
  }
}

extension Im2colConvolution {
  /// An image's matrix as a whole, then its products; group by group.
  private func runMaterialised(_ operands: ConvolutionOperands) {
    for (index, phase) in plan.phases.enumerated() where !plan.isMatrix(phase) {
      let panels = panels[index]
      let rows = phase.geometry.rows
      let piece = max(1, rows / (4 * pool.threads))
      let pieces = (rows + piece - 1) / piece
      let pairs = (plan.destinationVectors + 1) / 2
      for image in 0..<plan.source.batch {
        for group in 0..<plan.groups {
          func task(_ number: Int, _ vectors: Range<Int>) -> GatherTask {
            let first = image * rows + number * piece
            return GatherTask(
              phase: index, group: group, vectors: vectors,
              rows: first..<min(first + piece, (image + 1) * rows))
          }
          pool.run(tasks: pieces) { number, worker in
            let scratch = workspace.pointer + workspaceStride + worker * panels.scratchCount
            fill(
              workspace.pointer, scratch, task(number, 0..<0), firstRow: image * rows, panels.segments(0), operands)
          }
          pool.run(tasks: pieces * pairs) { number, _ in
            let pair = number / pieces * 2
            let task = task(number % pieces, pair..<min(pair + 2, plan.destinationVectors))
            multiply(workspace.pointer, task, 0, firstRow: image * rows, operands)
          }
        }
      }
    }
  }

  /// Copies the patches of a task's rows, for some segments of the sum, to a panel whose first row is `firstRow`.
  private func fill(
    _ panel: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>, _ task: GatherTask, firstRow: Int,
    _ segments: Range<Int>, _ operands: ConvolutionOperands
  ) {
    let phase = plan.phases[task.phase]
    let panels = panels[task.phase]
    let columns = phase.geometry.columns
    let pixelStride = plan.sourceStep.width * plan.source.block
    let source = operands.input + plan.sourceOffset(group: task.group)
    func target(_ row: Int) -> UnsafeMutablePointer<Float> {
      panel + (row - firstRow) * columns * plan.vectorWidth
    }
    if panels.isDense {
      phase.segments.withUnsafeBufferPointer { offsets in
        guard let offsets = offsets.baseAddress else { return }
        // The rows before this one's end may have left other values past it.
        for index in phase.vectorWeights / plan.vectorWidth..<panels.scratchCount { scratch[index] = 0 }
        for row in task.rows {
          kernels.gatherSegments(
            source + phase.sourceRows[row], pixelStride, offsets, phase.wholeSegments,
            phase.segments.count - phase.wholeSegments, phase.shortChannels, scratch, target(row),
            panels.segmentStride, segments.lowerBound, segments.count, columns)
        }
      }
      return
    }
    for segment in segments {
      let from = source + phase.segments[segment]
      for row in task.rows {
        kernels.gatherVectors(
          from + phase.sourceRows[row], pixelStride,
          target(row) + (segment - segments.lowerBound) * panels.segmentStride, columns)
      }
    }
  }

  /// Multiplies a panel with the task's output vectors; the first panel of the sum starts it, the last ends it.
  private func multiply(
    _ panel: UnsafePointer<Float>, _ task: GatherTask, _ index: Int, firstRow: Int, _ operands: ConvolutionOperands
  ) {
    let phase = plan.phases[task.phase]
    let panels = panels[task.phase]
    let whole = panels.panels[index]
    let isLast = index == panels.panels.count - 1
    panels.rowOffsets.withUnsafeBufferPointer { inputRows in
      panels.segmentOffsets.withUnsafeBufferPointer { segments in
        phase.destinationRows.withUnsafeBufferPointer { outputRows in
          guard let inputRows = inputRows.baseAddress, let outputRows = outputRows.baseAddress,
            let segments = segments.baseAddress
          else { return }
          var strip = ConvolutionStrip(
            input: panel, inputRows: inputRows + task.rows.lowerBound - firstRow, inputPixelStride: plan.vectorWidth,
            segments: segments, segmentCount: whole.count, shortCount: isLast ? panels.shortSegments : 0,
            shortChannels: panels.shortChannels, weights: panel, output: operands.output,
            outputRows: outputRows + task.rows.lowerBound,
            outputPixelStride: plan.destinationStep.width * plan.destination.block,
            outputVectorStride: plan.destination.planeStride, rowCount: task.rows.count, width: phase.geometry.columns,
            vectors: 2, lanes: plan.destination.block,
            // A panel has just been written, a whole matrix is in an outer cache.
            fetchesAhead: isMaterialised || kernels.fetchesWhatIsNear,
            accumulate: operands.continuesOutput || index > 0, relu: isLast && epilogue.relu)
          for vector in stride(from: task.vectors.lowerBound, to: task.vectors.upperBound, by: 2) {
            plan.run(
              &strip, task, phase, vector, firstSegment: whole.lowerBound, operands, weights, isLast: isLast, kernels)
          }
        }
      }
    }
  }
}
