import Foundation
import Results

/// The times of one run as comparisons over days need them: of a run of this program, or of another program's file.
///
/// What a file does not tell stays unknown here; nothing is made up for it.
public struct StoredTimes: Sendable {
  /// One benchmark of one engine.
  public struct Entry: Sendable, Hashable {
    public var benchmark: String
    /// Empty where a file knows no engines.
    public var engine: String
    public var threads: Int?
    /// `nil` where there is none that is a positive, finite number.
    public var time: Time?
    /// Why there is no time, in words; empty where there is one, or where nothing says why.
    public var problem: String
    /// Whether something stands where its time should be, and is no positive, finite number.
    public var isBroken: Bool
    public var isClaimed: Bool
    /// Tells measurements apart: no two have the same samples, to the last digit. `nil` without samples: a figure alone, rounded
    /// perhaps, may be that of another measurement.
    public var identity: Int?

    public init(
      benchmark: String, engine: String = "", threads: Int? = nil, time: Time?, problem: String = "",
      isBroken: Bool = false, isClaimed: Bool = false, identity: Int? = nil
    ) {
      self.benchmark = benchmark
      self.engine = engine
      self.threads = threads
      self.time = time
      self.problem = problem
      self.isBroken = isBroken
      self.isClaimed = isClaimed
      self.identity = identity
    }

    /// As a line names it.
    public var label: String {
      (engine.isEmpty ? benchmark : "\(benchmark) \(engine)") + (isClaimed ? Trust.claimedMark : "")
    }
  }

  /// Nanoseconds of one iteration: the median of the blocks' medians, and its interval where there are enough blocks.
  public struct Time: Sendable, Hashable {
    public var median: Double
    public var interval: ClosedRange<Double>?

    public init(median: Double, interval: ClosedRange<Double>? = nil) {
      self.median = median
      self.interval = interval
    }

    /// Of one figure a block; `nil` unless all are positive and finite.
    public init?(blocks: [Double]) {
      guard blocks.allSatisfy({ $0.isFinite && $0 > 0 }), let median = OrderStatistics.median(blocks) else {
        return nil
      }
      self.median = median
      interval = OrderStatistics.medianInterval(blocks).map { $0.lower...$0.upper }
    }
  }

  /// Something about where the times were measured.
  public struct Surrounding: Sendable, Hashable {
    public var name: String
    /// `nil` where the file does not tell.
    public var value: String?
    /// Whether times of different values are not compared at all.
    public var isKey: Bool

    public init(_ name: String, _ value: String?, isKey: Bool = false) {
      self.name = name
      self.value = value.flatMap { $0.isEmpty ? nil : $0 }
      self.isKey = isKey
    }
  }

  /// `Assay`, or the other program whose file it is.
  public var program: String
  public var suite: String
  /// ISO 8601; empty where the file does not tell.
  public var started: String
  public var commit: String?
  public var surroundings: [Surrounding]
  public var entries: [Entry]
  /// Measured peaks, which times are normalised by; none of other programs.
  public var ceilings: [CeilingRecord] = []
  /// Why these times decide nothing.
  public var doubts: [String] = []
  public var isComplete = true

  /// - Parameters:
  ///   - program: whose file it is.
  ///   - suite: what was measured, in that program's words.
  ///   - started: when, in ISO 8601; empty where nobody knows.
  ///   - commit: of what was measured.
  ///   - surroundings: what is known of the machine and the programs.
  ///   - entries: the times.
  public init(
    program: String, suite: String = "", started: String = "", commit: String? = nil, surroundings: [Surrounding],
    entries: [Entry]
  ) {
    self.program = program
    self.suite = suite
    self.started = started
    self.commit = commit
    self.surroundings = surroundings
    self.entries = entries
  }

  /// Names of what must be equal for two times to be compared: the class of the machine and of the program that ran.
  static let keys = [
    "CPU model", "number of cores", "instruction set", "operating system", "compiler", "compiler flags", "precision",
  ]

  /// What must be equal, by name, in order; unknown values are `nil`.
  public var key: [Surrounding] { surroundings.filter(\.isKey) }

