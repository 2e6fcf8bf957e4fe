import Convolution
import Foundation
import OperatingSystem
import Results
import RunAnalysis
import Synchronization

/// What the machine is, what it can do at most, and what disturbs it.
public enum MachineProbe {
  /// CPU time in ticks since boot: all of it, and what the hypervisor took.
  public struct CPUTicks: Sendable, Hashable {
    public var total: Double
    public var idle: Double
    public var steal: Double

    public init(total: Double, idle: Double, steal: Double) {
      self.total = total
      self.idle = idle
      self.steal = steal
    }

    /// Of these processors together, or of all.
    /// - Returns: `nil` where the system does not tell.
    public static func now(of processors: [Int] = []) -> CPUTicks? {
      CPUTicks(of: processors, in: SystemFile.lines(of: "/proc/stat"))
    }

    /// - Parameters:
    ///   - processors: whose ticks are added up; none for those of all.
    ///   - lines: of `/proc/stat`.
    package init?(of processors: [Int], in lines: [Substring]) {
      let names = processors.isEmpty ? ["cpu"] : processors.map { "cpu\($0)" }
      self.init(total: 0, idle: 0, steal: 0)
      for name in names {
        guard let line = lines.first(where: { $0.hasPrefix("\(name) ") }) else { return nil }
        // user nice system idle iowait irq softirq steal; guest time is in user already.
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        guard ticks.count == 8 else { return nil }
        total += ticks.reduce(0, +)
        idle += ticks[3] + ticks[4]
        steal += ticks[7]
      }
    }

    /// The fraction that was taken between two readings.
    public static func stealFraction(from start: CPUTicks?, to end: CPUTicks?) -> Double? {
      guard let start, let end, end.total > start.total else { return nil }
      return (end.steal - start.steal) / (end.total - start.total)
    }
  }

  public static func loadAverage() -> Double? {
    SystemFile.line(of: "/proc/loadavg")?.split(separator: " ").first.flatMap { Double($0) }
  }

  /// What others take of all cores while this process sleeps for half a second. The load average would also count what
  /// ended a minute ago.
  private static func busyFraction() -> Double? {
    let start = CPUTicks.now()
    Thread.sleep(forTimeInterval: 0.5)
    guard let start, let end = CPUTicks.now(), end.total > start.total else { return nil }
    return 1 - (end.idle - start.idle) / (end.total - start.total)
  }

