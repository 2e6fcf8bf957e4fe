/// What the threads of a contestant did in requests that are timed, in nanoseconds.
package struct ThreadTimes: Hashable {
  package var running = 0.0
  /// Ready to run, and without a core.
  package var waiting = 0.0
  /// Of that, what others may have cost: no more than the cores that were timed did without running one of these threads. While
  /// they run on all of them they wait for each other, whatever the reason: a thread that looks for work in vain, and the one that
  /// would begin with it, at the start of a request.
  package var lost = 0.0
  /// Of that, what more threads than cores have cost, at least: within the iterations, while others of them ran on all cores.
  package var crowded = 0.0

  package init() {}

  /// - Parameters:
  ///   - spent: of all threads, in one request.
  ///   - threads: as many cores as they have.
  ///   - wall: that the request took.
  ///   - claimed: that its iterations are said to have taken.
  package init(_ spent: CoreContention.Spent, threads: Int, wall: Double, claimed: Double) {
    let cores = Double(threads)
    (running, waiting) = spent
    lost = min(waiting, max(0, cores * wall - running))
    crowded = max(0, waiting - lost - cores * max(0, wall - claimed))
  }

  package static func += (sum: inout ThreadTimes, next: ThreadTimes) {
    sum.running += next.running
    sum.waiting += next.waiting
    sum.lost += next.lost
    sum.crowded += next.crowded
  }
}