  /// The known values of ``key``, and whose file it is where it is another program's.
  public var keyText: String {
    ((program == Self.own ? [] : [program]) + key.compactMap(\.value)).joined(separator: ", ")
  }

  static let own = "Assay"

  /// What is known in both and differs.
  /// - Parameters:
  ///   - other: the second one.
  ///   - isKey: of the key, or of everything else.
  public func differences(to other: StoredTimes, isKey: Bool) -> [RunDifference] {
    surroundings.filter { $0.isKey == isKey }.compactMap { mine in
      guard let value = mine.value, let theirs = other.surroundings.first(where: { $0.name == mine.name })?.value,
        theirs != value
      else { return nil }
      return RunDifference(name: mine.name, first: value, second: theirs)
    }
  }

  /// Names of the key that this file says nothing about.
  public var unknown: [String] { Self.keys.filter { name in key.first { $0.name == name }?.value == nil } }
}

extension StoredTimes {
  /// Of a run of this program; `nil` without a benchmark.
  public init?(_ run: Run) {
    guard let section = run.benchmark else { return nil }
    let (origin, machine) = (run.provenance, section.machine)
    let key = zip(Self.keys, Self.keyValues(of: run, section)).map { Surrounding($0, $1, isKey: true) }
    var others = [
      Surrounding("Assay's version", origin.assayVersion),
      Surrounding("commit", origin.gitCommit.map { String($0.prefix(12)) }),
      Surrounding("uncommitted changes", origin.gitDirty.map { $0 ? "yes" : "no" }),
      Surrounding("suite", section.suite), Surrounding("frequency governor", machine.governor),
      Surrounding("cold caches", "\(section.options.cold)"), Surrounding("pinned", "\(section.options.pinned)"),
      Surrounding("nice value", section.options.nice.map { "\($0)" } ?? "as everything else"),
      Surrounding("slice", "\(section.options.sliceMilliseconds) ms"),
      Surrounding("blocks", "\(section.options.blocks)"),
    ]
    others += section.engines.map { engine in
      let info = engine.info.sorted { $0.key < $1.key }.map { ", \($0.key) \($0.value)" }.joined()
      return Surrounding(Self.versionName(of: engine.name), engine.version + info)
    }
    self.init(
      program: Self.own, suite: section.suite, started: origin.started, commit: origin.gitCommit,
      surroundings: key + others, entries: section.workloads.flatMap(Self.entries))
    ceilings = section.ceilings
    doubts = section.doubts ?? BenchmarkDoubts.doubts(of: section)
    isComplete = section.complete
  }

  /// The surrounding that is one engine's alone.
  static func versionName(of engine: String) -> String { versionPrefix + engine }
  private static let versionPrefix = "version of "
  /// Whether a surrounding is some engine's alone.
  static func isVersion(_ name: String) -> Bool { name.hasPrefix(versionPrefix) }

  private static func keyValues(of run: Run, _ section: BenchmarkSection) -> [String] {
    [
      section.machine.cpuModel, "\(run.provenance.coreCount)", section.machine.selectedInstructionSet,
      run.provenance.operatingSystem, run.provenance.compiler, run.provenance.compilerFlags, section.options.dtype,
    ]
  }

  private static func entries(_ workload: BenchmarkWorkload) -> [Entry] {
    workload.contestants.map { contestant in
      let time = contestant.time.map { time in
        Time(
          median: time.medianNanoseconds,
          interval: time.lowerNanoseconds.flatMap { low in
            time.upperNanoseconds.flatMap { low <= $0 ? low...$0 : nil }
          })
      }
      let said = contestant.message.isEmpty ? "" : ": \(contestant.message)"
      return Entry(
        benchmark: workload.name, engine: contestant.engine, threads: workload.threads, time: time,
        problem: time == nil ? contestant.status.rawValue + said : "", isClaimed: contestant.isClaimed,
        identity: contestant.samples.isEmpty ? nil : contestant.samples.hashValue)
    }
  }
}
