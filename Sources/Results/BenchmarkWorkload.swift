/// One problem in one pass, layout and thread count, timed with every contestant in the same blocks.
public struct BenchmarkWorkload: Codable, Sendable, Hashable {
  /// Unique in a run, and what `--filter` matches.
  public var name: String
  public var operation: String
  public var problem: String
  public var batch: Int
  public var pass: String
  public var layout: String
  public var threads: Int
  /// Multiplications and additions of the definition.
  public var flops: Double
  /// Bytes that must move at least: operands and result, once each.
  public var compulsoryBytes: Double
  /// Sets of activations that the timed iterations rotate over, each at addresses of its own. Absent where all iterations
  /// use the same.
  public var sets: Int?
  /// The least time that the measured ceilings allow to any algorithm that the tool knows; in runs of earlier versions, to
  /// the definition's arithmetic.
  public var limitNanoseconds: Double?
  /// `compute` or `memory`: which ceiling that is.
  public var limitedBy: String?
  /// The algorithm that the limit is of, by its engine's name. Absent in runs of earlier versions.
  public var limitAlgorithm: String?
  public var contestants: [BenchmarkContestant]
  /// Of the time in which timed threads were ready to run, the share in which they waited for a core that none of the same
  /// contestant ran on: the median over blocks. Absent where the system does not tell.
  public var waitingFraction: Double?
  /// The engine whose threads waited for others of its own: it runs more of them than it was given cores.
  public var waitingAlone: String?
  /// The fastest contestant: with the largest median of the blocks' speed-ups over the baseline, or the smallest median
  /// where the baseline has no time. Nobody whose time is claimed.
  public var best: String?
  public var bestBuiltIn: String?
  /// Contestants that cannot be told from the best: the interval of the blocks' ratios spans 1, or there is none. Absent in
  /// runs of earlier versions.
  public var ties: [String]?
  /// How far the best one is ahead. Absent in runs of earlier versions.
  public var lead: LeadRecord?
  /// The same of the built-in ones alone. Absent where nobody else was timed, and in runs of earlier versions.
  public var builtInLead: LeadRecord?

  public init(
    name: String, operation: String, problem: String, batch: Int, pass: String, layout: String, threads: Int,
    flops: Double, compulsoryBytes: Double
  ) {
    self.name = name
    self.operation = operation
    self.problem = problem
    self.batch = batch
    self.pass = pass
    self.layout = layout
    self.threads = threads
    self.flops = flops
    self.compulsoryBytes = compulsoryBytes
    contestants = []
  }

  public func contestant(_ engine: String) -> BenchmarkContestant? { contestants.first { $0.engine == engine } }

  /// Whether nobody is certainly faster than this engine here: it is the best one, or tied with it.
  public func isAmongBest(_ engine: String) -> Bool { best == engine || ties?.contains(engine) == true }

  /// `compute, winograd4`: what the limit is set by.
  public var limitText: String { [limitedBy, limitAlgorithm].compactMap { $0 }.joined(separator: ", ") }

  /// The fastest engine, or all of those that share that place.
  public var bestText: String {
    guard let best else { return "none" }
    guard let ties, !ties.isEmpty else { return best }
    return "tie: " + ([best] + ties).joined(separator: ", ")
  }
}

public enum BenchmarkStatus: String, Codable, Sendable, CaseIterable {
  case timed
  /// The engine does not do this; `message` says why.
  case unsupported
  /// Its result is wrong, so it has no time.
  case wrong
  /// It crashed, hung, or talked nonsense.
  case failed
  /// The audit caught it: what was timed is not what was verified. It has no time, and its audit says why.
  case cheated

  /// Whether a run with such a contestant fails.
  public var isFault: Bool {
    switch self {
    case .timed, .unsupported: false
    case .wrong, .failed, .cheated: true
    }
  }
}

