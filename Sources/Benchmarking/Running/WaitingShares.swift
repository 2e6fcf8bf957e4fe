import RunAnalysis

/// Whose timed threads waited for a core on a workload, contestant by contestant and block by block.
package struct WaitingShares {
  private var blocks: [[ThreadTimes?]] = []

  package init() {}

  /// What each contestant's threads did in one more block; `nil` where the system does not tell.
  package mutating func add(_ block: [ThreadTimes?]) { blocks.append(block) }

  /// Of one contestant: for whomever its threads waited. The median over blocks.
  package func fraction(of contestant: Int) -> Double? { fraction(\.waiting) { $0 == contestant } }

  /// Of all together: what others may have taken from them. The median over blocks.
  package var lostFraction: Double? { fraction(\.lost) { _ in true } }

  /// The contestant that has lost most to threads of its own, if that is more than the limit: it runs more of them than it was given
  /// cores.
  /// - Parameter processes: whether each contestant is a process of its own; threads of this one are not counted against anybody.
  package func crowded(processes: [Bool]) -> Int? {
    let fractions = processes.indices.map { contestant in
      processes[contestant] ? fraction(\.crowded) { $0 == contestant } ?? 0 : 0
    }
    guard let most = fractions.max(), most > BenchmarkDoubts.contentionLimit else { return nil }
    return fractions.firstIndex(of: most)
  }

  private func fraction(_ part: (ThreadTimes) -> Double, of isMeant: (Int) -> Bool) -> Double? {
    OrderStatistics.median(
      blocks.compactMap { block in
        CoreContention.waitingFraction(
          of: block.indices.compactMap { contestant in
            isMeant(contestant) ? block[contestant].map { ($0.running, part($0)) } : nil
          })
      })
  }
}
