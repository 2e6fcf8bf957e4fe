import Results
import RunAnalysis
import Testing
import TestSupport

@Suite struct BenchmarkDoubtsTests {
  private func completed(_ change: (inout BenchmarkSection) -> Void) -> BenchmarkSection {
    var section = SampleBenchmark.section()
    change(&section)
    BenchmarkAnalysis.complete(&section)
    return section
  }

  @Test func quietRunsHaveNone() {
    let section = completed {
      $0.workloads[0].waitingFraction = 0.1
      $0.machine.stealFraction = 0.04
      // Others were at work when it started, and did not take these cores.
      $0.machine.warnings = ["\(MachineRecord.contentionWarning): it took 60 % of all cores at the start"]
    }
    #expect(section.doubts == [] && !section.isDoubtful && !section.facts.isEmpty)
  }

  @Test func eachReasonIsNamedAndNothingIsCompared() {
    let cases: [((inout BenchmarkSection) -> Void, String)] = [
      ({ $0.options.blocks = 5 }, "too few blocks for an interval: expected 6 or more, found 5"),
      ({ $0.options.blocks = 1 }, "expected 6 or more, found 1"),
      ({ $0.workloads[0].waitingFraction = 0.11 }, "11 % of their time"),
      // One of two cores: 6 % of both is 12 % of the one that had work.
      ({ $0.machine.stealFraction = 0.06 }, "the hypervisor took 12 %"),
      ({ $0.machine.warnings = ["other work was running: it took 100 %"] }, "it took 100 %"),
    ]
    for (change, expected) in cases {
      let section = completed(change)
      #expect(section.doubts?.count == 1 && section.doubts?.first?.contains(expected) == true, "\(expected)")
      #expect(section.facts.isEmpty, "\(expected): a headline of times that decide nothing")
      #expect(section.conclusion.outcome == .inconclusive)
    }
  }

  /// Blocks that do not give an interval at the confidence asked for; an exact sign test needs more for more.
  @Test(arguments: [(0.95, 5, true), (0.95, 6, false), (0.99, 7, true), (0.99, 8, false), (0.5, 2, false)])
  func fewestBlocksFollowFromTheConfidence(confidence: Double, blocks: Int, isDoubtful: Bool) {
    let section = completed {
      $0.options.confidence = confidence
      $0.options.blocks = blocks
    }
    #expect(section.isDoubtful == isDoubtful)
  }
}