public struct BenchmarkContestant: Codable, Sendable, Hashable {
  public var engine: String
  public var status: BenchmarkStatus
  public var message: String
  /// What ran, in the engine's words.
  public var summary: String
  public var workspaceBytes: Int
  /// What it holds of main memory, measured apart from its times. Absent where that was not asked, or not possible.
  public var memory: MemoryRecord?
  /// Why it was not possible: one sentence.
  public var memoryMissing: String?
  /// The largest error/bound of its result on this problem, found before it was timed.
  public var worstRatio: Double?
  /// How the tensors that are wrong compare with what was expected, as verification found them.
  public var failing: [TensorResult]?
  /// How far its time is to be trusted. Absent in runs of earlier versions.
  public var trust: Trust?
  /// What the audit found. Absent where none was held.
  public var audit: AuditRecord?
  /// Of the time in which its timed threads were ready to run, the share in which they waited for a core, whoever ran there: the
  /// median over blocks. Absent where the system does not tell, and in runs of earlier versions.
  public var waitingFraction: Double?
  /// One for each block: durations of single iterations.
  public var samples: [DurationSamples]
  public var time: TimeSummary?
  /// Where the time of a network goes, in the order of a run. Absent where the engine cannot tell.
  public var layers: [LayerTime]?

  public init(engine: String, status: BenchmarkStatus, message: String = "", worstRatio: Double? = nil) {
    self.engine = engine
    self.status = status
    self.message = message
    self.worstRatio = worstRatio
    summary = ""
    workspaceBytes = 0
    samples = []
  }

  /// Whether its time is the engine's word alone.
  public var isClaimed: Bool { trust == .claimed }

  /// What stands behind its time wherever that is shown.
  public var mark: String { isClaimed ? Trust.claimedMark : "" }
}

/// What the samples amount to.
public struct TimeSummary: Codable, Sendable, Hashable {
  /// Median of the blocks' medians.
  public var medianNanoseconds: Double
  public var minimumNanoseconds: Double
  /// Order-statistic interval of the median over blocks; absent below six blocks.
  public var lowerNanoseconds: Double?
  public var upperNanoseconds: Double?
  /// 10⁹ flop/s, as if the definition's arithmetic had been done.
  public var equivalentGigaflops: Double
  /// 10⁹ flop/s really done in multiplication, where the algorithm does another number.
  public var actualGigaflops: Double?
  /// Of the measured FMA peak at these threads, from `actualGigaflops` or else `equivalentGigaflops`; in the second case it
  /// may exceed 1, where an algorithm does less than the definition.
  public var peakFraction: Double?
  /// Compulsory bytes by time, 10⁹ bytes/s.
  public var gigabytesPerSecond: Double
  /// `limitNanoseconds` by time: 1 is the roofline.
  public var limitFraction: Double?
  /// Baseline's time by this one, median over blocks, with its interval.
  public var speedup: Double?
  public var speedupLower: Double?
  public var speedupUpper: Double?

  public init(
    medianNanoseconds: Double, minimumNanoseconds: Double, lowerNanoseconds: Double?, upperNanoseconds: Double?,
    equivalentGigaflops: Double, gigabytesPerSecond: Double
  ) {
    self.medianNanoseconds = medianNanoseconds
    self.minimumNanoseconds = minimumNanoseconds
    self.lowerNanoseconds = lowerNanoseconds
    self.upperNanoseconds = upperNanoseconds
    self.equivalentGigaflops = equivalentGigaflops
    self.gigabytesPerSecond = gigabytesPerSecond
  }
}

/// Durations in nanoseconds, written as one string of integers with blanks: a run has hundreds of thousands of them.
public struct DurationSamples: Codable, Sendable, Hashable {
  public var nanoseconds: [UInt64]

  public init(_ nanoseconds: [UInt64]) { self.nanoseconds = nanoseconds }

  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    nanoseconds = try text.split(separator: " ").map { word in
      guard let value = UInt64(word) else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "expected integers, found '\(word)'"))
      }
      return value
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(nanoseconds.map(String.init).joined(separator: " "))
  }
}
