import Engines
import OperatingSystem
import Problems
import Tensors

/// A convolution that is ready to be timed.
final class ConvolutionOperation: PreparedOperation {
  private let run: ConvolutionRun
  private var flush = CacheFlush()

  init(_ run: ConvolutionRun) { self.run = run }

  var workspaceBytes: Int { run.workspaceBytes + run.conversionBytes }
  var summary: String { run.summary }

  func load(_ operands: LateOperands, set: Int) throws(EngineError) { try run.load(operands, set: set) }

  func time(_ timed: TimedRun) throws(EngineError) -> [UInt64] {
    var sets: [ConvolutionRun.Buffers] = []
    for set in timed.sets {
      guard let buffers = run.sets[set] else { throw notLoaded(set) }
      sets.append(buffers)
    }
    for set in Set(timed.sets) { try run.mark(set: set) }
    var durations: [UInt64] = []
    durations.reserveCapacity(timed.iterations)
    for iteration in 0..<timed.iterations {
      let buffers = sets[iteration % sets.count]
      if timed.cold { flush.flush() }
      let start = ContinuousClock.now
      try run.once(on: buffers)
      durations.append(UInt64((ContinuousClock.now - start).nanoseconds))
    }
    return durations
  }

  func collect(set: Int) throws(EngineError) -> Answer {
    guard run.sets[set] != nil else { throw notLoaded(set) }
    let result = AnyTensor.float32(try run.result(set: set))
    return switch run.pass {
    case .forward: Answer(outputs: ["y": result])
    case .backwardData: Answer(gradients: ["x": result])
    case .backwardWeights: Answer(gradients: ["weight": result])
    }
  }
}
