import Foundation

/// Everything that one run of the command found, as `run.json` holds it. Every report is made from this record alone.
///
/// Sections are absent when the run did not do that kind of work.
public struct Run: Codable, Sendable {
  /// The schema's name; any other is not a run.
  public static let schemaName = "assay.run"
  /// A reader refuses a higher version. Raised when a field changes its meaning; new optional fields do not raise it.
  public static let currentSchemaVersion = 1

  public var schema = Run.schemaName
  public var schemaVersion = Run.currentSchemaVersion
  public var provenance: Provenance
  public var verification: VerificationSection?
  public var gradients: GradientSection?
  public var selfTest: SelfTestSection?
  public var benchmark: BenchmarkSection?
  public var duet: DuetSection?
  public var history: HistorySection?

  public init(provenance: Provenance) { self.provenance = provenance }
}

/// Where a result comes from: enough to repeat it.
public struct Provenance: Codable, Sendable {
  /// Version of this program.
  public var assayVersion: String
  /// Words of the command line.
  public var command: [String]
  public var seed: UInt64
  /// ISO 8601, UTC.
  public var started: String
  public var gitCommit: String?
  public var gitDirty: Bool?
  public var compiler: String
  public var compilerFlags: String
  public var operatingSystem: String
  public var cpuModel: String
  public var coreCount: Int

  public init(
    assayVersion: String, command: [String], seed: UInt64, started: String, gitCommit: String?, gitDirty: Bool?,
    compiler: String, compilerFlags: String, operatingSystem: String, cpuModel: String, coreCount: Int
  ) {
    self.assayVersion = assayVersion
    self.command = command
    self.seed = seed
    self.started = started
    self.gitCommit = gitCommit
    self.gitDirty = gitDirty
    self.compiler = compiler
    self.compilerFlags = compilerFlags
    self.operatingSystem = operatingSystem
    self.cpuModel = cpuModel
    self.coreCount = coreCount
  }
}
