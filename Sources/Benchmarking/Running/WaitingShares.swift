import RunAnalysis

/// Whose timed threads waited for a core on a workload, contestant by contestant and block by block.
package struct WaitingShares {
  private var blocks: [[CoreContention.Spent?]] = []

  package init() {}

  /// What each contestant's threads ran and waited in one more block; `nil` where the system does not tell.
  package mutating func add(_ block: [CoreContention.Spent?]) { blocks.append(block) }

  /// Of one contestant: the median over blocks.
  package func fraction(of contestant: Int) -> Double? { fraction { $0 == contestant } }

  /// Of all together but one that waited alone: the median over blocks.
  package func fraction(without contestant: Int?) -> Double? { fraction { $0 != contestant } }

  /// The one contestant that waited for more than the limit while nobody else did. Others' work is met by all, since they take
  /// turns; so it has more threads than cores. A process alone, and only beside another one that did not wait: what this program
  /// did to it would be done to both.
  /// - Parameter processes: whether each contestant is a process of its own.
  package func alone(processes: [Bool]) -> Int? {
    let fractions = processes.indices.map { fraction(of: $0) }
    let waiting = fractions.indices.filter { fractions[$0] ?? 0 > BenchmarkDoubts.contentionLimit }
    guard waiting.count == 1, let one = waiting.first, processes[one],
      processes.indices.contains(where: { $0 != one && processes[$0] && fractions[$0] != nil })
    else { return nil }
    return one
  }

  private func fraction(of isMeant: (Int) -> Bool) -> Double? {
    OrderStatistics.median(
      blocks.compactMap { block in
        CoreContention.waitingFraction(of: block.indices.compactMap { isMeant($0) ? block[$0] : nil })
      })
  }
}
