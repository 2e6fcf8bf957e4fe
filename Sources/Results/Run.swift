/// Everything that one run of the command found, as `run.json` holds it. Every report is made from this record alone.
///
/// Sections are absent when the run did not do that kind of work. What the run and its parts amount to is written too, for
/// whoever reads the file, and never read back: it follows from the records.
public struct Run: Sendable {
  /// The schema's name; any other is not a run.
  public static let schemaName = "assay.run"
  /// A reader refuses a higher version. Raised when a field changes its meaning; new optional fields do not raise it.
  ///
  /// 2: `outcome`, `reasons` and `parts` in place of `exit_code` and `reasons` in some sections.
  public static let currentSchemaVersion = 2

  public var provenance: Provenance
  public var verification: VerificationSection?
  public var fuzzing: FuzzingSection?
  public var gradients: GradientSection?
  public var selfTest: SelfTestSection?
  public var training: TrainingSection?
  public var benchmark: BenchmarkSection?
  public var duet: DuetSection?
  public var history: HistorySection?
  /// What changed since an earlier run. It is advice and decides nothing. Absent where the run was compared with none.
  public var changes: ChangesRecord?
  /// Of a merged run: parts that should be here and are not.
  public var holes: [RunHole]?

  public init(provenance: Provenance) { self.provenance = provenance }

  public func section(_ part: RunPart) -> (any RunSection)? {
    switch part {
    case .verification: verification
    case .fuzzing: fuzzing
    case .gradients: gradients
    case .selfTest: selfTest
    case .training: training
    case .benchmark: benchmark
    case .duet: duet
    case .history: history
    }
  }

  /// What each part that is present amounts to.
  public var conclusions: [(part: RunPart, conclusion: Conclusion)] {
    RunPart.allCases.compactMap { part in section(part).map { (part, $0.conclusion) } }
  }

  /// The worst of its parts and holes; a run without a part decided nothing.
  public var conclusion: Conclusion {
    var whole = Conclusion()
    let parts = conclusions
    for (part, conclusion) in parts {
      for reason in conclusion.reasons { whole.add(conclusion.outcome, because: "\(part.title): \(reason)") }
    }
    whole.add(holes)
    if parts.isEmpty { whole.add(.inconclusive, because: "nothing was done") }
    return whole
  }
}

extension Run: Codable {
  private enum CodingKeys: String, CodingKey {
    case schema, schemaVersion, outcome, reasons, parts
    case provenance, verification, fuzzing, gradients, selfTest, training, benchmark, duet, history, changes, holes
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    provenance = try container.decode(Provenance.self, forKey: .provenance)
    verification = try container.decodeIfPresent(VerificationSection.self, forKey: .verification)
    fuzzing = try container.decodeIfPresent(FuzzingSection.self, forKey: .fuzzing)
    gradients = try container.decodeIfPresent(GradientSection.self, forKey: .gradients)
    selfTest = try container.decodeIfPresent(SelfTestSection.self, forKey: .selfTest)
    training = try container.decodeIfPresent(TrainingSection.self, forKey: .training)
    benchmark = try container.decodeIfPresent(BenchmarkSection.self, forKey: .benchmark)
    duet = try container.decodeIfPresent(DuetSection.self, forKey: .duet)
    history = try container.decodeIfPresent(HistorySection.self, forKey: .history)
    changes = try container.decodeIfPresent(ChangesRecord.self, forKey: .changes)
    holes = try container.decodeIfPresent([RunHole].self, forKey: .holes)
  }

  /// Always of the current version, whatever it was read from.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.schemaName, forKey: .schema)
    try container.encode(Self.currentSchemaVersion, forKey: .schemaVersion)
    let conclusion = conclusion
    try container.encode(conclusion.outcome, forKey: .outcome)
    try container.encode(conclusion.reasons, forKey: .reasons)
    let parts = conclusions.map { ($0.part.rawValue, $0.conclusion) }
    try container.encode(Dictionary(uniqueKeysWithValues: parts), forKey: .parts)
    try container.encode(provenance, forKey: .provenance)
    try container.encodeIfPresent(verification, forKey: .verification)
    try container.encodeIfPresent(fuzzing, forKey: .fuzzing)
    try container.encodeIfPresent(gradients, forKey: .gradients)
    try container.encodeIfPresent(selfTest, forKey: .selfTest)
    try container.encodeIfPresent(training, forKey: .training)
    try container.encodeIfPresent(benchmark, forKey: .benchmark)
    try container.encodeIfPresent(duet, forKey: .duet)
    try container.encodeIfPresent(history, forKey: .history)
    try container.encodeIfPresent(changes, forKey: .changes)
    try container.encodeIfPresent(holes, forKey: .holes)
  }
}
