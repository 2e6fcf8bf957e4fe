import KernelContracts
import Problems
import Synchronization

/// Backward-weights straight from x and dy, whose halos hold zeros.
///
/// `@unchecked Sendable`: `running` lets one run at a time use the workspace, each worker its own part of it.
final class DirectWeightGradient: PreparedWeightGradient, @unchecked Sendable {
  let plan: WeightGradientPlan
  private let kernels: KernelTable
  private let pool: ThreadPool
  private let tasks: [WeightGradientPlan.Task]
  /// Each worker's packed gradient of a task, and scratch.
  private let workspace: AlignedBuffer
  private let workspaceStride: Int
  private let running = Mutex<Void>(())

  var problem: Conv2dProblem { plan.gather.problem }
  let strategyName: String
  var inputLayout: BlockedLayout { plan.gather.source }
  var outputGradientLayout: BlockedLayout { plan.gather.destination }
  var workspaceBytes: Int { workspace.bytes }

  init(
    _ problem: Conv2dProblem, options: ConvolutionOptions, strategyName: String
  ) throws(ConvolutionError) {
    self.strategyName = strategyName
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    plan = try WeightGradientPlan(problem, vectorWidth: kernels.vectorWidth, options: options, mergingRows: true)
    let plan = plan
    tasks = plan.tasks(threads: options.threads)
    let largest = tasks.map { plan.offset($0, pair: $0.pairs.upperBound) }.max() ?? 0
    workspaceStride = (largest + plan.scratchCount + 15) / 16 * 16
    workspace = try AlignedBuffer(zeros: options.threads * workspaceStride, name: "packed weight gradient")
  }

  func run(
    input: UnsafeBufferPointer<Float>, outputGradient: UnsafeBufferPointer<Float>,
    weightGradient: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    guard let operands = try WeightGradientOperands(plan, input, outputGradient, weightGradient) else { return }
    running.withLock { _ in
      let isSpoilt = Atomic(false)
      pool.run(tasks: tasks.count) { index, worker in
        let packed = workspace.pointer + worker * workspaceStride
        run(tasks[index], packed, operands)
        let scratch = packed + workspaceStride - plan.scratchCount
        if plan.unpack(tasks[index], packed, scratch, operands.weightGradient, kernels) {
          isSpoilt.store(true, ordering: .relaxed)
        }
      }
      if isSpoilt.load(ordering: .relaxed) { plan.computePlain(operands, pool) }
    }
  }

  private func run(
    _ task: WeightGradientPlan.Task, _ packed: UnsafeMutablePointer<Float>, _ operands: WeightGradientOperands
  ) {
    let gather = plan.gather
    let rowsOfBlock = plan.blockRows
    plan.sourceRows.withUnsafeBufferPointer { sourceRows in
      plan.gradientRows.withUnsafeBufferPointer { destinationRows in
        guard let sourceRows = sourceRows.baseAddress, let destinationRows = destinationRows.baseAddress else {
          return
        }
        for first in stride(from: 0, to: plan.imageRows, by: plan.chunkRows) {
          let count = min(plan.chunkRows, plan.imageRows - first)
          for pair in task.pairs {
            let vectors = plan.vectors(pair)
            let lanes = vectors * gather.vectorWidth
            for block in task.blocks {
              let from =
                operands.input + gather.sourceOffset(group: task.group) + block * gather.source.planeStride
              var target =
                packed + plan.offset(task, pair: pair) + (block - task.blocks.lowerBound) * rowsOfBlock * lanes
              for run in plan.runs {
                var strip = GradientStrip(
                  input: from + run.offset, inputRows: sourceRows + first,
                  inputPixelStride: gather.sourceStep.width * gather.source.block, channels: run.channels,
                  gradient: operands.outputGradient
                    + gather.destinationOffset(group: task.group, vector: pair * 2),
                  gradientRows: destinationRows + first, gradientPixelStride: gather.destination.block,
                  gradientVectorStride: gather.destination.planeStride, rowCount: count,
                  width: plan.columns, vectors: vectors, lanes: gather.destination.block,
                  target: target, accumulate: first > 0)
                kernels.accumulateGradient(&strip)
                target += run.channels * lanes
              }
            }
          }
        }
      }
    }
  }
}