  /// Takes half a second, to see what else is running.
  public static func record() -> MachineRecord {
    let machine = Machine.current
    let governor = SystemFile.line(of: "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    let load = loadAverage()
    var warnings: [String] = []
    if let busy = busyFraction(), busy > BenchmarkDoubts.contentionLimit {
      warnings.append(
        "\(MachineRecord.contentionWarning): it took \(Int((100 * busy).rounded())) % of all cores at the start")
    }
    if let governor, governor != "performance" { warnings.append("the frequency governor is \(governor)") }
    #if DEBUG
      warnings.append("this is a debug build: its times mean nothing")
    #endif
    return MachineRecord(
      cpuModel: machine.model, cores: machine.processors, instructionSets: machine.instructionSets.map(\.rawValue),
      selectedInstructionSet: (try? InstructionSet.selected())?.rawValue ?? "none", l1DataBytes: machine.l1DataBytes,
      l2Bytes: machine.l2Bytes, l3Bytes: machine.l3Bytes, governor: governor, loadBefore: load, warnings: warnings)
  }

  /// What the machine can do at most with so many threads. Takes about two seconds the first time: what it can do does not change
  /// while a process lives, and how fast it is just now is measured each time.
  /// - Throws: `ConvolutionError` where threads or memory are not available.
  public static func ceilings(threads: Int) throws(ConvolutionError) -> CeilingRecord {
    let rates = try known.withLock { (known) throws(ConvolutionError) in
      if let rates = known[threads] { return rates }
      let rates = try Rates(threads: threads)
      known[threads] = rates
      return rates
    }
    return CeilingRecord(
      threads: threads, peakGigaflops: rates.peak * 1e-9, l2GigabytesPerSecond: rates.l2 * 1e-9,
      l3GigabytesPerSecond: rates.l3.map { $0 * 1e-9 }, memoryGigabytesPerSecond: rates.memory * 1e-9,
      frozenConvolutionNanoseconds: FrozenConvolution().bestNanoseconds())
  }

  private static let known = Mutex<[Int: Rates]>([:])

  /// Work a second.
  private struct Rates {
    let peak: Double
    let l2: Double
    let l3: Double?
    let memory: Double

    init(threads: Int) throws(ConvolutionError) {
      let pool = try ThreadPool.shared(threads: threads)
      let machine = Machine.current
      let kernels = try InstructionSet.selected().kernels()
      let iterations = 400_000
      peak = bestRate {
        pool.run(tasks: threads) { _, _ in _ = kernels.peak(iterations) }
        return Double(threads) * Double(iterations * 24 * kernels.vectorWidth)
      }
      let l2Bytes = machine.l2Bytes ?? 1 << 20
      let l3Bytes = machine.l3Bytes ?? 0
      // Source and target together fill half of the cache that is meant, or several times the last one.
      l2 = try copyRate(bytes: l2Bytes / 4, threads: threads, pool)
      let usable = max(min(l3Bytes / 4, 4 * l2Bytes), l2Bytes)
      l3 = l3Bytes > 2 * l2Bytes ? try copyRate(bytes: usable / threads, threads: threads, pool) : nil
      memory = try copyRate(bytes: max(2 * l3Bytes, 64 << 20) / threads, threads: threads, pool)
    }
  }

  /// The best round of a third of a second, as work a second: a ceiling is what the machine can do, not what it did on
  /// average, and a short trial may meet nothing but a busy moment.
  private static func bestRate(_ round: () -> Double) -> Double {
    _ = round()
    let first = ContinuousClock.now
    var best = 0.0
    while ContinuousClock.now - first < .milliseconds(350) {
      let start = ContinuousClock.now
      let work = round()
      best = max(best, work / (ContinuousClock.now - start).seconds)
    }
    return best
  }

  /// Bytes read and written a second while each thread copies its own block over and over.
  private static func copyRate(bytes: Int, threads: Int, _ pool: ThreadPool) throws(ConvolutionError) -> Double {
    let count = max(bytes / 4, 1_024)
    var blocks: [(source: AlignedBuffer, target: AlignedBuffer)] = []
    for _ in 0..<threads {
      let source = try AlignedBuffer(zeros: count, name: "probe")
      blocks.append((source, try AlignedBuffer(zeros: count, name: "probe")))
    }
    let repeats = max(1, (32 << 20) / (4 * count))
    let shared = blocks
    return bestRate {
      pool.run(tasks: threads) { task, _ in
        for _ in 0..<repeats {
          _ = shared[task].target.buffer.update(fromContentsOf: UnsafeBufferPointer(shared[task].source.buffer))
        }
      }
      return Double(threads * repeats) * 8 * Double(count)
    }
  }
}

/// A convolution in plain loops that never changes: what a faster or slower machine does to it, it does to everything.
struct FrozenConvolution {
  private let channels = 16
  private let size = 28
  private let x: [Float]
  private let weight: [Float]

  init() {
    x = (0..<(16 * 30 * 30)).map { Float($0 % 17) - 8 }
    weight = (0..<(16 * 16 * 9)).map { Float($0 % 13) - 6 }
  }

  private func run() -> Float {
    var sum: Float = 0
    for k in 0..<channels {
      for p in 0..<size {
        for q in 0..<size {
          var y: Float = 0
          for c in 0..<channels {
            for r in 0..<3 {
              let row = (c * 30 + p + r) * 30 + q
              let tap = ((k * channels + c) * 3 + r) * 3
              y += x[row] * weight[tap] + x[row + 1] * weight[tap + 1] + x[row + 2] * weight[tap + 2]
            }
          }
          sum += y
        }
      }
    }
    return sum
  }

  func bestNanoseconds() -> Double {
    var best = Double.infinity
    var sink: Float = 0
    for _ in 0..<20 {
      let start = ContinuousClock.now
      sink += run()
      best = min(best, (ContinuousClock.now - start).seconds * 1e9)
    }
    // The sum is used, so that the loops cannot be dropped.
    return sink.isNaN ? .infinity : best
  }
}
