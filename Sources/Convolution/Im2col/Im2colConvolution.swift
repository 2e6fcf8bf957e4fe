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
  /// Does the phases whose filter has one tap or none: they are matrix multiplications as they are.
  private let withoutCopy: [GatherTask]
  private let tasks: [GatherTask]
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
    let plan = try GatherPlan(problem, pass, vectorWidth: kernels.vectorWidth, options: options)
    self.plan = plan
    self.epilogue = epilogue
    let panels = plan.phases.map { Im2colPanels(plan, $0, materialised: materialised) }
    self.panels = panels
    let direct = GatherTask.direct(plan, tilePixels: kernels.tilePixels, threads: options.threads)
    withoutCopy = direct.filter { plan.phases[$0.phase].geometry.taps.count <= 1 }
    tasks = plan.phases.indices.flatMap { index -> [GatherTask] in
      plan.phases[index].geometry.taps.count <= 1
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
    try weights.pack(values, plan, pool)
  }

  func setWeights(_ values: UnsafeBufferPointer<Float>) throws(ConvolutionError) {
    try running.withLock { _ throws(ConvolutionError) in try weights.pack(values, plan, pool) }
  }

  func run(
    input: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>,
    residual: UnsafeBufferPointer<Float>?
  ) throws(ConvolutionError) {
    guard let operands = try GatherOperands(plan, epilogue, input, output, residual) else { return }
    running.withLock { _ in
      if weights.hasNonFinite && plan.source.halo != .init() {
        return plan.runPlain(operands, weights, epilogue, pool)
      }
      pool.run(tasks: withoutCopy.count) { index, _ in
        plan.run(withoutCopy[index], operands, weights, epilogue, kernels)
      }
      if isMaterialised { return runMaterialised(operands) }
      pool.run(tasks: tasks.count) { index, worker in
        let task = tasks[index]
        let panels = panels[task.phase]
        let panel = workspace.pointer + worker * workspaceStride
        for index in panels.chunks.indices {
          fill(panel, panel + panels.panelCount, task, task.rows, panels.chunks[index], operands)
          multiply(panel, task, index, rowsBefore: 0, operands, pixels: task.rows.count)
        }
      }
    }
  }
}

extension Im2colConvolution {
  /// An image's matrix as a whole, then its products; group by group.
  private func runMaterialised(_ operands: GatherOperands) {
    for (index, phase) in plan.phases.enumerated() where phase.geometry.taps.count > 1 {
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
            let task = task(number, 0..<0)
            let scratch = workspace.pointer + workspaceStride + worker * panels.scratchCount
            var panel = workspace.pointer + number * piece * phase.geometry.columns * plan.vectorWidth
            for chunk in panels.chunks {
              fill(panel, scratch, task, image * rows..<(image + 1) * rows, chunk, operands)
              panel += chunk.count * rows * phase.geometry.columns * plan.vectorWidth
            }
          }
          pool.run(tasks: pieces * pairs) { number, _ in
            let pair = number / pieces * 2
            let task = task(number % pieces, pair..<min(pair + 2, plan.destinationVectors))
            var panel = workspace.pointer
            for (chunkIndex, chunk) in panels.chunks.enumerated() {
              multiply(panel, task, chunkIndex, rowsBefore: number % pieces * piece, operands, pixels: rows)
              panel += chunk.count * rows * phase.geometry.columns * plan.vectorWidth
            }
          }
        }
      }
    }
  }

  /// Copies the patches of a task's rows; `whole` are the rows that the panel is laid out for.
  private func fill(
    _ panel: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>, _ task: GatherTask,
    _ whole: Range<Int>, _ chunk: Im2colPanels.Chunk, _ operands: GatherOperands
  ) {
    let phase = plan.phases[task.phase]
    let columns = phase.geometry.columns
    let vectorStride = whole.count * columns * plan.vectorWidth
    let pixelStride = plan.sourceStep.width * plan.source.block
    let source = operands.input + plan.sourceOffset(group: task.group)
    if panels[task.phase].isDense {
      phase.taps.withUnsafeBufferPointer { taps in
        guard let taps = taps.baseAddress else { return }
        // The rows before this one's end may have left other values past it.
        for index in phase.vectorWeights / plan.vectorWidth..<panels[task.phase].scratchCount { scratch[index] = 0 }
        for (number, row) in task.rows.enumerated() {
          kernels.gatherRuns(
            source + phase.sourceRows[row], pixelStride, taps, phase.taps.count, phase.runChannels, scratch,
            panel + number * columns * plan.vectorWidth, vectorStride, chunk.first, chunk.count, columns)
        }
      }
      return
    }
    for vector in 0..<chunk.count {
      let (block, tap) = (chunk.first + vector).quotientAndRemainder(dividingBy: phase.taps.count)
      let from = source + block * plan.source.planeStride + phase.taps[tap]
      for (number, row) in task.rows.enumerated() {
        kernels.gatherVectors(
          from + phase.sourceRows[row], pixelStride,
          panel + vector * vectorStride + number * columns * plan.vectorWidth, columns)
      }
    }
  }

  /// Multiplies a panel's chunk with the task's output vectors; the first chunk starts the sums, the last ends them.
  private func multiply(
    _ panel: UnsafePointer<Float>, _ task: GatherTask, _ index: Int, rowsBefore: Int, _ operands: GatherOperands,
    pixels rows: Int
  ) {
    let phase = plan.phases[task.phase]
    let panels = panels[task.phase]
    let chunk = panels.chunks[index]
    let isLast = index == panels.chunks.count - 1
    let lanes = plan.destinationVectors * plan.vectorWidth
    panels.rowOffsets.withUnsafeBufferPointer { inputRows in
      phase.destinationRows.withUnsafeBufferPointer { outputRows in
        guard let inputRows = inputRows.baseAddress, let outputRows = outputRows.baseAddress else { return }
        for vector in stride(from: task.vectors.lowerBound, to: task.vectors.upperBound, by: 2) {
          let offset = plan.destinationOffset(group: task.group, vector: vector)
          let vectors = plan.vectors(at: vector)
          let ends = task.group * lanes + vector * plan.vectorWidth
          var strip = ConvolutionStrip(
            input: panel, inputRows: inputRows + rowsBefore, inputPixelStride: plan.vectorWidth,
            // The first row's offset is zero, and so is the only tap's.
            taps: inputRows, tapCount: 1, blockCount: chunk.count,
            blockStride: rows * phase.geometry.columns * plan.vectorWidth,
            blockChannels: chunk.channels, lastBlockChannels: chunk.lastChannels,
            weights: weights.storage.pointer + plan.weightOffset(phase, group: task.group, vector: vector)
              + chunk.termsBefore * vectors * plan.vectorWidth,
            output: operands.output + offset, outputRows: outputRows + task.rows.lowerBound,
            outputPixelStride: plan.destinationStep.width * plan.destination.block,
            outputVectorStride: plan.destination.planeStride, rowCount: task.rows.count,
            width: phase.geometry.columns, vectors: vectors, lanes: plan.destination.block, accumulate: index > 0)
          if isLast {
            strip.scale = weights.scale.map { UnsafePointer($0.pointer) + ends }
            strip.shift = weights.shift.map { UnsafePointer($0.pointer) + ends }
            strip.residual = operands.residual.map { $0 + offset }
            strip.relu = epilogue.relu
          }
          kernels.convolveStrip(&strip)
        }
      }
    }
  }
}
