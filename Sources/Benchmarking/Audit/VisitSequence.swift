import Tensors

/// The order in which a slice visits sets of operands: each of those with fresh numbers once, at a random moment of its share of
/// the slice, and between them, again and again, those that were seen before, the one that was seen longest ago first.
///
/// First and later visits lie among each other, so that a machine that is slower for some milliseconds, or threads that share a
/// core for so long, slow both down alike; and what was seen longest ago is in no nearer cache than what was just loaded. A fresh
/// set is not visited again, so that what it holds afterwards is what the visit that was timed left.
package struct VisitSequence {
  package let sets: [Int]
  /// For each visit, whether it is the first of its set.
  private let isFirst: [Bool]
  private let freshCount: Int

  /// - Parameters:
  ///   - fresh: sets that were not visited since they were loaded.
  ///   - seen: those that were, one at least unless each visit is of a fresh set.
  ///   - visits: of all of them together, at least one of each fresh one.
  ///   - generator: draws the order.
  package init(fresh: [Int], seen: [Int], visits: Int, using generator: inout SplitMix64) {
    let visits = max(visits, fresh.count)
    var isFirst = Array(repeating: false, count: visits)
    for index in fresh.indices {
      let share = visits * index / fresh.count..<visits * (index + 1) / fresh.count
      isFirst[Int.random(in: share, using: &generator)] = true
    }
    let (fresh, seen) = (fresh.shuffled(using: &generator), seen.shuffled(using: &generator))
    var (first, later) = (0, 0)
    var sets: [Int] = []
    for isFirst in isFirst {
      if isFirst { first += 1 } else { later += 1 }
      sets.append(isFirst ? fresh[first - 1] : seen[(later - 1) % seen.count])
    }
    self.sets = sets
    freshCount = fresh.count
    self.isFirst = isFirst
  }

  /// The sets of one of so many parts of the slice, each of which has its share of the fresh ones.
  package func part(_ index: Int, of parts: Int) -> ArraySlice<Int> {
    sets[start(ofPart: index, of: parts)..<start(ofPart: index + 1, of: parts)]
  }

  /// Where the share of a fresh set begins, unless there is none.
  private func start(ofPart index: Int, of parts: Int) -> Int {
    freshCount > 0 ? sets.count * (freshCount * index / parts) / freshCount : sets.count * index / parts
  }

  /// Durations of a slice, one for each visit, as those of first visits and those of the others.
  package func split(_ durations: [UInt64]) -> (first: [UInt64], again: [UInt64]) {
    var (first, again): ([UInt64], [UInt64]) = ([], [])
    for (duration, isFirst) in zip(durations, isFirst) {
      if isFirst { first.append(duration) } else { again.append(duration) }
    }
    return (first, again)
  }
}
