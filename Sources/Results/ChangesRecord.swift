/// What changed since an earlier run of the same kind.
public struct ChangesRecord: Codable, Sendable, Hashable {
  /// A time that is another than it was, beyond the policy and beyond both intervals.
  public struct Change: Codable, Sendable, Hashable {
    public var workload: String
    public var engine: String
    public var oldNanoseconds: Double
    public var newNanoseconds: Double
    /// New by old, after both were divided by what the calibration kernels did.
    public var ratio: Double
    public var lower: Double?
    public var upper: Double?
    /// `slower` or `faster`.
    public var verdict: String
    /// Whether one of the times is the engine's word alone.
    public var isClaimed: Bool

    public init(
      workload: String, engine: String, oldNanoseconds: Double, newNanoseconds: Double, ratio: Double, lower: Double?,
      upper: Double?, verdict: String, isClaimed: Bool
    ) {
      self.workload = workload
      self.engine = engine
      self.oldNanoseconds = oldNanoseconds
      self.newNanoseconds = newNanoseconds
      self.ratio = ratio
      self.lower = lower
      self.upper = upper
      self.verdict = verdict
      self.isClaimed = isClaimed
    }
  }

  /// A golden result whose status is another than it was.
  public struct Status: Codable, Sendable, Hashable {
    public var name: String
    public var engine: String
    public var dtype: String
    public var old: VerificationStatus
    public var new: VerificationStatus

    public init(name: String, engine: String, dtype: String, old: VerificationStatus, new: VerificationStatus) {
      self.name = name
      self.engine = engine
      self.dtype = dtype
      self.old = old
      self.new = new
    }
  }

  /// Where the earlier run was found.
  public var against: String
  public var started: String
  /// The commits of both runs, where they are known.
  public var oldCommit: String?
  public var newCommit: String?
  /// The smallest change of a time that counts, as a fraction.
  public var policy: Double
  /// Why the times are not compared, one sentence each; empty where they are.
  public var refusals: [String]
  /// How many times were compared.
  public var compared: Int
  /// Of these, those with too few blocks to tell.
  public var unclear: Int
  /// Those that changed: what became slower first, by how much.
  public var changes: [Change]
  /// What one run has and the other lacks, one sentence each.
  public var missing: [String]
  /// How many golden results both runs have.
  public var comparedResults: Int
  /// Of these, those that ended otherwise.
  public var statuses: [Status]

  public init(against: String, started: String, oldCommit: String?, newCommit: String?, policy: Double) {
    self.against = against
    self.started = started
    self.oldCommit = oldCommit
    self.newCommit = newCommit
    self.policy = policy
    refusals = []
    compared = 0
    unclear = 0
    changes = []
    missing = []
    comparedResults = 0
    statuses = []
  }
}
