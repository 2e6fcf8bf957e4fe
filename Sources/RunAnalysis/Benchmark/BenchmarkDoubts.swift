import Foundation
import Results

/// Why the times of a run decide nothing. Pure: a stored record has the same doubts as the run that wrote it.
public enum BenchmarkDoubts {
  /// The share of their time that timed threads may wait for a core, or lose to the hypervisor.
  ///
  /// A share f of disturbed iterations moves the median of a slice to the quantile ½/(1 − f) of the undisturbed ones. With a
  /// tenth that is the 0.556-quantile, which is next to the median; and as the waiting is that of the median block, half of
  /// all blocks were disturbed no more.
  public static let contentionLimit = 0.1

  /// The fewest blocks whose extremes cover the median with the confidence asked for, of an exact sign test.
  static func fewestBlocks(confidence: Double) -> Int {
    var blocks = 1
    while 2 * BinomialTail.atMost(0, trials: blocks) > 1 - confidence, blocks < 1_000 { blocks += 1 }
    return blocks
  }

  /// One sentence for each doubt; none where the times can be believed.
  public static func doubts(of section: BenchmarkSection) -> [String] {
    [blocks(section), contention(section), steal(section)].compactMap { $0 }
  }

  private static func blocks(_ section: BenchmarkSection) -> String? {
    let fewest = fewestBlocks(confidence: section.options.confidence)
    guard section.options.blocks < fewest else { return nil }
    return "too few blocks for an interval: expected \(fewest) or more, found \(section.options.blocks)"
  }

  private static func contention(_ section: BenchmarkSection) -> String? {
    let measured = section.workloads.compactMap { workload in workload.waitingFraction.map { (workload.name, $0) } }
    guard let (name, most) = measured.max(by: { $0.1 < $1.1 }) else {
      // Where the system does not report waiting threads, the only measure is the load at the start.
      return section.machine.warnings.first { $0.hasPrefix(MachineRecord.contentionWarning) }
    }
    let count = measured.count { $0.1 > contentionLimit }
    guard count > 0 else { return nil }
    return "timed threads waited for a core, \(percent(most)) of their time on \(name) and more than "
      + "\(percent(contentionLimit)) on \(count) of \(measured.count) workloads: other programs were at work"
  }

  /// The hypervisor takes time only from cores that have work, so what it took is laid on the fewest that had: a lower
  /// share of more cores would be a larger one of these.
  private static func steal(_ section: BenchmarkSection) -> String? {
    guard let stolen = section.machine.stealFraction, let threads = section.workloads.map(\.threads).min(), threads > 0
    else { return nil }
    let share = stolen * Double(section.machine.cores) / Double(threads)
    guard share > contentionLimit else { return nil }
    return "the hypervisor took \(percent(share)) of the timed cores' time, more than \(percent(contentionLimit))"
  }

  private static func percent(_ fraction: Double) -> String { String(format: "%.0f %%", 100 * fraction) }
}
