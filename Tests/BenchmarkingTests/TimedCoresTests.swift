import Benchmarking
import Testing

@Suite struct TimedCoresTests {
  /// Processors 0 and 4, 1 and 5, … share a core.
  private func siblings(_ processor: Int) -> Set<Int> { [processor % 4, processor % 4 + 4] }

  @Test func oneOfEachCoreComesFirst() {
    #expect(TimedCores.choose(2, of: Array(0..<8), siblings: siblings) == [6, 7])
    #expect(TimedCores.choose(4, of: Array(0..<8), siblings: siblings) == [4, 5, 6, 7])
    #expect(TimedCores.choose(5, of: Array(0..<8), siblings: siblings) == [3, 4, 5, 6, 7])
    // Numbered as neighbours: the last two share a core.
    #expect(TimedCores.choose(2, of: Array(0..<8), siblings: { [$0 & ~1, $0 | 1] }) == [5, 7])
  }

  /// In a container with a set of processors the last ones of the machine may be another's.
  @Test func onlyAllowedProcessorsAreChosen() {
    #expect(TimedCores.choose(2, of: [1, 2, 5], siblings: siblings) == [2, 5])
    #expect(TimedCores.choose(3, of: [1, 2, 5], siblings: siblings) == [1, 2, 5])
    #expect(TimedCores.choose(4, of: [1, 2, 5], siblings: siblings).count == 3, "fewer when there are fewer")
    #expect(TimedCores.choose(0, of: [1, 2, 5], siblings: siblings).isEmpty)
    #expect(TimedCores.choose(1, of: [], siblings: siblings).isEmpty)
  }

  @Test(
    arguments: [
      ("0-1\n", [0, 1]), ("3,11", [3, 11]), (" 0-2,8,10-11", [0, 1, 2, 8, 10, 11]), ("", []), ("x-y", []), ("3-1", []),
    ] as [(String, Set<Int>)])
  func kernelListsAreRead(text: String, expected: Set<Int>) { #expect(TimedCores.processorList(text) == expected) }
}
