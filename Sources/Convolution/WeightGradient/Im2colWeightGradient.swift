import KernelContracts
import Problems
import Synchronization

/// Backward-weights as a product with the patch matrix: chunk by chunk of pixels, or (materialised) an image at a time.
///
/// `@unchecked Sendable`: `running` lets one run at a time use the workspace, each worker or task its own part of it.
final class Im2colWeightGradient: PreparedWeightGradient, @unchecked Sendable {
  let plan: WeightGradientPlan
  let isMaterialised: Bool
  private let kernels: KernelTable
  private let pool: ThreadPool
  private let tasks: [WeightGradientPlan.Task]
  private let packed: AlignedBuffer
  private let workspace: AlignedBuffer
  private let workspaceStride: Int
  /// Offsets of a panel's rows.
  private let rowOffsets: [Int]
  private let running = Mutex<Void>(())

  var problem: Conv2dProblem { plan.gather.problem }
  var strategyName: String { isMaterialised ? "im2col-materialised" : "im2col" }
  var inputLayout: BlockedLayout { plan.gather.source }
  var outputGradientLayout: BlockedLayout { plan.gather.destination }
  var workspaceBytes: Int { packed.bytes + workspace.bytes }

  private var isDense: Bool { plan.gather.source.block < plan.gather.vectorWidth }
  /// Vectors of the patch matrix's rows.
  private var vectors: Int { plan.depth / plan.gather.vectorWidth }

  init(
    _ problem: Conv2dProblem, options: ConvolutionOptions, materialised: Bool
  ) throws(ConvolutionError) {
    isMaterialised = materialised
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    let plan = try WeightGradientPlan(problem, vectorWidth: kernels.vectorWidth, options: options)
    self.plan = plan
    packed = try AlignedBuffer(zeros: plan.gradientCount, name: "packed weight gradient")
    let lanes = kernels.vectorWidth
    let vectors = plan.depth / lanes
    tasks = plan.tasks(rows: vectors, gradientBytes: lanes * lanes * 8, threads: options.threads)
    let rows = materialised ? plan.phase.geometry.rows : min(plan.chunkRows, max(1, plan.imageRows))
    let columns = plan.phase.geometry.columns
    rowOffsets = (0..<rows).map { $0 * columns * lanes }
    let widest = materialised ? vectors : tasks.map(\.rows.count).max() ?? 0
    let panel = widest * rows * columns * lanes
    workspaceStride = (materialised ? 0 : panel) + plan.depth
    workspace = try AlignedBuffer(
      zeros: (materialised ? panel : 0) + options.threads * workspaceStride, name: "im2col workspace")
  }

  func run(
    input: UnsafeBufferPointer<Float>, outputGradient: UnsafeBufferPointer<Float>,
    weightGradient: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    guard let operands = try WeightGradientOperands(plan, input, outputGradient, weightGradient) else { return }
    running.withLock { _ in
      if isMaterialised {
        runMaterialised(operands)
      } else {
        pool.run(tasks: tasks.count) { index, worker in
          let scratch = workspace.pointer + worker * workspaceStride
          for first in stride(from: 0, to: plan.imageRows, by: plan.chunkRows) {
            let rows = first..<min(first + plan.chunkRows, plan.imageRows)
            let panel = scratch + plan.depth
            fill(panel, scratch, tasks[index].group, tasks[index].rows, rows, panelRows: rows.count, operands)
            multiply(panel, tasks[index], firstVector: tasks[index].rows.lowerBound, rows, operands)
          }
        }
      }
      plan.unpack(packed.pointer, operands.weightGradient, kernels, pool)
      plan.correctNonFinite(operands, pool)
    }
  }

  private func runMaterialised(_ operands: WeightGradientOperands) {
    let rows = plan.phase.geometry.rows
    let panel = workspace.pointer + pool.threads * workspaceStride
    let piece = max(1, rows / (4 * pool.threads))
    for group in 0..<plan.gather.groups {
      let groupTasks = tasks.filter { $0.group == group }
      for image in 0..<plan.gather.source.batch {
        let first = image * rows
        pool.run(tasks: (rows + piece - 1) / piece) { task, worker in
          fill(
            panel + task * piece * plan.phase.geometry.columns * plan.gather.vectorWidth,
            workspace.pointer + worker * workspaceStride, group, 0..<vectors,
            first + task * piece..<first + min((task + 1) * piece, rows), panelRows: rows, operands)
        }
        pool.run(tasks: groupTasks.count) { index, _ in
          multiply(panel, groupTasks[index], firstVector: 0, first..<first + rows, operands)
        }
      }
    }
  }

  /// Copies the patches' `vectors` of some rows into a panel that is laid out for `panelRows` rows.
  private func fill(
    _ panel: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>, _ group: Int, _ vectors: Range<Int>,
    _ rows: Range<Int>, panelRows: Int, _ operands: WeightGradientOperands
  ) {
    let gather = plan.gather
    let phase = plan.phase
    let columns = phase.geometry.columns
    let vectorStride = panelRows * columns * gather.vectorWidth
    let step = gather.sourceStep.width * gather.source.block
    let source = operands.input + gather.sourceOffset(group: group)
    if isDense {
      phase.taps.withUnsafeBufferPointer { taps in
        guard let taps = taps.baseAddress else { return }
        for (number, row) in rows.enumerated() {
          kernels.gatherRuns(
            source + phase.sourceRows[row], step, taps, phase.taps.count, phase.runChannels, scratch,
            panel + number * columns * gather.vectorWidth, vectorStride, vectors.lowerBound, vectors.count, columns)
        }
      }
      return
    }
    for (index, vector) in vectors.enumerated() {
      let (block, tap) = vector.quotientAndRemainder(dividingBy: phase.taps.count)
      let from = source + block * gather.source.planeStride + phase.taps[tap]
      for (number, row) in rows.enumerated() {
        kernels.gatherVectors(
          from + phase.sourceRows[row], step,
          panel + index * vectorStride + number * columns * gather.vectorWidth, columns)
      }
    }
  }

  /// Adds a panel's products to the task's part of the gradient.
  private func multiply(
    _ panel: UnsafePointer<Float>, _ task: WeightGradientPlan.Task, firstVector: Int, _ rows: Range<Int>,
    _ operands: WeightGradientOperands
  ) {
    let gather = plan.gather
    let columns = plan.phase.geometry.columns
    let width = gather.vectorWidth
    rowOffsets.withUnsafeBufferPointer { inputRows in
      plan.phase.destinationRows.withUnsafeBufferPointer { gradientRows in
        guard let inputRows = inputRows.baseAddress, let gradientRows = gradientRows.baseAddress else { return }
        for pair in task.pairs {
          let lanes = plan.vectors(pair) * width
          let target = packed.pointer + plan.offset(group: task.group, pair: pair)
          for vector in task.rows {
            var strip = GradientStrip(
              input: panel + (vector - firstVector) * rows.count * columns * width, inputRows: inputRows,
              inputPixelStride: width, channels: width,
              gradient: operands.outputGradient + gather.destinationOffset(group: task.group, vector: pair * 2),
              gradientRows: gradientRows + rows.lowerBound, gradientPixelStride: gather.destination.block,
              gradientVectorStride: gather.destination.planeStride, rowCount: rows.count, width: columns,
              vectors: plan.vectors(pair), lanes: gather.destination.block,
              target: target + vector * width * lanes, accumulate: rows.lowerBound > 0)
            kernels.accumulateGradient(&strip)
          }
        }
      }
    }
  }
}
