import Engines
import Foundation
import OperatingSystem
import Problems

/// The clock and the CPU time of one contestant, as this program sees them.
struct Meter {
  /// What something took, in nanoseconds.
  struct Taken {
    var wall: Double
    /// Of the processes that the contestant runs in; `nil` where the system does not tell.
    var cpu: Double?
    /// In which this program's or the contestant's threads were ready to run and had no core.
    var waited: Double
  }

  private let process: ProcessEngine?

  init(_ engine: any Engine) { process = engine as? ProcessEngine }

  /// CPU time so far.
  func cpu() -> Double? {
    if let process { return process.cpuNanoseconds().map { Double($0) } }
    var time = timespec()
    guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return nil }
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }

  func measure<Result>(
    _ body: () throws(EngineError) -> Result
  ) throws(EngineError) -> (result: Result, taken: Taken) {
    let contention = CoreContention.now()
    let before = cpu()
    let start = ContinuousClock.now
    let result = try body()
    let wall = (ContinuousClock.now - start).seconds * 1e9
    let after = cpu()
    let waited = CoreContention.spent(from: contention, to: .now())?.waiting ?? 0
    return (result, Taken(wall: wall, cpu: before.flatMap { before in after.map { $0 - before } }, waited: waited))
  }
}
