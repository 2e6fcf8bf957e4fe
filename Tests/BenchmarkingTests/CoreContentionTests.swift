import Benchmarking
import Testing

/// What others took of the cores that were timed.
@Suite struct CoreContentionTests {
  /// Of the time in which threads wanted to run, the part without a core; threads that ended or began between two readings
  /// count for what they did.
  @Test func waitingIsAShareOfTheTimeInWhichThreadsWantedToRun() throws {
    let start = CoreContention(threads: [1: (100, 50), 2: (500, 0), 3: (9, 9)])
    let end = CoreContention(threads: [1: (200, 80), 2: (500, 0), 4: (50, 20)])
    let spent = try #require(CoreContention.spent(from: start, to: end))
    #expect(spent == (150, 50))
    #expect(CoreContention.waitingFraction(of: [spent]) == 50.0 / 200)
    #expect(CoreContention.waitingFraction(of: [spent, (200, 0)]) == 50.0 / 400)
    #expect(CoreContention.waitingFraction(of: [(0, 0)]) == nil && CoreContention.waitingFraction(of: []) == nil)
    #expect(CoreContention.spent(from: nil, to: end) == nil)
  }

  /// What one contestant's own threads do to it says nothing of the machine; what happens to two, or to the only process, may.
  @Test func whoWaitsAloneIsLeftOut() {
    func shares(_ waiting: [Double?]) -> WaitingShares {
      var shares = WaitingShares()
      for _ in 0..<3 { shares.add(waiting.map { $0.map { (running: 100, waiting: $0) } }) }
      // One block that was disturbed does not count.
      shares.add(waiting.map { $0.map { _ in (running: 100, waiting: 900) } })
      return shares
    }
    let crowded = shares([0, 100, 1])
    #expect(crowded.fraction(of: 1) == 0.5 && crowded.fraction(of: 0) == 0)
    #expect(crowded.alone(processes: [false, true, true]) == 1)
    #expect(crowded.fraction(without: 1) == 1.0 / 201 && crowded.fraction(without: nil) == 101.0 / 401)
    #expect(crowded.alone(processes: [false, true, false]) == nil)
    #expect(crowded.alone(processes: [true, false, true]) == nil)
    #expect(shares([0, 100, 12]).alone(processes: [true, true, true]) == nil)
    #expect(shares([0, 10, 1]).alone(processes: [true, true, true]) == nil)
    #expect(shares([nil, 100, nil]).alone(processes: [true, true, true]) == nil)
    #expect(WaitingShares().alone(processes: [true, true]) == nil && WaitingShares().fraction(without: nil) == nil)
  }

  @Test func ticksAreThoseOfTheProcessorsThatAreAskedFor() {
    let lines = [
      "cpu  70 0 10 20 4 1 1 14 5 0", "cpu0 30 0 4 10 4 1 1 6 5 0", "cpu1 40 0 6 10 0 0 0 8 0 0", "intr 12",
    ].map { Substring($0) }
    func ticks(_ processors: [Int]) -> MachineProbe.CPUTicks? { MachineProbe.CPUTicks(of: processors, in: lines) }
    #expect(ticks([]) == .init(total: 120, idle: 24, steal: 14))
    #expect(ticks([1]) == .init(total: 64, idle: 10, steal: 8))
    #expect(ticks([0, 1]) == ticks([]))
    #expect(ticks([2]) == nil && MachineProbe.CPUTicks(of: [], in: ["cpu  1 2 3"]) == nil)
  }

  @Test func stealIsNotReadOffAFewTicks() {
    var account = StealAccount()
    account.add(from: .init(total: 1_000, idle: 0, steal: 10), to: .init(total: 1_099, idle: 0, steal: 11))
    #expect(account.fraction == nil)
    account.add(from: .init(total: 2_000, idle: 0, steal: 11), to: .init(total: 2_101, idle: 0, steal: 20))
    #expect(account.fraction == 10.0 / 200)
  }
}
