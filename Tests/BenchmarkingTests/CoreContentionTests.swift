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

  /// Threads that ran on all cores all the time have lost nothing to others, however long they waited for each other; what they
  /// waited for within the iterations, too, they would not have with as many threads as cores.
  @Test(arguments: [
    // Two cores, a request of 100 of which 90 are claimed. A third thread looks for work in vain while the request begins.
    (running: 200.0, waiting: 18.0, lost: 0.0, crowded: 0.0),
    // Four threads on them.
    (200, 200, 0, 180),
    // Another program has half of a core.
    (150, 50, 50, 0),
    // The same, and the two threads share a core for as long as it lasts.
    (100, 100, 100, 0),
    // Threads that sleep between parts wait while nothing of theirs runs, and no more than that.
    (120, 30, 30, 0),
    // No more than a reading of all threads one by one is off by.
    (201, 0, 0, 0),
  ])
  func whatOthersTookIsNoMoreThanWasNotUsed(running: Double, waiting: Double, lost: Double, crowded: Double) {
    let times = ThreadTimes((running, waiting), threads: 2, wall: 100, claimed: 90)
    #expect((times.running, times.waiting, times.lost, times.crowded) == (running, waiting, lost, crowded))
  }

  @Test func sharesAreMediansOverBlocks() {
    func times(_ waiting: Double, lost: Double = 0, crowded: Double = 0) -> ThreadTimes {
      var times = ThreadTimes((100, waiting), threads: 1, wall: 100, claimed: 100)
      (times.lost, times.crowded) = (lost, crowded)
      return times
    }
    func shares(_ block: [ThreadTimes?]) -> WaitingShares {
      var shares = WaitingShares()
      for _ in 0..<3 { shares.add(block) }
      // One block that was disturbed does not count.
      shares.add(block.map { $0.map { _ in times(900, lost: 900, crowded: 900) } })
      return shares
    }
    let found = shares([times(0), times(100, crowded: 100), times(25, lost: 25), times(300, crowded: 300)])
    #expect(found.fraction(of: 1) == 0.5 && found.fraction(of: 0) == 0)
    #expect(found.lostFraction == 25.0 / 425)
    #expect(found.crowded(processes: [true, true, true, true]) == 3)
    #expect(found.crowded(processes: [false, true, true, false]) == 1)
    #expect(found.crowded(processes: [true, false, true, false]) == nil)
    #expect(shares([times(0), times(10, crowded: 10), nil]).crowded(processes: [true, true, true]) == nil)
    #expect(WaitingShares().crowded(processes: [true, true]) == nil && WaitingShares().lostFraction == nil)
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
