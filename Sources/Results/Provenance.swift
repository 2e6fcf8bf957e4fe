/// Where a result comes from: enough to repeat it.
public struct Provenance: Codable, Sendable {
  /// Version of this program.
  public var assayVersion: String
  /// Words of the command line.
  public var command: [String]
  /// Of a merged run: the command lines of its parts, in the order in which they were started.
  public var partCommands: [[String]]?
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
  /// The one that the kernels used. Absent in runs of earlier versions.
  public var instructionSet: String?

  public init(
    assayVersion: String, command: [String], seed: UInt64, started: String, gitCommit: String?, gitDirty: Bool?,
    compiler: String, compilerFlags: String, operatingSystem: String, cpuModel: String, coreCount: Int,
    instructionSet: String? = nil
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
    self.instructionSet = instructionSet
  }

  /// What a reader may paste into a shell to have this again: of a merged run its parts, one after another.
  public var commandLine: String { (partCommands ?? [command]).map { ShellCommand($0).description }.joined(separator: "; ") }
}
