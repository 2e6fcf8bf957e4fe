import KernelContracts
import Problems
import Synchronization

/// A prepared direct convolution: a list of tasks, each some rows × some pairs of output vectors.
///
/// `@unchecked Sendable`: the packed weights change only in `setWeights`, which `running` keeps apart from every run.
final class DirectConvolution: PreparedConvolution, @unchecked Sendable {
  let plan: GatherPlan
  let epilogue: ConvolutionEpilogue
  private let kernels: KernelTable
  private let pool: ThreadPool
  private let tasks: [GatherTask]
  private var weights: PackedWeights
  private let running = Mutex<Void>(())

  var problem: Conv2dProblem { plan.problem }
  var pass: ConvolutionPass { plan.pass }
  var strategyName: String { "direct" }
  var inputLayout: BlockedLayout { plan.source }
  var outputLayout: BlockedLayout { plan.destination }
  var weightBytes: Int { weights.storage.bytes }
  var workspaceBytes: Int { 0 }
  /// Whether the weights are too many to stay in the cache from one piece of the input to the next.
  var comesFromAfar: Bool { weights.comesFromAfar }

  init(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, weights values: UnsafeBufferPointer<Float>,
    epilogue: ConvolutionEpilogue, options: ConvolutionOptions
  ) throws(ConvolutionError) {
    guard pass != .backwardWeights else {
      throw .unsupported(strategy: "direct", reason: "backward-weights is prepared by prepareWeightGradient")
    }
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
    plan = try GatherPlan(problem, pass, kernels, options: options)
    self.epilogue = epilogue
    tasks = GatherTask.direct(plan, threads: options.threads)
    weights = try PackedWeights(plan, epilogue)
    try weights.pack(values, plan, kernels, pool)
  }

  func setWeights(_ values: UnsafeBufferPointer<Float>) throws(ConvolutionError) {
    try setWeights(values) { _ in }
  }

  /// And gives them, packed, to the body before anybody runs.
  func setWeights(
    _ values: UnsafeBufferPointer<Float>, then body: (PackedWeights) -> Void
  ) throws(ConvolutionError) {
    try running.withLock { _ throws(ConvolutionError) in
      try weights.pack(values, plan, kernels, pool)
      body(weights)
    }
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
      pool.run(tasks: tasks.count) { index, _ in plan.run(tasks[index], operands, weights, epilogue, kernels) }
    }
  }

  func dense() throws(ConvolutionError) -> (any PreparedConvolution)? {
    if let planar = try dense(.planar) { return planar }
    // Smaller copies than would go to slower memory and come back are converted as a whole a little faster than in pieces.
    let copies = MemoryLayout<Float>.stride * (plan.source.count + plan.destination.count)
    return copies > 2 * (Machine.current.l2Bytes ?? 1 << 20) ? try dense(.inPieces) : nil
  }

  func dense(_ form: DenseForm) throws(ConvolutionError) -> (any PreparedConvolution)? {
    switch form {
    case .planar: try PlanarDirectConvolution(self, weights, kernels, pool)
    case .inPieces: try DenseDirectConvolution(self, kernels, pool)
    }
  }

  /// Calls the body while nobody else changes the weights or runs.
  func alone(_ body: () -> Void) { running.withLock { _ in body() } }

  /// Computes some rows of an image, of all output channels. Only within ``alone(_:)``.
  func run(_ image: Int, _ rows: Range<Int>, _ operands: ConvolutionOperands) {
    let first = image * plan.phases[0].geometry.rows
    plan.run(
      GatherTask(
        phase: 0, group: 0, vectors: 0..<plan.destinationVectors,
        rows: first + rows.lowerBound..<first + rows.upperBound),
      operands, weights, epilogue, kernels)
  }
}
