import KernelContracts
import Problems
import Synchronization

/// Backward-weights straight from x and dy, whose halos hold zeros.
///
/// `@unchecked Sendable`: `running` lets one run at a time use the packed gradient, each task its own part of it.
final class DirectWeightGradient: PreparedWeightGradient, @unchecked Sendable {
  let plan: WeightGradientPlan
  private let kernels: KernelTable
  private let pool: ThreadPool
  private let tasks: [WeightGradientPlan.Task]
  private let packed: AlignedBuffer
  private let running = Mutex<Void>(())

  var problem: Conv2dProblem { plan.gather.problem }
  let strategyName: String
  var inputLayout: BlockedLayout { plan.gather.source }
  var outputGradientLayout: BlockedLayout { plan.gather.destination }
  var workspaceBytes: Int { packed.bytes }

  init(
    _ problem: Conv2dProblem, options: ConvolutionOptions, strategyName: String
  ) throws(ConvolutionError) {
    self.strategyName = strategyName
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    plan = try WeightGradientPlan(problem, vectorWidth: kernels.vectorWidth, options: options, mergingRows: true)
    packed = try AlignedBuffer(zeros: plan.gradientCount, name: "packed weight gradient")
    let rows = plan.phase.geometry.taps.count * plan.gather.source.block
    tasks = plan.tasks(
      rows: plan.gather.sourceBlocks, gradientBytes: rows * 2 * kernels.vectorWidth * 4, threads: options.threads)
  }

  func run(
    input: UnsafeBufferPointer<Float>, outputGradient: UnsafeBufferPointer<Float>,
    weightGradient: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    guard let operands = try WeightGradientOperands(plan, input, outputGradient, weightGradient) else { return }
    running.withLock { _ in
      pool.run(tasks: tasks.count) { index, _ in run(tasks[index], operands) }
      plan.unpack(packed.pointer, operands.weightGradient, kernels, pool)
      plan.correctNonFinite(operands, pool)
    }
  }

  private func run(_ task: WeightGradientPlan.Task, _ operands: WeightGradientOperands) {
    let gather = plan.gather
    let phase = plan.phase
    let rowsOfBlock = phase.geometry.taps.count * gather.source.block
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
            for block in task.rows {
              let from =
                operands.input + gather.sourceOffset(group: task.group) + block * gather.source.planeStride
              var target =
                packed.pointer + plan.offset(group: task.group, pair: pair) + block * rowsOfBlock * lanes
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
