import Foundation
import GoldenFiles
import GradientChecking
import Results
import Synchronization

/// What `assay gradcheck` has found so far. Shared with the thread that concludes when a signal comes and a check does not
/// end.
final class GradcheckLog: Sendable {
  private struct Found {
    var records: [GradientRecord] = []
    var errors: [GoldenFileError] = []
    /// Items of which every check is done, or that cannot be read.
    var itemsDone = 0
    var failures = 0
  }

  private let found = Mutex(Found())
  private let shard: ShardRecord?
  private let itemCount: Int
  private let terminal: GradcheckTerminal
  private let isVerbose: Bool
  private let progress: ProgressDisplay
  private let start = ContinuousClock.now

  init(plan: GradcheckPlan, color: TerminalColor, isQuiet: Bool, isVerbose: Bool) {
    shard = plan.shard
    itemCount = plan.items.count
    terminal = GradcheckTerminal(color: color)
    self.isVerbose = isVerbose
    progress = ProgressDisplay(isQuiet: isQuiet)
  }

  var isEmpty: Bool { found.withLock { $0.records.isEmpty } }

  /// - Parameter stopped: whether a signal came meanwhile; a check that it cut short has found nothing.
  func note(_ record: GradientRecord, stopped: Bool) {
    if stopped, record.wasStopped { return }
    let isBad = record.verdict != .pass && record.verdict != .unsupported
    found.withLock {
      $0.records.append(record)
      if isBad { $0.failures += 1 }
    }
    if isBad || isVerbose {
      progress.clear()
      terminal.print(record)
    }
  }

  /// What an earlier command found of an item.
  func carry(_ records: [GradientRecord], of item: GradcheckPlan.Item) {
    found.withLock {
      $0.records += records
      $0.itemsDone += 1
    }
  }

  /// A case that cannot be read: the others are checked all the same.
  func note(_ error: GoldenFileError) {
    found.withLock { $0.errors.append(error) }
    progress.clear()
    GoldenSession.report(error)
  }

  func finish(_ item: GradcheckPlan.Item) {
    let (done, failures) = found.withLock { found in
      defer { found.failures = 0 }
      found.itemsDone += 1
      return (found.itemsDone, found.failures)
    }
    progress.step(done: done, of: itemCount, failures: failures, subject: item.name)
  }

  /// What is known by now.
  var section: GradientSection {
    progress.clear()
    let found = found.withLock { $0 }
    let elapsed = start.duration(to: .now).components
    var section = GradientSection(
      records: found.records,
      seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
    section.badFiles = found.errors.map(\.description)
    section.shard = shard
    if found.itemsDone < itemCount { section.interrupted = true }
    return section
  }
}
