import Foundation
import Results

/// Figures and names of a benchmark as pages and tables write them.
enum BenchmarkText {
  /// `n1c64h56w56 k64r3s3 stride1 pad1`: a problem without its operation's name, where that is the one of most tables: kernels
  /// have it, and no word beside it. `relu n1c64h56w56` stays.
  static func shape(_ problem: String) -> String {
    guard let blank = problem.firstIndex(of: " ") else { return problem }
    guard ProblemWords(problem).isPlainConvolution else { return problem }
    return String(problem[problem.index(after: blank)...])
  }

  /// The rate of the definition's arithmetic; nothing where that has no multiply-adds.
  static func gigaflops(_ time: TimeSummary) -> String {
    time.equivalentGigaflops > 0 ? ratio(time.equivalentGigaflops) : "–"
  }

  /// `resnet50`: what the architecture is called, in the problem of a whole network.
  static func network(_ workload: BenchmarkWorkload) -> String {
    let word = workload.problem.split(separator: " ").first { $0.hasPrefix("arch") }
    return word.map { String($0.dropFirst("arch".count)) } ?? shape(workload.problem)
  }

  static func ratio(_ value: Double) -> String {
    value >= 100
      ? String(format: "%.0f", value) : value >= 10 ? String(format: "%.1f", value) : String(format: "%.2f", value)
  }

  /// How many times as fast: `1.32`, and `1/603` of what is so slow that hundredths would not tell.
  static func multiple(_ value: Double) -> String {
    value > 0 && value < 0.1 ? "1/" + ratio(1 / value) : ratio(value)
  }

  static func milliseconds(_ nanoseconds: Double) -> String {
    let value = nanoseconds * 1e-6
    return value >= 100
      ? String(format: "%.0f", value)
      : value >= 10
        ? String(format: "%.1f", value)
        : String(format: "%.3f", value)
  }

  /// `1.234`, or `1.234?` where the engine alone says so.
  static func milliseconds(_ contestant: BenchmarkContestant, _ time: TimeSummary) -> String {
    milliseconds(time.medianNanoseconds) + contestant.mark
  }

  /// `88 % compute, winograd4`: the share of the limit that is reached, and what the limit is set by.
  static func limit(_ time: TimeSummary, _ workload: BenchmarkWorkload) -> String {
    guard let fraction = time.limitFraction else { return "" }
    return "\(percent(fraction)) \(workload.limitText)" + (fraction > 1 ? ": below limit" : "")
  }

  static func percent(_ fraction: Double) -> String { String(format: "%.0f %%", 100 * fraction) }

  static func change(_ fraction: Double) -> String { String(format: "%+.1f %%", 100 * fraction) }

  /// `1.32×`, or `tie` where the blocks do not tell it from 1.
  static func speedup(_ time: TimeSummary) -> String {
    guard let speedup = time.speedup else { return "" }
    guard let lower = time.speedupLower, let upper = time.speedupUpper, lower > 1 || upper < 1 else { return "tie" }
    return multiple(speedup) + "×"
  }

  /// The share of the FMA peak; nothing where it is the share of the limit, which stands beside it. Above 1 it is of
  /// equivalent work, also where an engine does not tell what it did.
  static func peak(_ time: TimeSummary, _ workload: BenchmarkWorkload) -> String {
    guard let fraction = time.peakFraction else { return "" }
    if let limit = time.limitFraction, !isEquivalent(time), percent(limit) == percent(fraction) { return "=" }
    return percent(fraction) + (isEquivalent(time) ? " (equivalent)" : "")
  }

  /// Whether the rate cannot be that of the arithmetic that was done.
  static func isEquivalent(_ time: TimeSummary) -> Bool { time.actualGigaflops == nil && (time.peakFraction ?? 0) > 1 }

  /// Where a page says what is wrong with a contestant: an identifier without blanks.
  static func anchor(_ workload: BenchmarkWorkload, _ engine: String) -> String {
    let words = "\(workload.name) \(engine)".utf8.map { byte in
      (48...57).contains(byte) || (97...122).contains(byte) ? String(UnicodeScalar(byte)) : "-\(byte)"
    }
    return "wrong-" + words.joined()
  }

  static func mebibytes(_ bytes: Int) -> String {
    bytes == 0 ? "0" : String(format: "%.2f", Double(bytes) / 1_048_576)
  }

  /// `–` where another engine tells nothing: 0 would be praise.
  static func workspace(_ contestant: BenchmarkContestant, _ section: BenchmarkSection) -> String {
    let isOwn = section.engines.contains { $0.name == contestant.engine && $0.isBuiltIn }
    return contestant.workspaceBytes == 0 && !isOwn ? "–" : mebibytes(contestant.workspaceBytes)
  }

  static func wholeMebibytes(_ bytes: Int) -> String { String(format: "%.0f", Double(bytes) / 1_048_576) }

  static func threads(_ count: Int) -> String { "\(count) thread\(count == 1 ? "" : "s")" }
}

/// Workloads that are shown together: the same batch, pass, layout and thread count.
struct BenchmarkSetting: Hashable {
  var batch: Int
  var pass: String
  var layout: String
  var threads: Int

  init(_ workload: BenchmarkWorkload) {
    (batch, pass) = (workload.batch, workload.pass)
    (layout, threads) = (workload.layout, workload.threads)
  }

  var name: String { "batch \(batch), \(pass.replacing("_", with: " ")), \(layout), \(BenchmarkText.threads(threads))" }

  /// As a fold is titled.
  var title: String { name.prefix(1).uppercased() + name.dropFirst() }

  static func settings(of section: BenchmarkSection) -> [(BenchmarkSetting, [BenchmarkWorkload])] {
    var order: [BenchmarkSetting] = []
    var groups: [BenchmarkSetting: [BenchmarkWorkload]] = [:]
    for workload in section.workloads {
      let setting = BenchmarkSetting(workload)
      if groups[setting] == nil { order.append(setting) }
      groups[setting, default: []].append(workload)
    }
    return order.map { ($0, groups[$0] ?? []) }
  }
}
