/// What the self-test found: the section `selftest` of a run.
public struct SelfTestSection: Codable, Sendable {
  public var mutants: [MutantRecord] = []
  /// Alarms on correct code, which are all false.
  public var falseAlarms: [String] = []
  /// How many verdicts on correct code were asked for.
  public var checksOfCorrectCode = 0
  public var seedCount = 0
  public var seconds = 0.0
  /// Stopped by a signal before every mutant was tried. Absent in runs of earlier versions.
  public var interrupted: Bool?

  public init() {}

  public var survivors: [MutantRecord] { mutants.filter { !$0.isKilled } }
}

/// One deliberately wrong implementation, and what noticed it.
public struct MutantRecord: Codable, Sendable {
  public var name: String
  public var family: String
  /// The first golden case that fails it.
  public var verifyKill: String?
  /// Its error over the bound there.
  public var verifyRatio: Double?
  public var verifyDetail: String?
  /// The first gradient check that fails it.
  public var gradcheckKill: String?
  public var gradcheckRatio: Double?
  public var gradcheckDetail: String?
  /// The probe that notices a defect of the gate.
  public var probeKill: String?

  public init(name: String, family: String) {
    self.name = name
    self.family = family
  }

  public var isKilled: Bool { verifyKill != nil || gradcheckKill != nil || probeKill != nil }
}
