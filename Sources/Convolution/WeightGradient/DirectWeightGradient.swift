import KernelContracts
import Problems
import Synchronization

/// Backward-weights straight from x and dy. The zeros of x's halo are the convolution's padding, and take part: an infinite dy
/// beside it gives NaN.
///
/// `@unchecked Sendable`: `running` lets one run at a time use the workspace, each worker its own part of it.
final class DirectWeightGradient: PreparedWeightGradient, @unchecked Sendable {
  let plan: WeightGradientPlan
  private let kernels: KernelTable
  private let pool: ThreadPool
  private let tasks: [WeightGradientPlan.Task]
  /// Where each packed row of a task's blocks is relative to a pixel of the first of them.
  private let terms: [Int]
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
    plan = try WeightGradientPlan(problem, kernels, options: options, mergingRows: true)
    let plan = plan
    tasks = plan.tasks(threads: options.threads)
    terms = (0..<(tasks.map(\.blocks.count).max() ?? 0)).flatMap { block in
      plan.blockTerms.map { block * plan.gather.source.planeStride + $0 }
    }
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
      pool.run(tasks: tasks.count) { index, worker in
        let packed = workspace.pointer + worker * workspaceStride
        run(tasks[index], packed, operands)
        let scratch = packed + workspaceStride - plan.scratchCount
        plan.unpack(tasks[index], packed, scratch, operands.weightGradient, kernels)
      }
    }
  }

  private func run(
    _ task: WeightGradientPlan.Task, _ packed: UnsafeMutablePointer<Float>, _ operands: WeightGradientOperands
  ) {
    let gather = plan.gather
    plan.sourceRows.withUnsafeBufferPointer { sourceRows in
      plan.gradientRows.withUnsafeBufferPointer { gradientRows in
        terms.withUnsafeBufferPointer { terms in
          guard let sourceRows = sourceRows.baseAddress, let gradientRows = gradientRows.baseAddress,
            let terms = terms.baseAddress
          else { return }
          let input =
            operands.input + gather.sourceOffset(group: task.group)
            + task.blocks.lowerBound * gather.source.planeStride
          for first in stride(from: 0, to: plan.imageRows, by: plan.chunkRows) {
            for pair in task.pairs {
              var strip = GradientStrip(
                input: input, inputRows: sourceRows + first,
                inputPixelStride: gather.sourceStep.width * gather.source.block, terms: terms,
                termCount: task.blocks.count * plan.blockRows,
                gradient: operands.outputGradient + gather.destinationOffset(group: task.group, vector: pair * 2),
                gradientRows: gradientRows + first, gradientPixelStride: gather.destination.block,
                gradientVectorStride: gather.destination.planeStride,
                rowCount: min(plan.chunkRows, plan.imageRows - first), width: plan.columns,
                vectors: plan.vectors(pair), lanes: gather.destination.block,
                target: packed + plan.offset(task, pair: pair),
                targetStride: plan.vectors(pair) * gather.vectorWidth, accumulate: first > 0)
              kernels.accumulateGradient(&strip)
            }
          }
        }
      }
    }
  }
}
