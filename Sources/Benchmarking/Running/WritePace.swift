/// When a growing record is written again: not after each step, or a long run would spend its time on encoding what it has
/// encoded before.
///
/// A process that is killed loses the work of ``least`` at most, or of ten times what one writing takes where that is more;
/// writing takes no more than a tenth of a run then.
struct WritePace {
  static let least = Duration.seconds(2)

  private var due: ContinuousClock.Instant?

  func isDue(at now: ContinuousClock.Instant) -> Bool { due.map { now >= $0 } ?? true }

  mutating func wrote(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) {
    due = end + max(Self.least, (end - start) * 10)
  }
}
