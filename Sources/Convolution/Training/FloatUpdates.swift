import KernelContracts

/// Updates of whole buffers, element by element, on several threads: what is neither a convolution nor a plane.
public struct FloatUpdates: Sendable {
  private let kernels: KernelTable
  private let pool: ThreadPool

  /// Floats of a task: 64 KiB of each operand.
  private static let taskCount = 1 << 14

  /// - Throws: ``ConvolutionError`` when the instruction set or the threads are not available.
  public init(options: ConvolutionOptions) throws(ConvolutionError) {
    kernels = try options.instructionSet.kernels()
    pool = try ThreadPool.shared(threads: options.threads)
  }

  /// `target[i] += source[i]`.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` before anything is written.
  public func add(
    _ source: UnsafeBufferPointer<Float>, to target: UnsafeMutableBufferPointer<Float>
  ) throws(ConvolutionError) {
    guard source.count == target.count else {
      throw .bufferMismatch(name: "sum", expected: target.count, found: source.count)
    }
    guard let source = source.baseAddress, let first = target.baseAddress else { return }
    forEachPart(of: target.count) { start, count in kernels.training.add(source + start, first + start, count) }
  }

  /// What an optimiser does to a parameter, and by which numbers: see ``KernelContracts/ParameterStep``.
  public enum Rule: Sendable {
    case sgd(momentum: Float, share: Float, decay: Float, nesterov: Bool, isFirst: Bool)
    case adam(share: Float, beta: Float, secondShare: Float, decay: Float, shrink: Float, root: Float, eps: Float)
  }

  /// Moves a parameter along its gradient.
  /// - Parameters:
  ///   - parameters: changed in place.
  ///   - gradient: of as many elements.
  ///   - rule: of the optimiser.
  ///   - rate: the learning rate.
  ///   - memory: SGD's momentum buffer; Adam's two means, and the largest of the second with amsgrad.
  /// - Throws: ``ConvolutionError/bufferMismatch(name:expected:found:)`` before anything is written.
  public func step(
    _ parameters: UnsafeMutableBufferPointer<Float>, gradient: UnsafeBufferPointer<Float>, rule: Rule, rate: Float,
    memory: [AlignedBuffer]
  ) throws(ConvolutionError) {
    for (name, found) in [("gradient", gradient.count)] + memory.map({ ("optimiser state", $0.count) })
    where found != parameters.count {
      throw .bufferMismatch(name: name, expected: parameters.count, found: found)
    }
    guard let p = parameters.baseAddress, let g = gradient.baseAddress else { return }
    func place(_ index: Int, _ start: Int) -> UnsafeMutablePointer<Float>? {
      index < memory.count ? memory[index].pointer + start : nil
    }
    forEachPart(of: parameters.count) { start, count in
      var step = ParameterStep(
        parameters: p + start, gradient: g + start, first: place(0, start), second: place(1, start),
        largest: place(2, start), count: count)
      step.rate = rate
      switch rule {
      case .sgd(let momentum, let share, let decay, let nesterov, let isFirst):
        (step.momentum, step.share, step.decay) = (momentum, share, decay)
        (step.nesterov, step.isFirst) = (nesterov, isFirst)
        kernels.training.sgd(&step)
      case .adam(let share, let beta, let secondShare, let decay, let shrink, let root, let eps):
        (step.share, step.beta, step.secondShare) = (share, beta, secondShare)
        (step.decay, step.shrink, step.root, step.eps) = (decay, shrink, root, eps)
        kernels.training.adam(&step)
      }
    }
  }

  private func forEachPart(of count: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
    pool.run(tasks: (count + Self.taskCount - 1) / Self.taskCount) { task, _ in
      let start = task * Self.taskCount
      body(start, min(Self.taskCount, count - start))
    }
  }
}
