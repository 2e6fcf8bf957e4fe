/// How long a contestant's slices are, and over how many sets of operands they go.
package struct SlicePlan: Sendable, Hashable {
  /// How many iterations a slice is long.
  package var visits = 1
  /// How many sets it visits.
  package var sets = 1
  /// How many of them have fresh numbers: the first visits of those are what is timed, and the others show whether first visits
  /// cost more.
  package var fresh = 1
  /// How often a slice, or each part of one, begins with a set that nothing else visits, and whose times are not taken: the first
  /// runs after other requests meet code that those have driven from the caches, and threads that sleep.
  package var warmUps = 2
  /// How often that set is visited before, in a request of its own: until threads that woke on one core are on different ones. What
  /// they wait for one another meanwhile is over when the first duration is taken, and so no contention.
  package var spreads = 0
  /// In how many parts a slice is made, other contestants' between them: as many as there are fresh sets, for a part without one
  /// times nothing.
  package var parts = 1

  /// The most sets that a turn loads. Loading one costs an engine in another process a millisecond or more, so that a fresh
  /// set for each iteration of a small layer would cost many times what is timed.
  private static let mostFresh = 8
  /// Of small operands as many sets as pass through the nearer caches from one visit of a set to the next: eight times what a
  /// core's own cache holds. Of large ones twice as many as are fresh.
  private static let footprint = 8 << 20
  /// The most iterations of a slice.
  private static let longest = 1_000
  /// Nanoseconds that a part takes at least, without its warm-up: a request, and letting another process run, take a tenth of a
  /// millisecond.
  private static let shortest = 2e6
  /// Nanoseconds after which threads that slept are on different cores.
  private static let spreading = 4e6

  init() {}

  /// As many iterations as make the fastest contestant's slice long enough, the same for all; but no more than a slow one does
  /// in twenty slices' time, and at least one.
  /// - Parameters:
  ///   - fastest: nanoseconds of an iteration of the fastest contestant.
  ///   - own: of this one.
  ///   - slice: how many nanoseconds are long enough.
  ///   - threads: that are timed.
  ///   - bytes: of one set's operands and results.
  ///   - most: how many sets memory allows, two at least.
  package init(fastest: Double, own: Double, slice: Double, threads: Int, bytes: Int, most: Int) {
    let common = (slice / max(fastest, 1)).rounded(.up)
    let affordable = (20 * slice / max(own, 1)).rounded(.up)
    visits = Int(max(1, min(common, affordable, Double(Self.longest))))
    // Of several threads, the system takes some milliseconds to spread them over the cores.
    if threads > 1 {
      spreads = Int(max(1, min((Self.spreading / max(own, 1)).rounded(.up), Double(OperandSets.mostSets))))
    }
    let passing = max(2 * Self.mostFresh, Self.footprint / max(bytes, 1) + 1)
    // One more of them only warms up.
    sets = max(1, min(visits, passing, most - 1))
    fresh = max(1, min(sets / 2, Self.mostFresh))
    // Nor is a part shorter than what warms up for it.
    let affordableParts = min(Double(visits) * max(fastest, 1) / Self.shortest, Double(visits / (spreads + warmUps)))
    parts = max(1, min(fresh, Int(affordableParts)))
  }
}
