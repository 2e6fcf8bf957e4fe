import Convolution
import Problems

/// A convolution that is ready to be timed.
final class ConvolutionOperation: PreparedOperation {
  private let run: ConvolutionRun
  private let layout: TimingRequest.Layout
  private var flushed: [UInt8] = []

  init(_ run: ConvolutionRun, layout: TimingRequest.Layout) {
    self.run = run
    self.layout = layout
  }

  var workspaceBytes: Int { run.workspaceBytes + (layout == .nchw ? run.conversionBytes : 0) }
  var summary: String { run.summary }

  func time(iterations: Int, cold: Bool) throws(EngineError) -> [UInt64] {
    var durations: [UInt64] = []
    durations.reserveCapacity(iterations)
    for _ in 0..<iterations {
      if cold { flush() }
      let start = ContinuousClock.now
      try run.once(from: layout)
      durations.append(UInt64((ContinuousClock.now - start).nanoseconds))
    }
    return durations
  }

  /// Writes twice what the last level of cache holds, so that nothing of the operands is left in it.
  private func flush() {
    if flushed.isEmpty { flushed = [UInt8](repeating: 0, count: 2 * max(Machine.current.l3Bytes ?? 0, 64 << 20)) }
    for index in stride(from: 0, to: flushed.count, by: 64) { flushed[index] &+= 1 }
  }
}

extension Duration {
  var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
