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
  /// Each worker's scratch, panel and packed gradient of a task; materialised, the scratch only, then the matrix of an
  /// image and the packed gradient of all tasks.
  private let workspace: AlignedBuffer
  private let workspaceStride: Int
  /// A row of the patch matrix, and what unpacking needs.
  private let scratchCount: Int
  private let panelCount: Int
  /// Where each task's packed gradient begins, of all tasks'.
  private let packedOffsets: [Int]
  /// Offsets of a panel's rows.
  private let rowOffsets: [Int]
  /// Floats from a vector of the patch matrix to the next one of a panel, and where each lane of them is.
  private let vectorStride: Int
  private let terms: [Int]
  private let running = Mutex<Void>(())

  var problem: Conv2dProblem { plan.gather.problem }
  var strategyName: String { isMaterialised ? "im2col-materialised" : "im2col" }
  var inputLayout: BlockedLayout { plan.gather.source }
  var outputGradientLayout: BlockedLayout { plan.gather.destination }
  var workspaceBytes: Int { workspace.bytes }

  private var isDense: Bool { plan.gather.source.block < plan.gather.vectorWidth }
  /// Vectors of the patch matrix's rows.
  private var vectors: Int { plan.depth / plan.gather.vectorWidth }

  init(
    _ problem: Conv2dProblem, options: ConvolutionOptions, materialised: Bool
  ) throws(ConvolutionError) {
    isMaterialised = materialised
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    let plan = try WeightGradientPlan(problem, kernels, options: options)
    self.plan = plan
    let lanes = kernels.vectorWidth
    let vectors = plan.depth / lanes
    let taps = plan.phase.geometry.taps.count
    tasks = plan.tasks(limit: max(1, 16 / taps), threads: options.threads)
    let rows = materialised ? plan.phase.geometry.rows : min(plan.chunkRows, max(1, plan.imageRows))
    let columns = plan.phase.geometry.columns
    rowOffsets = (0..<rows).map { $0 * columns * lanes }
    let widest = materialised ? vectors : tasks.map { plan.rows($0) / lanes }.max() ?? 0
    let vectorStride = BlockedLayout.spreadOverCache(rows * columns * lanes)
    self.vectorStride = vectorStride
    terms = (0..<widest * lanes).map { $0 / lanes * vectorStride + $0 % lanes }
    panelCount = widest * vectorStride
    scratchCount = (plan.depth + plan.scratchCount + 15) / 16 * 16
    var packedOffsets: [Int] = []
    var packed = 0
    for task in tasks {
      let count = plan.offset(task, pair: task.pairs.upperBound)
      packedOffsets.append(materialised ? packed : 0)
      packed = materialised ? packed + count : max(packed, count)
    }
    self.packedOffsets = packedOffsets
    workspaceStride = scratchCount + (materialised ? 0 : panelCount + packed)
    workspace = try AlignedBuffer(
      zeros: options.threads * workspaceStride + (materialised ? panelCount + packed : 0), name: "im2col workspace")
  }

  /// A task's vectors of the patch matrix.
  private func vectors(_ task: WeightGradientPlan.Task) -> Range<Int> {
    let taps = plan.phase.geometry.taps.count
    return isDense ? 0..<vectors : task.blocks.lowerBound * taps..<task.blocks.upperBound * taps
  }

  func run(
    input: UnsafeBufferPointer<Float>, outputGradient: UnsafeBufferPointer<Float>,
    weightGradient: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    guard let operands = try WeightGradientOperands(plan, input, outputGradient, weightGradient) else { return }
    running.withLock { _ in
      func unpack(_ index: Int, _ packed: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>) {
        plan.unpack(tasks[index], packed, scratch + plan.depth, operands.weightGradient, kernels)
      }
      if isMaterialised {
        runMaterialised(operands)
        let packed = workspace.pointer + pool.threads * workspaceStride + panelCount
        pool.run(tasks: tasks.count) { index, worker in
          unpack(index, packed + packedOffsets[index], workspace.pointer + worker * workspaceStride)
        }
      } else {
        pool.run(tasks: tasks.count) { index, worker in
          let scratch = workspace.pointer + worker * workspaceStride
          let panel = scratch + scratchCount
          let packed = panel + panelCount
          let vectors = vectors(tasks[index])
          for first in stride(from: 0, to: plan.imageRows, by: plan.chunkRows) {
            let rows = first..<min(first + plan.chunkRows, plan.imageRows)
            fill(panel, scratch, tasks[index].group, vectors, rows, operands)
            multiply(panel, tasks[index], firstVector: vectors.lowerBound, rows, packed, operands)
          }
          unpack(index, packed, scratch)
        }
      }
    }
  }

  private func runMaterialised(_ operands: WeightGradientOperands) {
    let rows = plan.phase.geometry.rows
    let panel = workspace.pointer + pool.threads * workspaceStride
    let piece = max(1, rows / (4 * pool.threads))
    for group in 0..<plan.gather.groups {
      let groupTasks = tasks.indices.filter { tasks[$0].group == group }
      for image in 0..<plan.gather.source.batch {
        let first = image * rows
        pool.run(tasks: (rows + piece - 1) / piece) { task, worker in
          fill(
            panel + task * piece * plan.phase.geometry.columns * plan.gather.vectorWidth,
            workspace.pointer + worker * workspaceStride, group, 0..<vectors,
            first + task * piece..<first + min((task + 1) * piece, rows), operands)
        }
        pool.run(tasks: groupTasks.count) { index, _ in
          let task = groupTasks[index]
          multiply(
            panel, tasks[task], firstVector: 0, first..<first + rows, panel + panelCount + packedOffsets[task], operands
          )
        }
      }
    }
  }

  /// Copies the patches' `vectors` of some rows into a panel.
  private func fill(
    _ panel: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>, _ group: Int, _ vectors: Range<Int>,
    _ rows: Range<Int>, _ operands: WeightGradientOperands
  ) {
    let gather = plan.gather
    let phase = plan.phase
    let columns = phase.geometry.columns
    let step = gather.sourceStep.width * gather.source.block
    let source = operands.input + gather.sourceOffset(group: group)
    if isDense {
      phase.taps.withUnsafeBufferPointer { taps in
        guard let taps = taps.baseAddress else { return }
        for (number, row) in rows.enumerated() {
          kernels.gatherSegments(
            source + phase.sourceRows[row], step, taps, 0, phase.taps.count, phase.runChannels, scratch,
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
    _ packed: UnsafeMutablePointer<Float>, _ operands: WeightGradientOperands
  ) {
    let gather = plan.gather
    let vectors = vectors(task)
    let columns = plan.phase.geometry.columns
    let width = gather.vectorWidth
    rowOffsets.withUnsafeBufferPointer { inputRows in
      terms.withUnsafeBufferPointer { terms in
        plan.phase.destinationRows.withUnsafeBufferPointer { gradientRows in
          guard let inputRows = inputRows.baseAddress, let gradientRows = gradientRows.baseAddress,
            let terms = terms.baseAddress
          else { return }
          for pair in task.pairs {
            var strip = GradientStrip(
              input: panel + (vectors.lowerBound - firstVector) * vectorStride, inputRows: inputRows,
              inputPixelStride: width, terms: terms, termCount: vectors.count * width,
              gradient: operands.outputGradient + gather.destinationOffset(group: task.group, vector: pair * 2),
              gradientRows: gradientRows + rows.lowerBound, gradientPixelStride: gather.destination.block,
              gradientVectorStride: gather.destination.planeStride, rowCount: rows.count, width: columns,
              vectors: plan.vectors(pair), lanes: gather.destination.block,
              target: packed + plan.offset(task, pair: pair),
              targetStride: plan.vectors(pair) * gather.vectorWidth, accumulate: rows.lowerBound > 0)
            kernels.accumulateGradient(&strip)
          }
        }
      }
    }
  }
}
