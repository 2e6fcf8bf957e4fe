import Benchmarking
import Engines
import Foundation
import OperatingSystem
import TestSupport
import Testing
import Verification

import struct Results.DuetSection

@Suite struct DuetCountTests {
  private func section(_ differences: DuetGate.Differences) -> DuetSection {
    DuetRecords.section(
      DuetGate(), [differences], base: "base", head: "head", stealFraction: 0, complete: true, seconds: 1)
  }

  private func blocks(_ instructions: [Double?]) -> [DuetDifference] {
    instructions.map { count in
      var block = DuetDifference(wall: 0, cpu: 0)
      block.counts = [.cycles: 0.25]
      block.counts[.instructions] = count
      return block
    }
  }

  /// However many instructions more there are, the verdict is that of the clocks.
  @Test func countsAreShownAndDecideNothing() throws {
    let found = section(.init(name: "layer", screen: blocks(Array(repeating: log(2), count: 12))))
    let benchmark = try #require(found.benchmarks.first)
    #expect(benchmark.verdict == "pass" && benchmark.change == 0)
    let counts = try #require(benchmark.counts)
    #expect(counts.map(\.event) == ["instructions", "cycles"])
    #expect(abs(counts[0].change - 1) < 1e-12 && counts[0].screen.count == 12)
    #expect(counts[0].decision.isEmpty && counts[0].confirmation == nil)
  }

  /// Block by block as by the clocks, or not at all.
  @Test func aBlockThatWasNotCountedLeavesNoCount() throws {
    let found = section(.init(name: "layer", screen: blocks([nil] + Array(repeating: 0, count: 11))))
    #expect(try #require(found.benchmarks.first).counts?.map(\.event) == ["cycles"])
  }

  #if os(Linux)
    /// What a gate counts of an engine's threads in its slices, by the kernel's own clock of threads, which every machine has: in
    /// most blocks what the CPU time says, which is read in another way.
    @Test func aGateCountsWhatItsEnginesDo() throws {
      var suite = BenchmarkSuite(name: "test")
      suite.problems = ["conv2d n1c16h28w28 k16r3s3 stride1 pad1"]
      let engine = "\(Repository.command.path) engine direct"
      // Stopped by the number of blocks, not by a clock: beside other tests a block may take long.
      let blocks = 6
      let isEnough = Shared(false)
      let runner = try DuetRunner(
        plan: try BenchmarkPlan(suite), base: .init(name: "base", command: engine),
        head: .init(name: "head", command: engine), policy: DuetPolicy(), sliceMilliseconds: 20, seed: 1,
        nulls: NullEngines(program: Repository.command.path, package: ""), events: [.taskClock],
        onProgress: { done, _, _ in isEnough.withLock { $0 = done >= blocks } },
        shouldStop: { isEnough.withLock { $0 } })
      let found = try runner.run()
      #expect(found.uncounted == nil)
      let benchmark = try #require(found.benchmarks.first)
      let counted = try #require(benchmark.counts?.first)
      let cpu = try #require(benchmark.cpu)
      #expect(counted.event == "taskClock" && counted.screen.count == blocks && cpu.screen.count == blocks)
      let apart = zip(counted.screen, cpu.screen).map { abs($0 - $1) }
      // Both are the scheduler's account of the same slices, read some microseconds apart; a fiftieth is far more than that of
      // slices of 20 ms (0.002 at most beside eight busy programs), and far less than anything else that could stand here.
      #expect(apart.sorted()[apart.count / 2] < 0.02, "\(apart)")
      #expect(Set(counted.screen).count > 1, "a real count varies")
    }
  #endif
}
