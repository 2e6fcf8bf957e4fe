/// What a run, or one part of it, amounts to. Every exit code, JUnit verdict and headline derives from this value, by
/// one rule: the worst part decides, and the order of badness is 70 > 65 > 74 > 1 > 2 > 0.
public enum Outcome: String, Codable, Sendable, CaseIterable, Hashable {
  /// Everything that was asked for was checked, and holds.
  case holds
  /// Nothing was decided: interrupted, holes, too noisy, an engine that could not be started, no case. Try again.
  case inconclusive
  /// Numbers are wrong, or a regression was found.
  case fails
  /// An output could not be written; what was found is kept where it could be.
  case notWritten = "not_written"
  /// A file from outside is damaged, or asks for more than the limits allow.
  case badData = "bad_data"
  /// A defect of Assay.
  case internalError = "internal"

  public var exitCode: Int32 {
    switch self {
    case .holds: 0
    case .fails: 1
    case .inconclusive: 2
    case .badData: 65
    case .internalError: 70
    case .notWritten: 74
    }
  }

  /// As a sentence begins.
  public var words: String {
    switch self {
    case .holds: "all hold"
    case .inconclusive: "inconclusive"
    case .fails: "fails"
    case .notWritten: "not written"
    case .badData: "bad data"
    case .internalError: "internal error"
    }
  }

  /// From best to worst.
  private var rank: Int {
    switch self {
    case .holds: 0
    case .inconclusive: 1
    case .fails: 2
    case .notWritten: 3
    case .badData: 4
    case .internalError: 5
    }
  }

  public static func worse(_ first: Outcome, _ second: Outcome) -> Outcome {
    first.rank >= second.rank ? first : second
  }

  /// The worst of several parts; `nil` of none, which whoever asks has to judge: no part at all is seldom a success.
  public static func worst(_ outcomes: some Sequence<Outcome>) -> Outcome? {
    outcomes.reduce(nil) { worst, next in worst.map { worse($0, next) } ?? next }
  }
}
