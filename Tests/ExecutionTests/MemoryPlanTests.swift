import Execution
import Testing

@Suite struct MemoryPlanTests {
  typealias Life = MemoryPlan<String>.Life

  /// Lives that meet never share; nothing that could share is left alone.
  @Test func livesThatDoNotMeetShare() {
    let lives = [
      Life(written: 0, lastRead: 1), Life(written: 1, lastRead: 2), Life(written: 2, lastRead: 3),
      Life(written: 3, lastRead: 4),
    ]
    let plan = MemoryPlan(["a", "a", "a", "a"], lives)
    #expect(plan.slots.count == 2)
    for first in lives.indices {
      for second in lives.indices.dropFirst(first + 1) where lives[second].written <= lives[first].lastRead {
        #expect(plan.slotOf[first] != plan.slotOf[second])
      }
    }
  }

  @Test func layoutsDoNotMix() {
    let lives = [Life(written: 0, lastRead: 1), Life(written: 2, lastRead: 3)]
    #expect(MemoryPlan(["a", "b"], lives).slots == ["a", "b"])
    #expect(MemoryPlan(["a", "a"], lives).slots == ["a"])
  }

  @Test func aResidualIsReplacedWhereNobodyReadsItLater() {
    func plan(lastReadOfResidual: Int) -> MemoryPlan<String> {
      MemoryPlan(
        ["a", "a"],
        [Life(written: 0, lastRead: lastReadOfResidual), Life(written: 2, lastRead: 3, replaces: 0)])
    }
    #expect(plan(lastReadOfResidual: 2).slotOf == [0, 0])
    #expect(plan(lastReadOfResidual: 3).slotOf == [0, 1])
  }

  /// The memory that a residual leaves to the sum is busy for as long as the sum is.
  @Test func whatReplacesKeepsItsSlotBusy() {
    let plan = MemoryPlan(
      ["a", "a", "a"],
      [
        Life(written: 0, lastRead: 1), Life(written: 1, lastRead: 4, replaces: 0), Life(written: 2, lastRead: 3),
      ])
    #expect(plan.slotOf == [0, 0, 1])
  }
}
