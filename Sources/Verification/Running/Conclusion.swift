import Results

/// What a verification amounts to: one exit code, and the reasons for it.
public struct Conclusion: Sendable, Hashable {
  public enum Code: Int, Sendable {
    case holds = 0
    case fails = 1
    case inconclusive = 2
    case badData = 65
    case internalError = 70

    /// 70 > 65 > 1 > 2 > 0.
    private var rank: Int {
      switch self {
      case .holds: 0
      case .inconclusive: 1
      case .fails: 2
      case .badData: 3
      case .internalError: 4
      }
    }
    public static func worse(_ first: Code, _ second: Code) -> Code { first.rank >= second.rank ? first : second }
  }

  public let code: Code
  public let reasons: [String]
  public var exitCode: Int { code.rawValue }

  public init(_ section: VerificationSection) {
    var code = Code.holds
    var reasons: [String] = []
    func conclude(_ worse: Code, _ reason: String) {
      code = Code.worse(code, worse)
      reasons.append(reason)
    }
    let bad = section.files.filter { !$0.errors.isEmpty }
    if !bad.isEmpty { conclude(.badData, "\(bad.count) of \(section.files.count) files have errors") }
    for status in [VerificationStatus.fail, .error, .unsupported] {
      let count = section.results.count { $0.status == status && $0.counts(strict: section.strict) }
      if count > 0 {
        let note = status == .unsupported ? " (--strict)" : ""
        conclude(.fails, "\(count) \(status.rawValue)\(note)")
      }
    }
    let omissions = section.results.count { !$0.omitted.isEmpty && $0.status == .pass }
    if section.strict, omissions > 0 { conclude(.fails, "\(omissions) cases with omitted tensors (--strict)") }
    let vacuous = section.vacuity.filter(\.isVacuous)
    if !vacuous.isEmpty { conclude(.fails, "VACUOUS: " + vacuous.map(\.operation).joined(separator: ", ")) }
    if !section.staleKnownFailures.isEmpty {
      conclude(.fails, "\(section.staleKnownFailures.count) entries of known failures no longer hold")
    }
    if section.interrupted { conclude(.inconclusive, "interrupted before every case was done") }
    if section.results.isEmpty { conclude(.inconclusive, "no case was run") }
    for engine in section.engines where !section.results.isEmpty {
      let own = section.results.filter { $0.engine == engine.name }
      if !own.contains(where: { [.pass, .refused].contains($0.status) }) {
        conclude(.inconclusive, "\(engine.name) passed no case")
      }
    }
    self.code = code
    self.reasons = reasons
  }
}
