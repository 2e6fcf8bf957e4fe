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
  /// Which part of the mutants and seeds these are. Absent of all, and in runs of earlier versions.
  public var shard: ShardRecord?
  /// Whether a mutant that was not run leaves the whole undecided. Absent in runs of earlier versions.
  public var strict: Bool?

  public init() {}

  public var survivors: [MutantRecord] { tried.filter { !$0.isKilled } }

  /// All that were run.
  public var tried: [MutantRecord] { mutants.filter { $0.notRun == nil } }

  /// Those that were not, whose tools are missing: neither killed nor survivors.
  public var notRun: [MutantRecord] { mutants.filter { $0.notRun != nil } }

  /// `35 of 38 mutants killed`, and how many were not run.
  public var score: String {
    let text = "\(tried.count - survivors.count) of \(tried.count) mutants killed"
    return notRun.isEmpty ? text : text + ", \(notRun.count) not run"
  }

  /// Of the mutants that random problems are there for, how many they find and at what cost, and how many golden cases do.
  public var fuzzScore: String? {
    let fuzzed = mutants.filter { $0.fuzzCases != nil }
    let found = fuzzed.filter { $0.fuzzKill != nil }
    guard !fuzzed.isEmpty else { return nil }
    func median<Value: Comparable>(_ values: [Value]) -> Value? {
      values.isEmpty ? nil : values.sorted()[values.count / 2]
    }
    let cases = median(found.compactMap(\.fuzzCases)) ?? 0
    let seconds = ((median(found.compactMap(\.fuzzSeconds)) ?? 0) * 1_000).rounded() / 1_000
    return "fuzzing finds \(found.count) of \(fuzzed.count), "
      + "the median after \(cases) random problems and \(seconds) s; "
      + "golden cases alone find \(fuzzed.count { $0.verifyKill != nil })"
  }

  /// How many mutants the first line of their failures names, and how many others it takes for sure; `nil` where it was not
  /// asked.
  public var explanationScore: [String]? {
    let known = mutants.compactMap(\.explained)
    guard !known.isEmpty else { return nil }
    func count(_ records: [ExplanationRecord], _ verdicts: ExplanationRecord.Verdict...) -> Int {
      records.count { verdicts.contains($0.verdict) }
    }
    func rest(_ records: [ExplanationRecord]) -> String {
      "\(count(records, .same)) another mistake that gives the same in every failing case, "
        + "\(count(records, .unsure)) something they look like, \(count(records, .none)) nothing, "
        + "\(count(records, .wrong)) a wrong one for sure"
    }
    let unknown = mutants.compactMap(\.explainedUnknown)
    return [
      "the first line of the failures of \(known.count) mutants names \(count(known, .named, .among)) of them, "
        + "\(count(known, .named)) alone; of the others " + rest(known),
      "had nobody thought of the mutant, it would name of \(unknown.count) " + rest(unknown),
    ]
  }

  /// Of the engines that cheat, how many the checks of the protocol's first version catch; `nil` where none was tried.
  public var firstProtocolScore: String? {
    let compared = mutants.compactMap(\.firstProtocolKill)
    guard !compared.isEmpty else { return nil }
    return "protocol 1 alone catches \(compared.count { !$0.isEmpty }) of the \(compared.count) cheats that speak it"
  }
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
  /// The rule of the benchmark's audit that catches an engine that cheats, and its evidence.
  public var benchKill: String?
  public var benchDetail: String?
  /// What the checks of the protocol's first version say of an engine that cheats; empty where they take it for honest.
  public var firstProtocolKill: String?
  /// The smallest of the random problems that fail it, how many were tried until the first, and how long that took. Absent in
  /// runs of earlier versions, and of mutants that golden cases are there for.
  public var fuzzKill: String?
  public var fuzzCases: Int?
  public var fuzzSeconds: Double?
  /// What its failures look like, and what they would look like had nobody thought of this mistake. Absent where it was not
  /// asked, and of mutants that no golden case shows.
  public var explained: ExplanationRecord?
  public var explainedUnknown: ExplanationRecord?
  /// Why it was not tried.
  public var notRun: String?
  /// What trying it took.
  public var seconds: Double?

  public init(name: String, family: String) {
    self.name = name
    self.family = family
  }

  public var isKilled: Bool { [verifyKill, gradcheckKill, probeKill, benchKill, fuzzKill].contains { $0 != nil } }

  /// What killed it besides golden cases.
  public var otherKill: String? {
    gradcheckKill ?? probeKill ?? benchKill.map { "bench: \($0)" } ?? fuzzKill.map { "fuzz: \($0)" }
  }
}
