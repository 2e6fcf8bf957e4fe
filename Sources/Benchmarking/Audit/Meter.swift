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
    /// What the contestant's threads ran, and waited for a core when they were ready to; `nil` where the system does not tell.
    var spent: CoreContention.Spent?

    /// What this program's own thread waited for a core, where the contestant is another process: a reply lies there meanwhile.
    var waitedHere: Double

    /// What the contestant's threads did meanwhile; `nil` where nothing is counted.
    var counts: [CountedEvent: UInt64]?

    var waited: Double { (spent?.waiting ?? 0) + waitedHere }

    /// What became of the threads of a request whose iterations claim so much.
    func threadTimes(threads: Int, claimed: Double) -> ThreadTimes? {
      spent.map { ThreadTimes($0, threads: threads, wall: wall, claimed: claimed) }
    }
  }

  private let process: ProcessEngine?

  init(_ engine: any Engine) { process = engine as? ProcessEngine }

  /// CPU time so far.
  func cpu() -> Double? {
    guard let process else { return OwnTime.nanoseconds() }
    return process.cpuNanoseconds().map { Double($0) }
  }

  /// Of the process that the contestant runs in. While another process computes, this one waits for it, on the same core or not.
  private func contention() -> CoreContention? {
    guard let process else { return .ofThisProcess() }
    return process.processIdentifier.flatMap { .now(of: $0) }
  }

  func measure<Result>(
    _ body: () throws(EngineError) -> Result
  ) throws(EngineError) -> (result: Result, taken: Taken) {
    process?.resume()
    let contention = self.contention()
    let here = process == nil ? nil : CoreContention.ofThisThread()
    let before = cpu()
    let countsBefore = process?.counts()
    let start = ContinuousClock.now
    let result = try body()
    let wall = (ContinuousClock.now - start).seconds * 1e9
    let counts = Self.counts(from: countsBefore, to: process?.counts())
    let after = cpu()
    let waitedHere = here.flatMap { CoreContention.spent(from: $0, to: .ofThisThread()) }?.waiting ?? 0
    let spent = CoreContention.spent(from: contention, to: self.contention())
    return (
      result,
      Taken(
        wall: wall, cpu: before.flatMap { before in after.map { $0 - before } }, spent: spent, waitedHere: waitedHere,
        counts: counts)
    )
  }

  private static func counts(
    from start: [CountedEvent: UInt64]?, to end: [CountedEvent: UInt64]?
  ) -> [CountedEvent: UInt64]? {
    guard let start, let end else { return nil }
    return end.merging(start) { $0 - min($0, $1) }
  }
}
