import Problems

extension AutoStrategy {
  /// Times every admissible strategy on the problem, alternately, and keeps the best time of each in its plans, so that
  /// `auto` chooses by them from now on. One thread.
  /// - Parameters:
  ///   - problem: what is timed.
  ///   - pass: the pass that is timed.
  ///   - instructionSet: the kernels that are timed.
  ///   - rounds: timed runs of each strategy.
  /// - Returns: the best nanoseconds by strategy.
  /// - Throws: ``ConvolutionError`` when a strategy cannot be prepared.
  @discardableResult
  public func measure(
    _ problem: Conv2dProblem, _ pass: ConvolutionPass, instructionSet: InstructionSet, rounds: Int = 5
  ) throws(ConvolutionError) -> [String: Double] {
    let options = ConvolutionOptions(threads: 1, instructionSet: instructionSet)
    var runs: [(name: String, run: () throws(ConvolutionError) -> Void)] = []
    for strategy in admissible(problem, pass) {
      runs.append((strategy.name, try timedRun(strategy, problem, pass, options)))
    }
    var best: [String: Double] = [:]
    for round in 0...rounds {
      for (name, run) in runs {
        let clock = ContinuousClock()
        let start = clock.now
        try run()
        let (seconds, attoseconds) = (clock.now - start).components
        // The first round warms caches and pages.
        if round > 0 {
          best[name] = min(best[name] ?? .infinity, Double(seconds) * 1e9 + Double(attoseconds) * 1e-9)
        }
      }
    }
    for (name, time) in best.sorted(by: { $0.key < $1.key }) {
      plans?.record(problem, pass, instructionSet, strategy: name, nanoseconds: time)
    }
    return best
  }

  private func timedRun(
    _ strategy: any ConvolutionStrategy, _ problem: Conv2dProblem, _ pass: ConvolutionPass,
    _ options: ConvolutionOptions
  ) throws(ConvolutionError) -> () throws(ConvolutionError) -> Void {
    let weights = try AlignedBuffer(zeros: problem.weightShape.count, name: "weights")
    Self.fill(weights)
    if pass == .backwardWeights {
      let prepared = try strategy.prepareWeightGradient(problem, options: options)
      let x = try AlignedBuffer(zeros: prepared.inputLayout.count, name: "x")
      let dy = try AlignedBuffer(zeros: prepared.outputGradientLayout.count, name: "dy")
      Self.fill(x)
      Self.fill(dy)
      return { () throws(ConvolutionError) in
        try prepared.run(
          input: UnsafeBufferPointer(x.buffer), outputGradient: UnsafeBufferPointer(dy.buffer),
          weightGradient: weights.buffer)
      }
    }
    let prepared = try strategy.prepare(
      problem, pass, weights: UnsafeBufferPointer(weights.buffer), epilogue: .init(), options: options)
    let input = try AlignedBuffer(zeros: prepared.inputLayout.count, name: "input")
    let output = try AlignedBuffer(zeros: prepared.outputLayout.count, name: "output")
    Self.fill(input)
    return { () throws(ConvolutionError) in
      try prepared.run(input: UnsafeBufferPointer(input.buffer), output: output.buffer, residual: nil)
    }
  }

  /// Values of both signs: zeros would be kinder to the arithmetic units than real data is.
  private static func fill(_ buffer: AlignedBuffer) {
    for index in 0..<buffer.count { buffer.pointer[index] = Float((index &* 2_654_435_761) & 0xffff) / 32_768 - 1 }
  }
}
