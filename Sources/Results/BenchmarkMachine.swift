/// The machine of a run, as far as it tells, and what may have disturbed the timings.
public struct MachineRecord: Codable, Sendable, Hashable {
  public var cpuModel: String
  public var cores: Int
  public var instructionSets: [String]
  /// The one that the kernels used.
  public var selectedInstructionSet: String
  public var l1DataBytes: Int?
  public var l2Bytes: Int?
  public var l3Bytes: Int?
  /// The frequency governor, where the system has one.
  public var governor: String?
  /// CPU time of all cores taken by the hypervisor over all of it, while something was timed.
  public var stealFraction: Double?
  /// Load averages over one minute, before and after.
  public var loadBefore: Double?
  public var loadAfter: Double?
  /// Begins the warning that other programs were at work when the run started.
  public static let contentionWarning = "other work was running"
  /// What a person should know before trusting a time from here.
  public var warnings: [String]

  public init(
    cpuModel: String, cores: Int, instructionSets: [String], selectedInstructionSet: String, l1DataBytes: Int?,
    l2Bytes: Int?, l3Bytes: Int?, governor: String?, loadBefore: Double?, warnings: [String] = []
  ) {
    self.cpuModel = cpuModel
    self.cores = cores
    self.instructionSets = instructionSets
    self.selectedInstructionSet = selectedInstructionSet
    self.l1DataBytes = l1DataBytes
    self.l2Bytes = l2Bytes
    self.l3Bytes = l3Bytes
    self.governor = governor
    self.loadBefore = loadBefore
    self.warnings = warnings
  }
}

/// What the machine can do at most with so many threads, measured in the same run. Also the calibration that a comparison of
/// two days is normalised by.
public struct CeilingRecord: Codable, Sendable, Hashable {
  public var threads: Int
  /// Multiply-adds on registers alone, 10⁹ flop/s.
  public var peakGigaflops: Double
  /// Copying, reads and writes counted, 10⁹ bytes/s.
  public var l2GigabytesPerSecond: Double
  /// Absent where the last level is no larger than the cores' own.
  public var l3GigabytesPerSecond: Double?
  public var memoryGigabytesPerSecond: Double
  /// A frozen direct convolution in plain code, nanoseconds; it changes with the machine and never with the kernels.
  public var frozenConvolutionNanoseconds: Double

  public init(
    threads: Int, peakGigaflops: Double, l2GigabytesPerSecond: Double, l3GigabytesPerSecond: Double?,
    memoryGigabytesPerSecond: Double, frozenConvolutionNanoseconds: Double
  ) {
    self.threads = threads
    self.peakGigaflops = peakGigaflops
    self.l2GigabytesPerSecond = l2GigabytesPerSecond
    self.l3GigabytesPerSecond = l3GigabytesPerSecond
    self.memoryGigabytesPerSecond = memoryGigabytesPerSecond
    self.frozenConvolutionNanoseconds = frozenConvolutionNanoseconds
  }
}
